from __future__ import annotations

import json
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from conftest import client_of

from resolver.local.faults import Faults
from resolver.local.request import Settings
from resolver.local.server import running
from resolver.local.service import Service


@pytest.fixture
def served(store):
    """A service with its switches in reach, and a client."""
    service = Service(store, Settings(faults=Faults()))
    with running(service) as url:
        client = client_of(url)
        client.create_domain(DomainName="shop", DefaultExpirationDays=30)
        yield url, client
        client.close()


def ask(url, method, path, content=None):
    """(status, answer) of one administrative request."""
    body = None if content is None else json.dumps(content, indent=1).encode()
    request = urllib.request.Request(f"{url}/_local/{path}", body, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def count(client):
    return client.get_domain(DomainName="shop")["Stats"]["ProfileCount"]


def test_the_switches_are_out_of_reach_unless_asked_for(endpoint):
    fault = {"Operation": "CreateProfile", "Kind": "throttle"}
    for method, path, content in (("GET", "switches", None), ("POST", "faults", fault)):
        status, answer = ask(endpoint.url, method, path, content)
        assert (status, "--admin" in answer["Message"]) == (404, True)
    client_of(endpoint.url).create_domain(DomainName="shop", DefaultExpirationDays=30)


@pytest.mark.parametrize(
    ("kind", "raised", "done"),
    [
        ("throttle", ClientError, 0),
        ("fail_before", ClientError, 0),
        ("fail_after", ClientError, 1),
        ("reset_after", ConnectionClosedError, 1),
        ("delay_after", ReadTimeoutError, 1),
    ],
)
def test_a_fault_planned_over_http_hits_the_next_call(served, kind, raised, done):
    url, client = served
    fault = {"Kind": kind, "Times": 1, "Seconds": 4.0}
    status, planned = ask(url, "POST", "faults", {"Operation": "CreateProfile", **fault})
    assert (status, planned) == (200, {"CreateProfile": [{"Skip": 0, **fault}]})
    seconds = 3 if kind == "delay_after" else 60
    config = Config(read_timeout=seconds, retries={"total_max_attempts": 1})
    impatient = boto3.client("customer-profiles", endpoint_url=url, config=config)
    with pytest.raises(raised):
        impatient.create_profile(DomainName="shop")
    impatient.close()
    assert count(client) == done
    assert ask(url, "GET", "faults") == (200, {})
    client.create_profile(DomainName="shop")


def test_planned_faults_can_be_forgotten(served):
    url, client = served
    ask(url, "POST", "faults", {"Operation": "CreateProfile", "Kind": "throttle"})
    assert ask(url, "DELETE", "faults") == (200, {})
    client.create_profile(DomainName="shop")


def test_quotas_throttle_at_the_documented_rate_once_switched_on(served):
    url, client = served
    assert ask(url, "PUT", "switches", {"Quotas": True})[1]["Quotas"] is True
    answered = []
    for _ in range(5):  # a second's worth is one
        try:
            client.update_domain(DomainName="shop")
        except ClientError as error:
            answered.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
        else:
            answered.append(200)
    assert answered[0] == 200
    assert 429 in answered


def test_switches_change_how_the_next_calls_are_served(served):
    url, client = served
    changed = {"MergeWinner": "hostile", "VictimAlias": True, "ConsistencyDelaySeconds": 3600}
    _, state = ask(url, "PUT", "switches", changed)
    assert state == {"StrictValues": False, "Quotas": False, **changed}
    main, ben, carl = (
        client.create_profile(DomainName="shop", **fields)["ProfileId"]
        for fields in ({"LastName": "A"}, {"FirstName": "B"}, {"FirstName": "C"})
    )
    client.merge_profiles(DomainName="shop", MainProfileId=main, ProfileIdsToBeMerged=[ben, carl])
    (found,) = client.search_profiles(DomainName="shop", KeyName="_profileId", Values=[carl])["Items"]
    assert (found["ProfileId"], found["FirstName"]) == (main, "C")
    body = '{"ContactId": "1", "CustomerEndpoint": {"Address": "2065550100"}}'
    client.put_profile_object(DomainName="shop", ObjectTypeName="CTR", Object=body)
    assert client.get_domain(DomainName="shop")["Stats"]["ObjectCount"] == 0


@pytest.mark.parametrize(
    ("request_line", "content", "named"),
    [
        ("PUT switches", {"VictimAlias": True, "MergeWinner": "first"}, "MergeWinner"),
        ("PUT switches", {"Speed": 1}, "Speed"),
        ("PUT switches", {"ConsistencyDelaySeconds": -1}, "ConsistencyDelaySeconds"),
        ("PUT switches", ["Quotas"], "object"),
        ("POST faults", {"Operation": "Merge", "Kind": "throttle"}, "Operation"),
        ("POST faults", {"Operation": ["MergeProfiles"], "Kind": "throttle"}, "Operation"),
        ("POST faults", {"Operation": "MergeProfiles"}, "Kind"),
        ("POST faults", {"Operation": "MergeProfiles", "Kind": "throttle", "Times": 0}, "Times"),
        ("POST faults", {"Operation": "MergeProfiles", "Kind": "throttle", "When": 1}, "When"),
    ],
)
def test_a_wrong_switch_or_fault_is_named_and_changes_nothing(served, request_line, content, named):
    url, _ = served
    before = ask(url, "GET", "switches"), ask(url, "GET", "faults")
    status, answer = ask(url, *request_line.split(), content)
    assert (status, named in answer["Message"]) == (400, True)
    assert (ask(url, "GET", "switches"), ask(url, "GET", "faults")) == before


@pytest.mark.parametrize(("method", "path"), [("PATCH", "switches"), ("GET", "nothing"), ("GET", "")])
def test_an_unknown_administrative_request_is_a_404(served, method, path):
    assert ask(served[0], method, path)[0] == 404
