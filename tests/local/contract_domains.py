"""The contract of domains, object types, templates, integrations and tags."""

from __future__ import annotations

from contract_rows import (
    BAD_ARN,
    BAD_NAME,
    BAD_PAGE,
    BAD_TYPE_NAME,
    DOMAIN,
    FLOW,
    LONG,
    NO_DOMAIN,
    NO_RESOURCE,
    NO_URI,
    NOTHING_LOOKED_UP,
    TYPE,
    Row,
)

DOMAINS: dict[str, Row] = {
    "CreateDomain": Row(
        {"DomainName": "$fresh", "DefaultExpirationDays": 30, "Tags": {"team": "a"}},
        {"DomainName": "$fresh", "DefaultExpirationDays": 30, "Tags.team": "a"},
        {
            **BAD_NAME,
            "the name is taken": ({"DomainName": "$domain"}, "already exists"),
            "no expiry": ({"DefaultExpirationDays": None}, "DefaultExpirationDays"),
            "expiry after 1099 days": ({"DefaultExpirationDays": 1099}, "DefaultExpirationDays"),
            "an aws tag": ({"Tags": {"aws:x": "1"}}, "Tags"),
            "51 tags": ({"Tags": {f"k{n}": "" for n in range(51)}}, "Tags"),
            "matching neither on nor off": ({"Matching": {}}, "Matching/Enabled"),
            "a queue address of 256": ({"DeadLetterQueueUrl": LONG}, "DeadLetterQueueUrl"),
        },
        never=NOTHING_LOOKED_UP,
    ),
    "GetDomain": Row(DOMAIN, {"DomainName": "$domain", "Stats.ProfileCount": 2}, BAD_NAME, NO_DOMAIN),
    "UpdateDomain": Row(
        {**DOMAIN, "DefaultExpirationDays": 7},
        {"DefaultExpirationDays": 7},
        {
            **BAD_NAME,
            "expiry after no days": ({"DefaultExpirationDays": 0}, "DefaultExpirationDays"),
            "a weekday unknown to the model": (
                {"Matching": {"Enabled": True, "JobSchedule": {"DayOfTheWeek": "FUNDAY", "Time": "00:00"}}},
                "Matching/JobSchedule/DayOfTheWeek",
            ),
        },
        NO_DOMAIN,
    ),
    "DeleteDomain": Row(DOMAIN, {"Message": "OK"}, BAD_NAME, NO_DOMAIN),
    "ListDomains": Row({"MaxResults": 100}, {}, BAD_PAGE, never=NOTHING_LOOKED_UP),
    "PutProfileObjectType": Row(
        {**DOMAIN, "ObjectTypeName": "shop", **TYPE},
        {"ObjectTypeName": "shop", "Fields.id.Source": "_source.id", "AllowProfileCreation": True},
        {
            **BAD_TYPE_NAME,
            "a standard object": ({"ObjectTypeName": "_order"}, "ObjectTypeName"),
            "no description": ({"Description": None}, "Description"),
            "neither template nor fields": ({"Fields": None}, "Fields"),
            "template and fields": ({"TemplateId": "CTR"}, "TemplateId"),
            "a content type unknown to the model": (
                {"Fields": {"id": {"Source": "_source.id", "ContentType": "DATE"}}},
                "ContentType",
            ),
        },
        NO_DOMAIN,
    ),
    "GetProfileObjectType": Row(
        {**DOMAIN, "ObjectTypeName": "crm"},
        {"ObjectTypeName": "crm", "Description": "CRM", "AllowProfileCreation": True},
        BAD_TYPE_NAME,
        {**NO_DOMAIN, "no type": {"ObjectTypeName": "absent"}},
    ),
    "ListProfileObjectTypes": Row(
        DOMAIN, {"Items.0.ObjectTypeName": "crm"}, {**BAD_NAME, **BAD_PAGE}, NO_DOMAIN
    ),
    "DeleteProfileObjectType": Row(
        {**DOMAIN, "ObjectTypeName": "crm"},
        {"Message": "OK"},
        BAD_TYPE_NAME,
        {**NO_DOMAIN, "no type": {"ObjectTypeName": "absent"}},
    ),
    "ListProfileObjectTypeTemplates": Row(
        {}, {"Items.0.TemplateId": "CTR"}, BAD_PAGE, never=NOTHING_LOOKED_UP
    ),
    "GetProfileObjectTypeTemplate": Row(
        {"TemplateId": "CTR"},
        {"TemplateId": "CTR", "SourceName": "Connect"},
        {"template id with a blank": ({"TemplateId": "a b"}, "TemplateId")},
        {"no template": {"TemplateId": "absent"}},
    ),
    "PutIntegration": Row(
        {**DOMAIN, "Uri": "arn:aws:s3:::$domain/new", "ObjectTypeName": "crm", "Tags": {"a": "1"}},
        {"DomainName": "$domain", "ObjectTypeName": "crm", "Tags.a": "1"},
        {
            **BAD_NAME,
            "uri of 256": ({"Uri": LONG}, "Uri"),
            "neither uri nor flow": ({"Uri": None}, "Uri"),
            "a uri of another domain": ({"Uri": "$uri", "DomainName": "$still"}, "Uri"),
            "a connector unknown to the model": (
                {
                    "FlowDefinition": {
                        **FLOW,
                        "SourceFlowConfig": {"ConnectorType": "SAP", "SourceConnectorProperties": {}},
                    }
                },
                "FlowDefinition/SourceFlowConfig/ConnectorType",
            ),
            "a flow without a trigger": (
                {"FlowDefinition": {name: FLOW[name] for name in FLOW if name != "TriggerConfig"}},
                "FlowDefinition/TriggerConfig",
            ),
        },
        NO_DOMAIN,
    ),
    "GetIntegration": Row(
        {**DOMAIN, "Uri": "$uri"},
        {"Uri": "$uri", "ObjectTypeName": "crm"},
        NO_URI,
        {**NO_DOMAIN, "no integration": {"Uri": "absent"}, "elsewhere": {"DomainName": "$still"}},
    ),
    "DeleteIntegration": Row(
        {**DOMAIN, "Uri": "$uri"},
        {"Message": "OK"},
        NO_URI,
        {**NO_DOMAIN, "no integration": {"Uri": "absent"}, "elsewhere": {"DomainName": "$still"}},
    ),
    "ListIntegrations": Row(
        {**DOMAIN, "IncludeHidden": True}, {"Items.0.Uri": "$uri"}, {**BAD_NAME, **BAD_PAGE}, NO_DOMAIN
    ),
    "ListAccountIntegrations": Row(
        {"Uri": "$uri", "IncludeHidden": False},
        {"Items.0.DomainName": "$domain"},
        {**BAD_PAGE, "no uri": ({"Uri": None}, "Uri")},
        never={"ResourceNotFoundException": "a Uri without an integration has an empty list (assumed)"},
    ),
    "ListTagsForResource": Row({"resourceArn": "$arn"}, {"tags.team": "a"}, BAD_ARN, NO_RESOURCE),
    "TagResource": Row(
        {"resourceArn": "$arn/integrations/$uri", "tags": {"cost;centre": "ß"}},
        {},
        {
            **BAD_ARN,
            "no tags": ({"tags": {}}, "tags"),
            "an aws tag": ({"tags": {"aws:x": "1"}}, "tags"),
            "a tag with a blank": ({"tags": {"a b": "1"}}, "tags"),
            "a tag of 129": ({"tags": {"k" * 129: "1"}}, "tags"),
            "a value of 257": ({"tags": {"k": "v" * 257}}, "tags"),
            "more than 50 in all": (
                {"resourceArn": "$arn", "tags": {f"k{n}": "" for n in range(50)}},
                "tags",
            ),
        },
        NO_RESOURCE,
    ),
    "UntagResource": Row(
        {"resourceArn": "$arn/object-types/crm", "tagKeys": ["team", "absent"]},
        {},
        {
            **BAD_ARN,
            "no keys": ({"tagKeys": []}, "tagKeys"),
            "51 keys": ({"tagKeys": [f"k{n}" for n in range(51)]}, "tagKeys"),
            "a key with a blank": ({"tagKeys": ["a b"]}, "tagKeys"),
        },
        NO_RESOURCE,
    ),
}
