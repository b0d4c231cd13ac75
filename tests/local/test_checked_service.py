"""The check that every answer goes through refuses whatever the model does not allow."""

from __future__ import annotations

import json

import pytest
from checked_service import check, check_output

from resolver.local.refusal import BadRequest, NotFound, Throttled, UnknownPath
from resolver.local.shapes import Violation
from resolver.local.wire import HttpRequest, HttpResponse, render_refusal

DOMAIN = {"DomainName": "d", "DefaultExpirationDays": 1, "CreatedAt": 1.5, "LastUpdatedAt": 2}
STATS = {"ProfileCount": 1, "MeteringProfileCount": 1, "ObjectCount": 0, "TotalSize": 0}
PROFILE = {"ProfileId": "0" * 32, "Address": {"City": "Ulm"}, "Attributes": {"a": "1"}, "Gender": "MALE"}
GOOD = {
    "GetDomain": {**DOMAIN, "Stats": STATS, "Tags": {"a": ""}},
    "SearchProfiles": {"Items": [{**PROFILE, "FoundByItems": [{"KeyName": "_phone", "Values": ["5"]}]}]},
    "GetMatches": {"PotentialMatches": 1, "Matches": [{"MatchId": "m", "ProfileIds": ["0" * 32]}]},
    "UntagResource": {},
}
WRONG = {
    "a required member is missing": ("GetDomain", {"CreatedAt": 1, "LastUpdatedAt": 1}),
    "an unknown member": ("GetDomain", {**DOMAIN, "Nickname": "x"}),
    "an unknown member deeper down": ("GetDomain", {**DOMAIN, "Stats": {**STATS, "Extra": 1}}),
    "a null": ("GetDomain", {**DOMAIN, "DeadLetterQueueUrl": None}),
    "a null in a map": ("GetDomain", {**DOMAIN, "Tags": {"a": None}}),
    "text for a number": ("GetDomain", {**DOMAIN, "DefaultExpirationDays": "1"}),
    "a number for text": ("GetDomain", {**DOMAIN, "DomainName": 5}),
    "true for a number": ("GetDomain", {**DOMAIN, "Stats": {**STATS, "ProfileCount": True}}),
    "a number out of range": ("GetDomain", {**DOMAIN, "DefaultExpirationDays": 1099}),
    "milliseconds": ("GetDomain", {**DOMAIN, "CreatedAt": 1_700_000_000_000}),
    "a date in words": ("GetDomain", {**DOMAIN, "CreatedAt": "2026-01-01T00:00:00Z"}),
    "a pattern broken": ("GetDomain", {**DOMAIN, "DomainName": "a b"}),
    "a text too long": ("GetDomain", {**DOMAIN, "DeadLetterQueueUrl": "x" * 256}),
    "a map too short": ("GetDomain", {**DOMAIN, "Tags": {}}),
    "an enum broken": ("SearchProfiles", {"Items": [{**PROFILE, "Gender": "X"}]}),
    "an empty text": ("SearchProfiles", {"Items": [{**PROFILE, "NextToken": ""}]}),
    "an id that is none": ("SearchProfiles", {"Items": [{**PROFILE, "ProfileId": "x"}]}),
    "a list that is none": ("SearchProfiles", {"Items": {}}),
    "six keys that found it": (
        "SearchProfiles",
        {"Items": [{"FoundByItems": [{"KeyName": "_phone", "Values": ["5"]}] * 6}]},
    ),
    "a count below none": ("GetMatches", {"PotentialMatches": -1}),
    "no object at all": ("UntagResource", []),
    "more than nothing": ("UntagResource", {"Message": "OK"}),
}
GET = HttpRequest("GET", "/domains/d")


@pytest.mark.parametrize("operation", sorted(GOOD))
def test_an_answer_of_the_models_shape_passes(operation):
    check_output(operation, GOOD[operation])


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_an_answer_of_another_shape_is_caught(wrong):
    operation, content = WRONG[wrong]
    with pytest.raises((Violation, AssertionError)):
        check_output(operation, content)


def test_an_error_must_be_one_that_the_operation_documents():
    for refusal in (BadRequest("x"), NotFound("x"), Throttled("x")):
        check(GET, render_refusal(refusal))
    check(HttpRequest("GET", "/nowhere"), render_refusal(UnknownPath("x")))
    good = render_refusal(NotFound("x"))
    for status, headers, body in (
        (400, {}, b'{"Message":"x"}'),
        (404, {"x-amzn-ErrorType": "ConflictException"}, b'{"Message":"x"}'),
        (404, {}, b'{"message":"x"}'),
        (404, {}, b'{"Message":""}'),
    ):
        with pytest.raises(AssertionError):
            check(GET, HttpResponse(status, {**good.headers, **headers}, body))
    nan = json.dumps({**DOMAIN, "CreatedAt": float("nan")}).encode()
    with pytest.raises(ValueError, match="NaN"):
        check(GET, HttpResponse(200, {**good.headers}, nan))
