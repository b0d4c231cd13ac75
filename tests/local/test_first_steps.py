"""The main job's calls, end to end, through an unmodified boto3."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from resolver.local.loading import BadProfile, load_profiles, stable_id
from resolver.local.matching_job import run_matching_job

CRM = {
    "Description": "customers of the CRM",
    "AllowProfileCreation": True,
    "Fields": {
        "id": {"Source": "_source.id"},
        "mail": {
            "Source": "_source.mail",
            "Target": "_profile.EmailAddress",
            "ContentType": "EMAIL_ADDRESS",
        },
    },
    "Keys": {
        "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}],
        "_email": [{"StandardIdentifiers": ["PROFILE"], "FieldNames": ["mail"]}],
    },
}


def test_two_spellings_of_a_number_find_both_profiles_and_a_merge_leaves_one(client, domain):
    ana = client.create_profile(DomainName=domain, FirstName="Ana", PhoneNumber="206 345 7890")["ProfileId"]
    ruiz = client.create_profile(DomainName=domain, LastName="Ruiz", HomePhoneNumber="+1 (206) 345-7890")[
        "ProfileId"
    ]
    asked = {"DomainName": domain, "KeyName": "_phone", "Values": ["12063457890"]}
    assert [item["ProfileId"] for item in client.search_profiles(**asked)["Items"]] == [ana, ruiz]
    client.merge_profiles(DomainName=domain, MainProfileId=ana, ProfileIdsToBeMerged=[ruiz])
    (survivor,) = client.search_profiles(**asked)["Items"]
    assert (survivor["ProfileId"], survivor["FirstName"], survivor["LastName"]) == (ana, "Ana", "Ruiz")
    assert client.get_domain(DomainName=domain)["Stats"]["ProfileCount"] == 1
    answer = client.batch_get_profile(DomainName=domain, ProfileIds=[ana, ruiz])
    assert [error["ProfileId"] for error in answer["Errors"]] == [ruiz]


def test_an_object_makes_a_profile_that_its_keys_find(client, domain):
    client.put_profile_object_type(DomainName=domain, ObjectTypeName="crm", **CRM)
    body = json.dumps({"id": 5, "mail": "A@b.c"})
    key = client.put_profile_object(DomainName=domain, ObjectTypeName="crm", Object=body)
    (found,) = client.search_profiles(DomainName=domain, KeyName="crmId", Values=["5"])["Items"]
    assert found["EmailAddress"] == "A@b.c"
    (listed,) = client.list_profile_objects(
        DomainName=domain, ObjectTypeName="crm", ProfileId=found["ProfileId"]
    )["Items"]
    assert listed["ProfileObjectUniqueKey"] == key["ProfileObjectUniqueKey"]
    assert json.loads(listed["Object"]) == {"id": 5, "mail": "A@b.c"}


def test_the_matching_job_groups_profiles_and_stays_frozen_after_a_merge(client, domain, store):
    ids = [
        client.create_profile(DomainName=domain, FirstName="Ana", LastName="Ruiz", EmailAddress="a@x.io")[
            "ProfileId"
        ]
        for _ in range(2)
    ]
    assert client.get_matches(DomainName=domain)["PotentialMatches"] == 0
    run_matching_job(store, domain, datetime(2026, 1, 3, tzinfo=UTC))
    client.merge_profiles(DomainName=domain, MainProfileId=ids[0], ProfileIdsToBeMerged=[ids[1]])
    answer = client.get_matches(DomainName=domain)
    assert answer["MatchGenerationDate"] == datetime(2026, 1, 3, tzinfo=UTC)
    assert [match["ProfileIds"] for match in answer["Matches"]] == [ids]


def test_a_bulk_load_is_all_or_nothing_and_its_ids_are_stable(client, store):
    good = [{"ProfileId": "crm-1", "FirstName": "Ana", "LastName": ""}, {"ProfileId": "f" * 32}]
    with pytest.raises(BadProfile, match=r"'crm-2'.*EmailAddress"):
        load_profiles(store, "loaded", [*good, {"ProfileId": "crm-2", "EmailAddress": "x" * 256}])
    assert client.list_domains()["Items"] == []
    report = load_profiles(store, "loaded", good)
    assert report.mapping == {"crm-1": stable_id("loaded", "crm-1"), "f" * 32: "f" * 32}
    answer = client.batch_get_profile(DomainName="loaded", ProfileIds=list(report.mapping.values()))
    assert answer["Profiles"][0] == {"ProfileId": report.mapping["crm-1"], "FirstName": "Ana"}
    with pytest.raises(BadProfile, match="already in domain"):
        load_profiles(store, "loaded", good)


def test_an_operation_that_is_not_here_answers_501_and_names_itself(client, domain):
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.get_workflow(DomainName=domain, WorkflowId="a" * 32)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "GetWorkflow" in refused.value.response["Error"]["Message"]
