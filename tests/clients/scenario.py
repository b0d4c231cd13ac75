"""One story through all thirty operations, as data: any client can play it.

Each step is (operation, input, captures, expectations), the last two by path into the answer.
A text `$name` in an input is replaced by what an earlier step captured.
"""

from __future__ import annotations

import json
from typing import Any

D = {"DomainName": "shop"}
ARN = "arn:aws:profile:us-east-1:000000000000:domains/shop"
TYPE = {
    "Description": "CRM contacts",
    "AllowProfileCreation": True,
    "Fields": {
        "id": {"Source": "_source.id"},
        "mail": {"Source": "_source.mail", "Target": "_profile.EmailAddress", "ContentType": "EMAIL_ADDRESS"},
    },
    "Keys": {"crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
}
CRM = {**D, "ObjectTypeName": "crm"}
OBJECT = {**CRM, "Object": json.dumps({"id": "7", "mail": "Ana@x.io"})}
PHONE = {**D, "KeyName": "_phone", "Values": ["2065550100"]}
DAYS = {"DefaultExpirationDays": 30, "Matching": {"Enabled": True}, "Tags": {"team": "a"}}
Step = tuple[str, dict[str, Any], dict[str, str], dict[str, Any]]

STEPS: list[Step] = [
    ("CreateDomain", {**D, **DAYS}, {}, {"DomainName": "shop", "Tags.team": "a"}),
    ("UpdateDomain", {**D, "DefaultExpirationDays": 60}, {}, {"DefaultExpirationDays": 60}),
    ("ListDomains", {}, {}, {"Items.0.DomainName": "shop"}),
    ("TagResource", {"resourceArn": ARN, "tags": {"b": "2"}}, {}, {}),
    ("UntagResource", {"resourceArn": ARN, "tagKeys": ["team"]}, {}, {}),
    ("ListTagsForResource", {"resourceArn": ARN}, {}, {"tags.b": "2"}),
    ("ListProfileObjectTypeTemplates", {"MaxResults": 1}, {"template": "Items.0.TemplateId"}, {}),
    ("GetProfileObjectTypeTemplate", {"TemplateId": "$template"}, {}, {"SourceObject": "CTR"}),
    ("PutProfileObjectType", {**CRM, **TYPE}, {}, {"Fields.id.Source": "_source.id"}),
    ("GetProfileObjectType", CRM, {}, {"AllowProfileCreation": True}),
    ("ListProfileObjectTypes", D, {}, {"Items.0.ObjectTypeName": "crm"}),
    ("CreateProfile", {**D, "FirstName": "Ana", "PhoneNumber": "206 555 0100"}, {"ana": "ProfileId"}, {}),
    ("UpdateProfile", {**D, "ProfileId": "$ana", "LastName": "Ruíz"}, {}, {"ProfileId": "$ana"}),
    ("PutProfileObject", OBJECT, {"unique": "ProfileObjectUniqueKey"}, {}),
    (
        "SearchProfiles",
        {**D, "KeyName": "crmId", "Values": ["7"]},
        {"other": "Items.0.ProfileId"},
        {"Items.0.EmailAddress": "Ana@x.io", "Items.0.FoundByItems.0.KeyName": "crmId"},
    ),
    ("AddProfileKey", {**PHONE, "ProfileId": "$other"}, {}, {"KeyName": "_phone"}),
    ("DeleteProfileKey", {**PHONE, "ProfileId": "$other"}, {}, {}),
    ("ListProfileObjects", {**CRM, "ProfileId": "$other"}, {}, {"Items.0.ProfileObjectUniqueKey": "$unique"}),
    ("GetMatches", D, {}, {"PotentialMatches": 0}),
    (
        "MergeProfiles",
        {
            **D,
            "MainProfileId": "$ana",
            "ProfileIdsToBeMerged": ["$other"],
            "FieldSourceProfileIds": {"EmailAddress": "$other"},
        },
        {},
        {},
    ),
    ("SearchProfiles", PHONE, {}, {"Items.0.ProfileId": "$ana", "Items.0.EmailAddress": "Ana@x.io"}),
    ("GetDomain", D, {}, {"Stats.ProfileCount": 1, "Stats.ObjectCount": 1}),
    (
        "DeleteProfileObject",
        {**CRM, "ProfileId": "$ana", "ProfileObjectUniqueKey": "$unique"},
        {},
        {},
    ),
    ("PutIntegration", {**D, "Uri": "arn:aws:s3:::b/x", "ObjectTypeName": "crm"}, {}, {"DomainName": "shop"}),
    ("GetIntegration", {**D, "Uri": "arn:aws:s3:::b/x"}, {}, {"ObjectTypeName": "crm"}),
    ("ListIntegrations", D, {}, {"Items.0.Uri": "arn:aws:s3:::b/x"}),
    ("ListAccountIntegrations", {"Uri": "arn:aws:s3:::b/x"}, {}, {"Items.0.DomainName": "shop"}),
    ("DeleteIntegration", {**D, "Uri": "arn:aws:s3:::b/x"}, {}, {}),
    ("DeleteProfileObjectType", CRM, {}, {}),
    ("DeleteProfile", {**D, "ProfileId": "$ana"}, {}, {}),
    ("DeleteDomain", D, {}, {}),
]


def filled(value: Any, captured: dict[str, str]) -> Any:
    """The value with every `$name` replaced."""
    if isinstance(value, dict):
        return {key: filled(item, captured) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, captured) for item in value]
    return captured[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def at(answer: Any, path: str) -> Any:
    """What stands at a dotted path."""
    for step in path.split("."):
        answer = answer[int(step)] if step.isdigit() else answer[step]
    return answer


def checked(step: Step, answer: Any, captured: dict[str, str]) -> None:
    """Compare an answer with the step's expectations and capture what later steps need."""
    operation, _, captures, expected = step
    captured |= {name: at(answer, path) for name, path in captures.items()}
    for path, value in expected.items():
        assert at(answer, path) == filled(value, captured), (operation, path)
