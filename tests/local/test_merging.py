"""What a merge leaves behind: fields, keys, objects, provenance."""

from __future__ import annotations

import json

import pytest
from checked_service import CheckedService
from conftest import client_of

from resolver.local.embed import attach

HERE = {"DomainName": "shop"}
CRM = {
    "Description": "CRM",
    "AllowProfileCreation": True,
    "Fields": {
        "id": {"Source": "_source.id"},
        "mail": {"Source": "_source.mail", "ContentType": "EMAIL_ADDRESS"},
        "name": {"Source": "_source.name", "Target": "_profile.BusinessName"},
    },
    "Keys": {
        "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}],
        "_email": [{"StandardIdentifiers": ["PROFILE", "SECONDARY"], "FieldNames": ["mail"]}],
    },
}


@pytest.fixture
def shop(store):
    client = client_of()
    attach(client, CheckedService(store))
    client.create_domain(**HERE, DefaultExpirationDays=30)
    client.put_profile_object_type(**HERE, ObjectTypeName="crm", **CRM)
    return client


def create(client, **fields):
    return client.create_profile(**HERE, **fields)["ProfileId"]


def ingest(client, **body):
    client.put_profile_object(**HERE, ObjectTypeName="crm", Object=json.dumps(body))


def merge(client, main, *merged, **donors):
    more = {"FieldSourceProfileIds": donors} if donors else {}
    client.merge_profiles(**HERE, MainProfileId=main, ProfileIdsToBeMerged=list(merged), **more)
    (left,) = client.batch_get_profile(**HERE, ProfileIds=[main])["Profiles"]
    return {name: value for name, value in left.items() if name != "ProfileId"}


def found(client, key, value):
    items = client.search_profiles(**HERE, KeyName=key, Values=[value])["Items"]
    return [item["ProfileId"] for item in items]


def test_fields_are_united_and_the_main_profile_wins_a_conflict(shop):
    main = create(shop, FirstName="Ana", Attributes={"a": "1"})
    ruiz = create(shop, LastName="Ruiz", FirstName="Anna", Attributes={"a": "2", "b": "2"})
    mail = create(shop, EmailAddress="a@x.io", LastName="Ruis")
    assert merge(shop, main, ruiz, mail) == {
        "FirstName": "Ana",
        "LastName": "Ruiz",
        "EmailAddress": "a@x.io",
        "Attributes": {"a": "1", "b": "2"},
    }


def test_a_named_source_wins_for_its_field_and_its_attribute_only(shop):
    main = create(shop, FirstName="Ana", LastName="R", Attributes={"a": "1", "b": "1"})
    other = create(shop, FirstName="Anna", LastName="Ruiz", Attributes={"a": "2", "b": "2"})
    assert merge(shop, main, other, FirstName=other, Attributes={"b": other}) == {
        "FirstName": "Anna",
        "LastName": "R",
        "Attributes": {"a": "1", "b": "2"},
    }


def test_free_party_types_and_genders_have_no_source_and_keep_the_main_value(shop):
    main = create(shop, PartyTypeString="club", GenderString="f")
    other = create(shop, PartyTypeString="firm", GenderString="x", ProfileType="PROFILE")
    assert merge(shop, main, other, ProfileType=other) == {
        "PartyTypeString": "club",
        "GenderString": "f",
        "ProfileType": "PROFILE",
    }


def test_whatever_found_a_merged_profile_finds_the_survivor(shop):
    main, other = create(shop, PhoneNumber="2065550100"), create(shop, PhoneNumber="2065550101")
    shop.add_profile_key(**HERE, ProfileId=other, KeyName="_account", Values=["9"])
    ingest(shop, id="1", mail="a@x.io")
    (third,) = found(shop, "crmId", "1")
    assert "PhoneNumber" in merge(shop, main, other, third)
    keys = {"_phone": "2065550101", "_account": "9", "crmId": "1", "_email": "A@x.io", "_profileId": main}
    assert {key: found(shop, key, value) for key, value in keys.items()} == {key: [main] for key in keys}
    assert found(shop, "_profileId", other) == []


@pytest.mark.parametrize("main_is_newer", [False, True])
def test_of_two_objects_with_one_unique_value_the_newer_is_kept_with_the_keys_of_both(shop, main_is_newer):
    ids = [create(shop, EmailAddress=mail) for mail in ("a@x.io", "b@x.io")]
    ingest(shop, id="1", mail="a@x.io")
    shop.add_profile_key(**HERE, ProfileId=ids[1], KeyName="crmId", Values=["1"])  # now it is ambiguous
    ingest(shop, id="1", mail="b@x.io")
    assert shop.get_domain(**HERE)["Stats"]["ObjectCount"] == 2
    main, other = (ids[1], ids[0]) if main_is_newer else ids
    merge(shop, main, other)
    (kept,) = shop.list_profile_objects(**HERE, ObjectTypeName="crm", ProfileId=main)["Items"]
    assert json.loads(kept["Object"])["mail"] == "b@x.io"
    assert [found(shop, "_email", mail) for mail in ("a@x.io", "b@x.io")] == [[main], [main]]
    assert shop.get_domain(**HERE)["Stats"]["ObjectCount"] == 1


def test_the_source_of_a_value_goes_with_it(shop):
    ingest(shop, id="1", name="Acme")
    (made,) = found(shop, "crmId", "1")
    main = create(shop, FirstName="Ana")
    assert merge(shop, main, made) == {"FirstName": "Ana", "BusinessName": "Acme"}
    shop.delete_profile_object_type(**HERE, ObjectTypeName="crm")
    (left,) = shop.batch_get_profile(**HERE, ProfileIds=[main])["Profiles"]
    assert left == {"ProfileId": main, "FirstName": "Ana"}
