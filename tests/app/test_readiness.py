"""What is asked of a domain before the first call of a run."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from embedded import NAME, embedded, pid

from resolver.app.readiness import Conditions, check_age, check_ready
from resolver.errors import Held, Unreachable
from resolver.local.matching_job import run_matching_job
from resolver.profiles.domain import ConnectionSettings, connect
from resolver.profiles.identity import role_of
from resolver.rule_file import load_rules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [{"ProfileId": pid(n), "FirstName": "Ana", "EmailAddress": "ana@x.io"} for n in (1, 2)]
ROLE = "arn:aws:sts::123456789012:assumed-role/resolver-merge/session-2026-03-01"


@contextlib.contextmanager
def sts(answer: str, status: int = 200):
    """A Security Token Service on this machine that knows one caller."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def caller(arn: str) -> str:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>{arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


@pytest.fixture
def signed(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.mark.parametrize(
    ("days", "held"), [(6.9, None), (7.1, "7.1 days old; the rule set allows 7"), (None, "holds no run")]
)
def test_agreement_that_is_required_must_be_young(days, held):
    with embedded(PEOPLE) as (domain, service):
        if days is not None:
            run_matching_job(service.store, NAME, NOON - timedelta(days=days))
        check_ready(domain, Conditions(), NOON)
        if held is None:
            check_ready(domain, Conditions(matching_days=7), NOON)
        else:
            with pytest.raises(Held, match=re.escape(held)):
                check_ready(domain, Conditions(matching_days=7), NOON)


def test_only_a_rule_set_that_requires_agreement_asks_for_the_age():
    rules = load_rules()
    assert Conditions.of(rules) == Conditions((), None)
    required = rules.second_opinion.model_copy(update={"policy": "require_agreement", "max_age_days": 3.0})
    assert Conditions.of(rules.model_copy(update={"second_opinion": required})).matching_days == 3.0


def test_plans_may_be_so_old_and_no_older():
    check_age("out", NOON - timedelta(days=7), 7, NOON)
    with pytest.raises(Held, match=r"out: its plans are 7\.5 days old.*max_plan_age_days is 7"):
        check_age("out", NOON - timedelta(days=7.5), 7, NOON)


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(
    ("allowed", "ready"),
    [
        ((), True),
        (("arn:aws:iam::123456789012:role/resolver-merge",), True),
        (("arn:aws:iam::*:user/ana", "arn:aws:iam::*:role/resolver-*"), True),
        (("arn:aws:iam::123456789012:role/resolver",), False),
        ((ROLE,), False),
    ],
)
def test_a_caller_that_no_pattern_allows_is_held(monkeypatch, allowed, ready):
    with sts(caller(ROLE)) as url, embedded(PEOPLE, transport="http") as (domain, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        signed_domain = type(domain)(
            domain.name, connect(ConnectionSettings(domain.clients.endpoint, "us-east-1"))
        )
        if ready:
            check_ready(signed_domain, Conditions(allowed), NOON)
        else:
            with pytest.raises(Held, match="role/resolver-merge may not merge"):
                check_ready(signed_domain, Conditions(allowed), NOON)


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize(
    ("arn", "role"),
    [
        (ROLE, "arn:aws:iam::123456789012:role/resolver-merge"),
        (
            "arn:aws-us-gov:sts::123456789012:assumed-role/r/s",
            "arn:aws-us-gov:iam::123456789012:role/r",
        ),
        ("arn:aws:iam::123456789012:user/team/ana", "arn:aws:iam::123456789012:user/team/ana"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
    ],
)
def test_a_session_stands_for_its_role(monkeypatch, arn, role):
    with sts(caller(arn)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        assert role_of(connect(ConnectionSettings("http://127.0.0.1:1", "us-east-1"))) == role


@pytest.mark.usefixtures("signed")
def test_credentials_that_sts_does_not_accept_are_one_clear_error(monkeypatch):
    refusal = (
        "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>secret stays here</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>"
    )
    with sts(refusal, 403) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        with pytest.raises(Unreachable, match="ExpiredToken") as error:
            role_of(connect(ConnectionSettings("http://127.0.0.1:1", "us-east-1")))
    assert "secret" not in str(error.value)


def test_calls_to_an_embedded_service_have_no_caller(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    with embedded(PEOPLE, transport="http") as (domain, _):
        check_ready(domain, Conditions(("unsigned",)), NOON)
        with pytest.raises(Held, match="unsigned may not merge"):
            check_ready(domain, Conditions(("arn:*",)), NOON)
