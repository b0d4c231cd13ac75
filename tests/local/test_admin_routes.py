"""Administrative requests that are wrong: one clear error with the member, and nothing is done."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from conftest import client_of

TYPE = {
    "ObjectTypeName": "visit",
    "Description": "a visit",
    "Fields": {"id": {"Source": "_source.id"}},
    "Keys": {"visitId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
}
ANA = "a" * 32
GOOD = {"ProfileId": ANA, "ObjectTypeName": "visit", "Object": {"id": "1"}}


def post(url, action, body):
    """(status, answer) of one administrative request about the domain."""
    request = urllib.request.Request(f"{url}/_local/domains/shop/{action}", body, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def shop(endpoint):
    client = client_of(endpoint.url)
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    client.put_profile_object_type(DomainName="shop", **TYPE)
    assert post(endpoint.url, "profiles", json.dumps({"ProfileId": ANA}).encode())[0] == 200
    return client


def lines(*values):
    return b"\n".join(value if isinstance(value, bytes) else json.dumps(value).encode() for value in values)


DEEP = b'{"ProfileId": "%s", "ObjectTypeName": "visit", "Object": {"id": "1", "z": ' % ANA.encode()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({**GOOD, "ProfileId": 5}, "line 2: ProfileId must be a string, there is a number"),
        ({**GOOD, "ProfileId": None}, "line 2: ProfileId must be a string, there is null"),
        ({**GOOD, "ProfileId": ["a"]}, "line 2: ProfileId must be a string, there is a list"),
        ({**GOOD, "ObjectTypeName": {}}, "line 2: ObjectTypeName must be a string, there is an object"),
        ({**GOOD, "ObjectTypeName": True}, "line 2: ObjectTypeName must be a string, there is a truth value"),
        ({**GOOD, "Object": '{"id": "1"}'}, "line 2: Object must be an object, there is a string"),
        ({**GOOD, "Object": [1]}, "line 2: Object must be an object, there is a list"),
        ({"ProfileId": ANA, "ObjectTypeName": "visit"}, "line 2: Object is missing"),
        ({}, "line 2: ProfileId is missing"),
        ({**GOOD, "Objects": 1}, "line 2: 'Objects' is no member"),
        (7, "line 2 is not a JSON object"),
        (b"{", "line 2 is not JSON"),
        (b"\xff\xfe", "line 2 is not JSON"),
        ({**GOOD, "ObjectTypeName": "\ud800"}, "line 2: Value at 'ObjectTypeName'"),
        ({**GOOD, "ObjectTypeName": "a b"}, "line 2: Value at 'ObjectTypeName'"),
        ({**GOOD, "ObjectTypeName": "none"}, "Object type none not found"),
        ({**GOOD, "ProfileId": "b"}, "profile 'b' is not in domain shop"),
        *((DEEP + b"[" * deep + b"]" * deep + b"}}", "inside one another") for deep in (900, 950)),
    ],
)
def test_a_wrong_line_of_objects_is_named_and_nothing_is_loaded(endpoint, shop, line, told):
    status, answer = post(endpoint.url, "objects", lines(GOOD, line))
    assert (status, told in answer["Message"]) == (400, True), answer
    assert shop.get_domain(DomainName="shop")["Stats"]["ObjectCount"] == 0
    assert post(endpoint.url, "objects", lines(GOOD)) == (200, {"Count": 1})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"ProfileId": 5}, "line 2: ProfileId must be a string, there is a number"),
        ({"ProfileId": {"a": 1}}, "line 2: ProfileId must be a string, there is an object"),
        ({"ProfileId": "b", "FirstName": 5}, "FirstName"),
        ({"ProfileId": "b", "FirstName": 0}, "FirstName"),
        ({"ProfileId": "b", "FirstName": False}, "FirstName"),
        ({"ProfileId": "b", "Address": "Main Street"}, "Address"),
        ({"ProfileId": "b", "Address": {"City": 0}}, "City"),
        ({"ProfileId": "b", "Attributes": ["a"]}, "Attributes"),
        ({"ProfileId": "b", "Nickname": "x"}, "Nickname"),
        ([], "line 2 is not a JSON object"),
    ],
)
def test_a_wrong_profile_is_named_and_nothing_is_loaded(endpoint, shop, line, told):
    status, answer = post(endpoint.url, "profiles", lines({"FirstName": "Ben"}, line))
    assert (status, told in answer["Message"]) == (400, True), answer
    assert shop.get_domain(DomainName="shop")["Stats"]["ProfileCount"] == 1


def test_a_defect_is_an_answer_in_the_form_of_all_others(endpoint, shop, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("resolver.local.admin_routes.load_profiles", fail)
    status, answer = post(endpoint.url, "profiles", b"{}")
    assert (status, answer["Message"]) == (500, "the embedded service failed; see its log")


@pytest.mark.parametrize(("path", "status"), [("profiles", 400), ("matching-job", 404), ("objects", 400)])
def test_a_domain_that_cannot_be_is_refused(endpoint, path, status):
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{endpoint.url}/_local/domains/{'x' * 65}%FF/{path}", lines(GOOD), method="POST"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)  # noqa: S310 - loopback
    with refused.value as answer:
        assert (answer.code, "domain" in answer.read().decode().lower()) == (status, True)
