"""What the service takes at most, and that nothing beyond it is a failure of ours."""

from __future__ import annotations

import json

import pytest
from checked_service import CheckedService

from resolver.local.wire import HttpRequest

TYPE = {
    "Description": "CRM",
    "AllowProfileCreation": True,
    "Fields": {"id": {"Source": "_source.id"}},
    "Keys": {"crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
}
MOST_VALUES = 1000


def send(service, method, path, body):
    """(status, content) of a request whose body is JSON, or text that is sent as it is."""
    text = body if isinstance(body, str) else json.dumps(body)
    answer = service.handle(HttpRequest(method, f"/domains/{path}", "", {}, text.encode()))
    return answer.status, json.loads(answer.body)


@pytest.fixture
def shop(store):
    """A service with a domain, a type, and a profile that has an object."""
    service = CheckedService(store)
    send(service, "POST", "shop", {"DefaultExpirationDays": 30})
    send(service, "PUT", "shop/object-types/crm", TYPE)
    send(service, "PUT", "shop/profiles/objects", {"ObjectTypeName": "crm", "Object": '{"id": "1"}'})
    return service


def asking(member, profile_id, values):
    """A request with these search values in the place that the member names."""
    one, few = {"KeyName": "crmId", "Values": values}, {"KeyName": "crmId", "Values": ["1"]}
    return {
        "Values": ("shop/profiles/search", one),
        "AdditionalSearchKeys/0/Values": ("shop/profiles/search", {**few, "AdditionalSearchKeys": [one]}),
        "ObjectFilter/Values": (
            "shop/profiles/objects",
            {"ObjectTypeName": "crm", "ProfileId": profile_id, "ObjectFilter": one},
        ),
        "Values in keys": ("shop/profiles/keys", {**one, "ProfileId": profile_id}),
        "Values in keys/delete": ("shop/profiles/keys/delete", {**one, "ProfileId": profile_id}),
    }[member]


@pytest.mark.parametrize(
    "member",
    [
        "Values",
        "AdditionalSearchKeys/0/Values",
        "ObjectFilter/Values",
        "Values in keys",
        "Values in keys/delete",
    ],
)
def test_a_key_has_a_thousand_values_at_most(shop, member):
    found = send(shop, "POST", "shop/profiles/search", {"KeyName": "crmId", "Values": ["1"]})[1]
    profile_id = found["Items"][0]["ProfileId"]
    for count, status in ((MOST_VALUES, 200), (MOST_VALUES + 1, 400), (300_000, 400)):
        values = ["1"] * count if "keys" in member else [str(number) for number in range(count)]
        got, content = send(shop, "POST", *asking(member, profile_id, values))
        assert got == status, content
        if status == 400:
            name = member.partition(" ")[0]
            assert f"Value at '{name}' failed to satisfy constraint" in content["Message"]
        elif "Items" in content:
            assert len(content["Items"]) == 1


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e400", "-1e400", "1e300", "1e13"])
def test_a_moment_that_no_calendar_has_is_refused_by_name(shop, number):
    flow = {
        "FlowName": "flow",
        "KmsArn": "arn:aws:kms:us-east-1:1:key/k",
        "SourceFlowConfig": {"ConnectorType": "S3", "SourceConnectorProperties": {}},
        "Tasks": [],
        "TriggerConfig": {
            "TriggerType": "Scheduled",
            "TriggerProperties": {
                "Scheduled": {"ScheduleExpression": "rate(1hours)", "ScheduleStartTime": 0}
            },
        },
    }
    text = json.dumps({"ObjectTypeName": "crm", "FlowDefinition": flow})
    status, content = send(shop, "PUT", "shop/integrations", text)
    assert status == 200, content
    status, content = send(shop, "PUT", "shop/integrations", text.replace('Time": 0', f'Time": {number}'))
    assert (status, "ScheduleStartTime'" in content["Message"]) == (400, True)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e400", "-1e400"])
def test_a_score_that_is_not_finite_is_refused_by_name(shop, number):
    merging = {
        "Enabled": True,
        "MinAllowedConfidenceScoreForMerging": 0,
        "Consolidation": {"MatchingAttributesList": [["EmailAddress"]]},
        "ConflictResolution": {"ConflictResolvingModel": "RECENCY"},
    }
    text = json.dumps({"Matching": {"Enabled": True, "AutoMerging": merging}})
    status, content = send(shop, "PUT", "shop", text.replace('Merging": 0', f'Merging": {number}'))
    assert (status, "MinAllowedConfidenceScoreForMerging'" in content["Message"]) == (400, True)
