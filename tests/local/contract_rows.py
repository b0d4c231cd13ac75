"""What rows of the contract are made of: the form of a row, and situations that many operations share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Changes = dict[str, Any]  # laid over the request that succeeds; None takes a member away


@dataclass(frozen=True)
class Row:
    """One operation.

    `gives` are values of the answer by dotted path. `bad` (400) and `missing` (404) name a situation and hold
    the changes that bring it about; a bad one also what its message must name. `never` gives the reason why
    a documented error cannot come about here.
    """

    request: Changes
    gives: dict[str, Any]
    bad: dict[str, tuple[Changes, str]]
    missing: dict[str, Changes] = field(default_factory=dict)
    never: dict[str, str] = field(default_factory=dict)


BY_SWITCH = {  # documented errors that any call can meet, and the fault that brings them about
    "ThrottlingException": ("throttle", 429),
    "AccessDeniedException": ("deny", 403),
    "InternalServerException": ("fail_before", 500),
}
NOBODY = "0" * 32
NO_DOMAIN = {"no domain": {"DomainName": "absent"}}
NO_PROFILE = {**NO_DOMAIN, "no profile": {"ProfileId": NOBODY}}
NOTHING_LOOKED_UP = {"ResourceNotFoundException": "the request names nothing that could be missing"}
DOMAIN: Changes = {"DomainName": "$domain"}
OWNER: Changes = {**DOMAIN, "ProfileId": "$ana"}
BAD_NAME: dict[str, tuple[Changes, str]] = {
    "domain name with a blank": ({"DomainName": "a b"}, "DomainName"),
    "domain name of 65": ({"DomainName": "d" * 65}, "DomainName"),
}
BAD_PROFILE_ID: dict[str, tuple[Changes, str]] = {
    **BAD_NAME,
    "dashed profile id": ({"ProfileId": "01234567-89ab-cdef-0123-456789abcdef"}, "ProfileId"),
    "no profile id": ({"ProfileId": None}, "ProfileId"),
}
BAD_PAGE: dict[str, tuple[Changes, str]] = {
    "page of none": ({"MaxResults": 0}, "MaxResults"),
    "page of 101": ({"MaxResults": 101}, "MaxResults"),
    "page size in words": ({"MaxResults": "ten"}, "MaxResults"),
    "forged token": ({"NextToken": "forged"}, "NextToken"),
}
BAD_TYPE_NAME: dict[str, tuple[Changes, str]] = {
    **BAD_NAME,
    "type name with a digit first": ({"ObjectTypeName": "1st"}, "ObjectTypeName"),
    "type name of 256": ({"ObjectTypeName": "t" * 256}, "ObjectTypeName"),
}
BAD_ARN: dict[str, tuple[Changes, str]] = {
    "arn of another service": ({"resourceArn": "arn:aws:s3:::bucket"}, "resourceArn"),
    "arn of 257": ({"resourceArn": "arn:aws:profile:" + "x" * 241}, "resourceArn"),
}
NO_RESOURCE = {
    "no such domain": {"resourceArn": "arn:aws:profile:us-east-1:000000000000:domains/absent"},
    "no such type": {"resourceArn": "$arn/object-types/absent"},
    "no such integration": {"resourceArn": "$arn/integrations/absent"},
    "another kind of thing": {"resourceArn": "$arn/profiles/x"},
    "a slash too many": {"resourceArn": "$arn/"},
}
TYPE: Changes = {
    "Description": "CRM",
    "AllowProfileCreation": True,
    "Fields": {"id": {"Source": "_source.id"}, "mail": {"Source": "_source.mail"}},
    "Keys": {"crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
}
LONG = "x" * 256
LONG_FIELDS: dict[str, tuple[Changes, str]] = {
    "a name of 256": ({"FirstName": LONG}, "FirstName"),
    "a city of 256": ({"Address": {"City": LONG}}, "Address/City"),
    "additional information of 1001": ({"AdditionalInformation": "x" * 1001}, "AdditionalInformation"),
    "an attribute of 256": ({"Attributes": {"a": LONG}}, "Attributes"),
    "an attribute without a name": ({"Attributes": {"": "1"}}, "Attributes"),
    "a gender unknown to the model": ({"Gender": "X"}, "Gender"),
    "a number for a name": ({"FirstName": 5}, "FirstName"),
    "half a surrogate pair": ({"FirstName": "\ud800"}, "FirstName"),
    "both kinds of party type": ({"PartyType": "OTHER", "PartyTypeString": "club"}, "PartyType"),
    "both kinds of gender": ({"Gender": "MALE", "GenderString": "m"}, "Gender"),
}
KEY: Changes = {**OWNER, "KeyName": "_phone", "Values": ["2065550142"]}
BAD_KEY: dict[str, tuple[Changes, str]] = {
    **BAD_PROFILE_ID,
    "a key that nobody defined": ({"KeyName": "undefined"}, "KeyName"),
    "the service's own key": ({"KeyName": "_profileId"}, "KeyName"),
    "no value": ({"Values": []}, "Values"),
    "an empty value": ({"Values": [""]}, "Values"),
    "a value of 256": ({"Values": [LONG]}, "Values"),
}
FLOW = {
    "FlowName": "daily",
    "KmsArn": "arn:aws:kms:us-east-1:000000000000:key/k",
    "Tasks": [{"SourceFields": ["a"], "TaskType": "Map", "ConnectorOperator": {"S3": "NO_OP"}}],
    "SourceFlowConfig": {"ConnectorType": "S3", "SourceConnectorProperties": {"S3": {"BucketName": "b-1"}}},
    "TriggerConfig": {"TriggerType": "OnDemand"},
}
NO_URI: dict[str, tuple[Changes, str]] = {
    **BAD_NAME,
    "no uri": ({"Uri": None}, "Uri"),
    "uri of 256": ({"Uri": LONG}, "Uri"),
}
