from __future__ import annotations

import http.server
import socket
import threading
import time

import pytest
from embedded import NAME, domain_at, embedded, pid
from hypothesis import given
from hypothesis import strategies as st
from sleeping import SleepingClock

from resolver.errors import BadInput, ServiceFailed, UnknownDomain, Unreachable
from resolver.local.faults import Fault, Faults
from resolver.local.server import running
from resolver.local.service import Settings
from resolver.profiles.domain import ConnectionSettings, Domain, connect, describe_domain
from resolver.profiles.pace import Pace
from resolver.profiles.reading import read_profiles, search
from resolver.profiles.search_keys import SearchKey

ANA = {"ProfileId": pid(1), "FirstName": "Ana", "EmailAddress": "ana@x.io"}


@pytest.fixture
def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield listener.getsockname()[1]


def test_a_domain_tells_its_counts_and_who_merges_in_it():
    with embedded([ANA]) as (domain, _):
        domain.clients.read.create_domain(
            DomainName="auto",
            DefaultExpirationDays=366,
            Matching={"Enabled": True, "AutoMerging": {"Enabled": True}},
            RuleBasedMatching={
                "Enabled": True,
                "MaxAllowedRuleLevelForMerging": 1,
                "MatchingRules": [{"Rule": ["AccountNumber"]}],
            },
        )
        plain, auto = describe_domain(domain), describe_domain(Domain("auto", domain.clients))

    assert (plain.profile_count, plain.matching_enabled, plain.merging_by_aws) == (1, True, ())
    assert auto.merging_by_aws == ("Matching.AutoMerging", "RuleBasedMatching.MaxAllowedRuleLevelForMerging")


def test_nothing_listening_at_the_endpoint_is_told_at_once_with_its_address(closed_port):
    begun = time.monotonic()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{closed_port}: no answer to get_domain"):
        describe_domain(domain_at(f"http://127.0.0.1:{closed_port}"))

    assert time.monotonic() - begun < 5


def test_an_endpoint_that_accepts_and_stays_silent_is_given_up_after_the_time_out():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Unreachable, match="the connection was lost during get_domain"):
            describe_domain(domain_at(url, read_timeout=0.1))


class _WebSite(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):  # the library's name
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("status", [200, 404])
def test_an_endpoint_that_is_something_else_is_named_as_such(status):
    handler = type("Site", (_WebSite,), {"status": status})
    site = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(Unreachable, match="is not Customer Profiles"):
            describe_domain(domain_at(f"http://127.0.0.1:{site.server_port}"))
    finally:
        site.shutdown()
        site.server_close()
        thread.join()


@pytest.fixture
def no_credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)


def test_without_credentials_the_message_says_so(no_credentials):
    clients = connect(ConnectionSettings(region="us-east-1"))
    with pytest.raises(Unreachable, match=r"amazonaws\.com: no usable AWS credentials"):
        describe_domain(Domain(NAME, clients))


def test_an_endpoint_on_this_machine_needs_neither_credentials_nor_a_region(no_credentials):
    with embedded([ANA]) as (_, service), running(service) as url:
        clients = connect(ConnectionSettings(endpoint_url=url))

        assert describe_domain(Domain(NAME, clients)).profile_count == 1


@pytest.mark.parametrize(
    "settings",
    [
        ConnectionSettings(region=None),
        ConnectionSettings(region="us-east-1", profile="nobody"),
        ConnectionSettings(region="us-east-1", endpoint_url="not a url"),
        ConnectionSettings(region="no such region!"),
    ],
    ids=["no region", "unknown profile", "endpoint is no url", "region is none"],
)
def test_settings_that_cannot_connect_are_one_clear_error(monkeypatch, settings):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Unreachable, match="cannot connect"):
        connect(settings)


def test_a_name_that_no_domain_can_have_is_bad_input():
    with embedded([]) as (domain, _), pytest.raises(BadInput, match="cannot be the name"):
        describe_domain(Domain("no such name!", domain.clients))


def test_an_unknown_domain_is_told_even_where_the_list_is_denied():
    faults = Faults()
    faults.plan("ListDomains", Fault("fail_before"))
    with embedded([], Settings(faults=faults)) as (domain, _), pytest.raises(UnknownDomain) as caught:
        describe_domain(Domain("other", domain.clients))

    assert str(caught.value) == f"no domain other at {domain.clients.endpoint}"


def test_a_refused_read_names_operation_code_and_request_id_and_no_value():
    with embedded([ANA]) as (domain, _), pytest.raises(ServiceFailed) as caught:
        search(domain, [SearchKey("no_such_key", "ana@x.io")])

    assert "search_profiles" in str(caught.value)
    assert "BadRequestException (HTTP 400, request id " in str(caught.value)
    assert "ana@x.io" not in str(caught.value)


def test_profiles_are_read_by_id_where_the_endpoint_has_no_batch_operation():
    people = [{"ProfileId": pid(n), "FirstName": f"F{n}"} for n in range(1, 24)]
    with embedded(people) as (domain, _):
        whole = read_profiles(domain, [p["ProfileId"] for p in people] + [pid(99)])
        poor = Domain(NAME, domain.clients, lacking={"batch_get_profile"})
        by_search = read_profiles(poor, [p["ProfileId"] for p in people] + [pid(99)])

    assert whole == by_search == {p["ProfileId"]: p for p in people}
    assert domain.calls.counts == {"batch_get_profile": 2}
    assert poor.calls.counts == {"search_profiles": 5}


@pytest.mark.parametrize("alias", [False, True])
def test_the_survivor_is_not_taken_for_the_profile_that_it_took_in(alias):
    with embedded([ANA, {"ProfileId": pid(2)}], Settings(victim_alias=alias)) as (domain, _):
        domain.clients.merge.merge_profiles(
            DomainName=NAME, MainProfileId=pid(1), ProfileIdsToBeMerged=[pid(2)]
        )
        poor = Domain(NAME, domain.clients, lacking={"batch_get_profile"})

        assert read_profiles(domain, [pid(2)]) == read_profiles(poor, [pid(2)]) == {}


@given(st.lists(st.sampled_from(["ok", "throttled", "idle"]), max_size=80), st.sampled_from([1.0, 5.0, 20.0]))
def test_no_second_ever_holds_more_than_the_rate(events, rate):
    time_ = SleepingClock(100.0)
    pace = Pace(rate, time_.clock, time_.sleep)
    starts = []
    for event in events:
        if event == "idle":
            time_.sleep(0.7)
            continue
        started = pace.wait()
        starts.append(started)
        pace.throttled(started) if event == "throttled" else pace.answered()

    for first in starts:
        assert sum(first <= other < first + 1 for other in starts) <= rate + 1
    assert pace.rate <= rate


def test_a_throttled_pace_slows_down_and_recovers_to_its_ceiling():
    time_ = SleepingClock(100.0)
    pace = Pace(20.0, time_.clock, time_.sleep)
    for _ in range(3):
        pace.throttled(pace.wait())
    assert pace.rate == 2.5
    for _ in range(200):
        pace.wait()
        pace.answered()
    assert pace.rate == 20.0


def test_calls_in_flight_when_the_service_throttles_slow_the_pace_only_once():
    time_ = SleepingClock(100.0)
    pace = Pace(20.0, time_.clock, time_.sleep)
    starts = [pace.wait() for _ in range(4)]
    time_.sleep(0.1)
    for start in starts:
        pace.throttled(start)

    assert pace.rate == 10.0


def test_an_unlimited_pace_never_waits_until_it_is_throttled():
    time_ = SleepingClock(100.0)
    pace = Pace(None, time_.clock, time_.sleep)
    for _ in range(100):
        pace.wait()
        pace.answered()
    assert time_.now == 100.0
    pace.throttled(pace.wait())
    assert pace.rate == 25.0
