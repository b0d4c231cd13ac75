"""Requests that nobody thought of: valid ones never fail inside, broken ones are refused by name."""

from __future__ import annotations

import json
import os

import pytest
from checked_service import MODELLED, CheckedService, check
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests_from_model import DOMAIN, OPERATIONS, PROFILE, broken, http, says_the_same, valid

from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store
from resolver.local.wire import HttpRequest, service_model

EXAMPLES = 300 if os.environ.get("RESOLVER_SOAK") else 12  # of each kind, for each of 36 operations
SETTINGS = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def fuzzed():
    store = Store.open(None)
    load_profiles(store, DOMAIN, [{"ProfileId": PROFILE, "FirstName": "Ana"}, {"ProfileId": "b" * 32}])
    yield Service(store)
    store.close()


def restore(service):
    """Requests may delete the domain or the profiles; the next ones should still find something."""
    with service.store.reading() as session:
        row = session.one("SELECT count(*) FROM profile")
    if row == (0,):
        load_profiles(service.store, DOMAIN, [{"FirstName": "Ana"}])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_valid_request_gets_a_modelled_answer(fuzzed, operation):
    shape = service_model().operation_model(operation).input_shape

    @SETTINGS
    @given(valid(shape))
    def ask(value):
        request = http(operation, value)
        response = fuzzed.handle(request)
        assert response.status != 500, response.body
        assert response.headers.get("x-amzn-ErrorType", "BadRequestException") in MODELLED
        check(request, response)
        restore(fuzzed)

    ask()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_breaks_one_constraint_is_refused_by_the_members_name(fuzzed, operation):
    shape = service_model().operation_model(operation).input_shape

    @SETTINGS
    @given(broken(shape))
    def ask(drawn):
        request = http(operation, drawn.value)
        if request is None or says_the_same(operation, drawn.value, drawn.member):
            return
        response = fuzzed.handle(request)
        assert response.status == 400, (drawn.member, response.status, response.body)
        assert drawn.member in json.loads(response.body)["Message"]

    if shape.members:
        ask()


@SETTINGS
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
