"""Requests that nobody thought of: valid ones never fail inside, broken ones are refused by name."""

from __future__ import annotations

import http.client
import json
import os
from collections import Counter
from urllib.parse import urlsplit

import pytest
from checked_service import CheckedService, check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests_from_model import (
    DOMAIN,
    OPERATIONS,
    PROFILES,
    URI,
    broken,
    can_be_sent,
    least,
    least_broken,
    valid,
)
from requests_from_model import http as as_sent

from resolver.local.loading import load_profiles
from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store
from resolver.local.wire import HttpRequest, HttpResponse, service_model

# Of each kind, for each of 36 operations. Over HTTP the same service is asked, through its server.
EXAMPLES = {"embedded": 300, "http": 60} if os.environ.get("RESOLVER_SOAK") else {"embedded": 12, "http": 3}
TYPE = {
    "Description": "CRM",
    "AllowProfileCreation": True,
    "Fields": {"id": {"Source": "_source.id"}},
    "Keys": {"crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
}
LONGEST_ANSWER = 20.0  # seconds: a hang is longer


class Fuzzed:
    """A service with one domain that has one of everything, asked in process or over HTTP."""

    def __init__(self, store, url):
        self.service = Service(store)
        self.store, self.url = store, url

    def handle(self, request):
        if self.url is None:
            return self.service.handle(request)
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=LONGEST_ANSWER)
        target = request.path + ("?" + request.query if request.query else "")
        connection.request(request.method, target, request.body, dict(request.headers))
        answer = connection.getresponse()
        names = ("Content-Type", "x-amzn-RequestId", "x-amzn-ErrorType")
        headers = {name: answer.headers[name] for name in names if name in answer.headers}
        made = HttpResponse(answer.status, headers, answer.read())
        connection.close()
        return made

    def restore(self):
        """Requests may delete what the next ones should find."""
        with self.store.reading() as session:
            counts = (
                session.one("SELECT count(*) FROM profile WHERE profile_id IN (?, ?, ?)", *PROFILES),
                session.one("SELECT count(*) FROM object_type WHERE name = 'crm'"),
                session.one("SELECT count(*) FROM integration WHERE uri = ?", URI),
            )
        if counts != ((len(PROFILES),), (1,), (1,)):
            self.begin()

    def begin(self):
        base = f"/domains/{DOMAIN}"
        self.service.handle(HttpRequest("DELETE", base))
        people = [{"ProfileId": name, "FirstName": "Ana", "EmailAddress": "a@x.io"} for name in PROFILES]
        load_profiles(self.store, DOMAIN, people)
        for method, path, body in (
            ("PUT", f"{base}/object-types/crm", TYPE),
            ("PUT", f"{base}/integrations", {"Uri": URI, "ObjectTypeName": "crm"}),
            ("PUT", f"{base}/profiles/objects", {"ObjectTypeName": "crm", "Object": '{"id": "1"}'}),
        ):
            answer = self.service.handle(HttpRequest(method, path, "", {}, json.dumps(body).encode()))
            assert answer.status == 200, answer.body


@pytest.fixture(scope="module", params=["embedded", "http"])
def fuzzed(request):
    store = Store.open(None)
    if request.param == "embedded":
        made = Fuzzed(store, None)
        made.begin()
        yield made
    else:
        with running(Service(store)) as url:
            made = Fuzzed(store, url)
            made.begin()
            yield made
    store.close()


def settings_for(fuzzed):
    examples = EXAMPLES["embedded" if fuzzed.url is None else "http"]
    return settings(max_examples=examples, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_valid_request_gets_a_modelled_answer(fuzzed, operation, record_property):
    shape = service_model().operation_model(operation).input_shape
    seen = Counter()

    @settings_for(fuzzed)
    @given(valid(shape))
    def ask(value):
        request = as_sent(operation, value)
        response = fuzzed.handle(request)
        seen[response.status] += 1
        assert response.status in (200, 400, 404), response.body
        check(request, response)
        fuzzed.restore()

    ask()
    record_property("requests", seen.total())
    record_property("statuses", json.dumps(seen))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_constraint_of_every_input_is_enforced_by_name(fuzzed, operation, record_property):
    shape = service_model().operation_model(operation).input_shape
    smallest = fuzzed.handle(as_sent(operation, least(shape)))
    assert smallest.status != 400 or "failed to satisfy constraint" not in smallest.body.decode()
    kinds = Counter()
    for one in least_broken(shape):
        if can_be_sent(operation, one):
            assert_named(operation, one, fuzzed.handle(as_sent(operation, one.value)))
            kinds[one.kind] += 1
    assert kinds
    record_property("requests", kinds.total())
    record_property("kinds", json.dumps(kinds))


def assert_named(operation, one, response):
    shown = (operation, one.at, one.kind, response.status, response.body)
    assert response.status == 400, shown
    assert f"Value at '{one.at}'" in json.loads(response.body)["Message"], shown


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_breaks_one_constraint_is_refused_by_the_members_name(
    fuzzed, operation, record_property
):
    shape = service_model().operation_model(operation).input_shape
    seen = Counter()

    @settings_for(fuzzed)
    @given(broken(shape).filter(lambda drawn: can_be_sent(operation, drawn)))
    def ask(drawn):
        request = as_sent(operation, drawn.value)
        response = fuzzed.handle(request)
        seen[drawn.kind] += 1
        assert_named(operation, drawn, response)
        check(request, response)

    ask()
    record_property("requests", seen.total())
    record_property("kinds", json.dumps(seen))


@settings(max_examples=EXAMPLES["embedded"], suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"]),
    st.text(max_size=30).map(lambda text: "/" + text),
    st.binary(max_size=60),
)
def test_any_path_and_any_bytes_get_an_answer(method, path, body):
    store = Store.open(None)
    try:
        response = CheckedService(store).handle(HttpRequest(method, path, path[1:], {}, body))
        assert 400 <= response.status < 500 or response.status == 501 or path.startswith("/domains")
        garbage = CheckedService(store).handle(HttpRequest("POST", "/domains/shop/profiles", "", {}, body))
        assert garbage.status in (400, 404)
    finally:
        store.close()
