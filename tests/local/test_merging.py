"""What a merge leaves behind: fields, keys, objects, provenance."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from checked_service import CheckedService
from conftest import client_of

from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.request import Settings

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


def test_what_was_found_by_a_value_of_a_deleted_type_is_found_by_it_no_more(shop):
    """The keys of profiles and objects that merges ended go with the type that their values came from."""
    fields = {**CRM["Fields"], "who": {"Source": "_source.who", "Target": "_profile.LastName"}}
    fields["phone"] = {"Source": "_source.phone", "Target": "_profile.PhoneNumber"}
    shop.put_profile_object_type(**HERE, ObjectTypeName="crm", **{**CRM, "Fields": fields})
    first, second = (
        create(shop, FirstName="Ana", MobilePhoneNumber="2065550101"),
        create(shop, FirstName="Bo"),
    )
    for profile_id, number in ((first, "1"), (second, "2")):
        shop.add_profile_key(**HERE, ProfileId=profile_id, KeyName="crmId", Values=[number])
        ingest(shop, id=number, who="Ruiz", phone=f"206555010{number}", mail=f"{number}@x.io")
    main = create(shop, FirstName="Eva", PhoneNumber="2065550199", EmailAddress="m@x.io")
    merge(shop, first, second)
    merge(shop, main, first)
    asked = [("_fullName", name) for name in ("ana ruiz", "bo ruiz", "eva ruiz")]
    asked += [("_phone", f"206555010{digit}") for digit in "129"] + [
        ("_email", f"{digit}@x.io") for digit in "12m"
    ]
    assert [found(shop, *key) for key in asked if key[1] != "2065550109"] == [[main]] * 8
    shop.delete_profile_object_type(**HERE, ObjectTypeName="crm")
    left = [value for key, value in asked if found(shop, key, value)]
    assert left == ["2065550101", "m@x.io"]  # a person typed the one as a mobile number, and the other


def test_the_keys_of_an_older_twin_go_with_its_type(shop):
    ids = [create(shop, EmailAddress=f"{name}@x.io") for name in "ab"]
    ingest(shop, id="1", mail="a@x.io")
    shop.add_profile_key(**HERE, ProfileId=ids[1], KeyName="crmId", Values=["1"])
    ingest(shop, id="1", mail="b@x.io")
    for profile_id in ids:
        shop.update_profile(**HERE, ProfileId=profile_id, EmailAddress="")
    merge(shop, *ids)
    assert [found(shop, "_email", f"{name}@x.io") for name in "ab"] == [[ids[0]]] * 2
    # what profiles were found by themselves had gone: only the objects' keys lead here
    shop.delete_profile_object_type(**HERE, ObjectTypeName="crm")
    assert [found(shop, "_email", f"{name}@x.io") for name in "ab"] == [[], []]


@pytest.fixture
def alias(store):
    client = client_of()
    attach(client, CheckedService(store, Settings(victim_alias=True)))
    client.create_domain(**HERE, DefaultExpirationDays=30)
    return client


def test_a_merged_id_leads_to_the_end_of_all_merges_even_if_it_was_loaded_again(alias, store):
    a, b, c = "a" * 32, "b" * 32, "c" * 32
    load_profiles(store, "shop", [{"ProfileId": a}, {"ProfileId": b}, {"ProfileId": c}])
    merge(alias, a, c)
    merge(alias, b, a)
    assert [found(alias, "_profileId", one) for one in (a, b, c)] == [[b], [b], [b]]
    load_profiles(store, "shop", [{"ProfileId": a}])
    assert [found(alias, "_profileId", one) for one in (a, b, c)] == [[a], [b], [b]]
    merge(alias, a, b)
    assert [found(alias, "_profileId", one) for one in (a, b, c)] == [[a], [a], [a]]
    alias.delete_profile(**HERE, ProfileId=a)
    assert [found(alias, "_profileId", one) for one in (a, b, c)] == [[], [], []]
    load_profiles(store, "shop", [{"ProfileId": a}])
    assert [found(alias, "_profileId", one) for one in (a, b, c)] == [[a], [], []]


def test_a_survivor_is_no_larger_than_a_profile_with_its_objects_may_be(shop, monkeypatch):
    ids = [create(shop, FirstName="Ana") for _ in range(2)]
    most = 2_039_000
    monkeypatch.setattr("resolver.local.operations.profiles.MOST_TOTAL_BYTES", most)
    for number in range(8):
        profile_id = ids[number % 2]
        shop.add_profile_key(**HERE, ProfileId=profile_id, KeyName="crmId", Values=[str(number)])
        ingest(shop, id=str(number), text="x" * 254_900)
    before = shop.get_domain(**HERE)["Stats"]
    assert before["TotalSize"] > most
    with pytest.raises(ClientError, match=f"at most {most} bytes"):
        merge(shop, *ids)
    assert shop.get_domain(**HERE)["Stats"] == before
    assert [found(shop, "_profileId", one) for one in ids] == [[one] for one in ids]
    (last, *_) = shop.list_profile_objects(**HERE, ObjectTypeName="crm", ProfileId=ids[1], MaxResults=1)[
        "Items"
    ]
    gone = {name: last[name] for name in ("ObjectTypeName", "ProfileObjectUniqueKey")}
    shop.delete_profile_object(**HERE, ProfileId=ids[1], **gone)
    merge(shop, *ids)
    assert shop.get_domain(**HERE)["Stats"]["TotalSize"] <= most


def test_an_update_makes_no_profile_larger_than_it_may_be_with_its_objects(shop, monkeypatch):
    profile_id = create(shop, FirstName="Ana")
    shop.add_profile_key(**HERE, ProfileId=profile_id, KeyName="crmId", Values=["1"])
    ingest(shop, id="1", text="x" * 254_900)
    size = shop.get_domain(**HERE)["Stats"]["TotalSize"]
    monkeypatch.setattr("resolver.local.operations.profiles.MOST_TOTAL_BYTES", size + 30)
    with pytest.raises(ClientError, match=f"at most {size + 30} bytes"):
        shop.update_profile(**HERE, ProfileId=profile_id, LastName="R" * 100)
    assert shop.get_domain(**HERE)["Stats"]["TotalSize"] == size
    shop.update_profile(**HERE, ProfileId=profile_id, LastName="Ruiz")
    assert found(shop, "_fullName", "ana ruiz") == [profile_id]
