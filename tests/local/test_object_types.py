"""The rules of definitions and of ingestion, one by one."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from checked_service import CheckedService
from conftest import client_of

from resolver.local.embed import attach
from resolver.local.sources import BadSource, Reading, check_source
from resolver.local.tables.objects import dead_letters

ID = {"Source": "_source.id"}
UNIQUE = {"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}
GOOD = {"Description": "x", "Fields": {"id": ID}, "Keys": {"crmId": [UNIQUE]}}


@pytest.fixture
def shop(store):
    client = client_of()
    attach(client, CheckedService(store))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    return client


def define(client, name="crm", **changes):
    return client.put_profile_object_type(DomainName="shop", ObjectTypeName=name, **{**GOOD, **changes})


def ingest(client, body, name="crm"):
    client.put_profile_object(DomainName="shop", ObjectTypeName=name, Object=json.dumps(body))


def found(client, key, value):
    return client.search_profiles(DomainName="shop", KeyName=key, Values=[value])["Items"]


def key(*identifiers, fields=("id",)):
    return [{"StandardIdentifiers": list(identifiers), "FieldNames": list(fields)}]


def field(**members):
    return {"id": ID, "f": {**ID, **members}}


BROKEN = {
    "nothing defined": {"Fields": {}, "Keys": {}},
    "template and fields": {"TemplateId": "CTR"},
    "unknown template": {"TemplateId": "none", "Fields": {}, "Keys": {}},
    "no unique key": {"Keys": {"a": key("PROFILE")}},
    "two unique keys": {"Keys": {"a": key("UNIQUE", "PROFILE"), "b": key("UNIQUE")}},
    "no profile key": {"Keys": {"a": key("UNIQUE")}},
    "only a passing profile key": {
        "AllowProfileCreation": True,
        "Keys": {"a": key("UNIQUE"), "b": key("PROFILE", "LOOKUP_ONLY")},
    },
    "unique and passing": {"Keys": {"a": key("UNIQUE", "PROFILE", "NEW_ONLY")}},
    "stored profile id": {"Keys": {"crmId": [UNIQUE], "_profileId": key("PROFILE")}},
    "unknown underscore key": {"Keys": {"crmId": [UNIQUE], "_mine": key()}},
    "forbidden key": {"Keys": {"tags": [UNIQUE]}},
    "unknown field in a key": {"Keys": {"crmId": [{**UNIQUE, "FieldNames": ["none"]}]}},
    "key without fields": {"Keys": {"crmId": [{**UNIQUE, "FieldNames": []}]}},
    "too many keys": {"Keys": {"crmId": [UNIQUE], **{f"k{n}": key() for n in range(10)}}},
    "too many fields": {"Fields": {"id": ID, **{f"f{n}": ID for n in range(250)}}},
    "field name": {"Fields": {"id": ID, "1st": ID}},
    "forbidden field": {"Fields": {"id": ID, "Tags": ID}},
    "bad handlebars": {"Fields": field(Source="{{#if a}}")},
    "unrooted source": {"Fields": field(Source="id")},
    "system target": {"Fields": field(Target="_profile.ProfileId")},
    "unknown target": {"Fields": field(Target="_profile.Nickname")},
    "unlinked standard object": {"Fields": field(Target="_order.Name")},
    "both party types": {
        "Fields": {**field(Target="_profile.PartyType"), "g": {**ID, "Target": "_profile.PartyTypeString"}}
    },
    "no timestamp format": {"SourceLastUpdatedTimestampFormat": "as it comes"},
    "timestamp format with an open quote": {"SourceLastUpdatedTimestampFormat": "yyyy-MM-dd'T"},
    "timestamp without a format": {"Fields": field(Target="_profile.SourceLastUpdatedTimestamp")},
}


@pytest.mark.parametrize("rule", sorted(BROKEN))
def test_a_definition_that_breaks_a_rule_is_refused(shop, rule):
    with pytest.raises(ClientError) as refused:
        define(shop, **BROKEN[rule])
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert shop.list_profile_object_types(DomainName="shop")["Items"] == []


def test_a_key_has_the_same_content_types_in_every_type_of_a_domain(shop):
    define(shop)
    with pytest.raises(ClientError, match="crmId"):
        define(shop, "other", Fields={"id": {**ID, "ContentType": "NAME"}})
    define(shop, "other")


def test_a_template_shares_its_keys_with_the_other_types_of_a_domain(shop):
    named = {"id": {**ID, "ContentType": "NAME"}}
    define(shop, Fields=named, Keys={"_salesforceContactId": [UNIQUE]})
    template = {"ObjectTypeName": "contact", "Description": "x", "TemplateId": "Salesforce-Contact"}
    with pytest.raises(ClientError, match="_salesforceContactId"):
        shop.put_profile_object_type(DomainName="shop", **template)
    define(shop, Keys={"_salesforceContactId": [UNIQUE]})
    shop.put_profile_object_type(DomainName="shop", **template)


def test_a_key_that_no_type_defines_any_more_leaves_the_domain_with_its_values(shop):
    define(shop, AllowProfileCreation=True)
    ingest(shop, {"id": "1"})
    assert len(found(shop, "crmId", "1")) == 1
    define(shop, Keys={"renamed": [UNIQUE]})
    with pytest.raises(ClientError, match="crmId"):
        found(shop, "crmId", "1")
    define(shop)
    assert found(shop, "crmId", "1") == []  # documented: stored objects are not processed again


def test_a_type_shows_the_default_of_profile_creation_and_what_its_limits_leave(shop):
    shown = define(shop, MaxProfileObjectCount=300)
    assert (shown["AllowProfileCreation"], shown["MaxAvailableProfileObjectCount"]) == (False, 700)
    (listed,) = shop.list_profile_object_types(DomainName="shop")["Items"]
    assert (listed["MaxProfileObjectCount"], listed["MaxAvailableProfileObjectCount"]) == (300, 700)


@pytest.mark.parametrize("given", ["EpochMilli", "EPOCHMILLI", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "d/M/yy"])
def test_a_timestamp_format_is_epoch_milliseconds_or_a_pattern(shop, given):
    fields = {"id": ID, "at": {"Source": "_source.at", "Target": "_profile.SourceLastUpdatedTimestamp"}}
    shown = define(shop, Fields=fields, SourceLastUpdatedTimestampFormat=given)
    assert shown["SourceLastUpdatedTimestampFormat"] == given


def test_handlebars_and_accessors_read_what_is_there():
    document = {"a": {"b": "O'Brien & <Co>"}, "list": ["x", "y"], "n": 5, "yes": True}
    cases = {
        "_source.a.b": "O'Brien & <Co>",
        "_source.a.none.c": "",
        "_source.n": "5",
        "{{_source.a.b}}-{{_source.n}}": "O'Brien & <Co>-5",
        "{{#if _source.yes}}y{{/if}}{{#unless _source.no}}n{{/unless}}": "yn",
        "{{#each _source.list}}{{this}};{{/each}}": "x;y;",
        "{{#with _source.a}}{{b}}{{/with}}": "O'Brien & <Co>",
        "{{#removeExtraSpace}}  {{_source.n}}   {{_source.gone}} z {{/removeExtraSpace}}": "5 z",
    }
    assert {source: Reading(document).value(source) for source in cases} == cases
    for bad in ("{{#removeExtraSpace}}x", "x{{/removeExtraSpace}}", "{{", "{{unknown 1}}"):
        with pytest.raises(BadSource):
            check_source(bad)


def test_an_ambiguous_key_is_discarded_and_the_secondary_key_decides(shop, store):
    mail = {"Source": "_source.mail", "ContentType": "EMAIL_ADDRESS"}
    phone = {"Source": "_source.phone", "ContentType": "PHONE_NUMBER"}
    keys = {
        "crmId": key("UNIQUE"),
        "_phone": key("PROFILE", fields=["phone"]),
        "_email": key("PROFILE", "SECONDARY", fields=["mail"]),
    }
    define(shop, Fields={"id": ID, "mail": mail, "phone": phone}, Keys=keys)
    for number in range(2):
        shop.create_profile(DomainName="shop", PhoneNumber="2065550100", EmailAddress=f"{number}@x.io")
    ingest(shop, {"id": "1", "phone": "206 555 0100", "mail": "1@X.io"})
    (owner,) = found(shop, "crmId", "1")
    assert owner["EmailAddress"] == "1@x.io"
    ingest(shop, {"id": "2", "phone": "206 555 0100", "mail": "none@x.io"})
    assert found(shop, "crmId", "2") == []
    with store.reading() as session:
        assert [letter[0] for letter in dead_letters(session, 1)] == ["crm"]


def test_passing_keys_are_not_kept_and_new_only_keys_only_by_the_object_that_made_the_profile(shop):
    fields = {name: {"Source": f"_source.{name}"} for name in ("id", "a", "b")}
    keys = {
        "crmId": [UNIQUE],
        "passing": key("PROFILE", "LOOKUP_ONLY", fields=["a"]),
        "fresh": key("PROFILE", "NEW_ONLY", fields=["b"]),
    }
    define(shop, Fields=fields, Keys=keys, AllowProfileCreation=True)
    ingest(shop, {"id": "1", "a": "A", "b": "B"})
    ingest(shop, {"id": "2", "b": "B"})
    ingest(shop, {"id": "1", "b": "C"})
    assert [len(found(shop, *asked)) for asked in (("passing", "A"), ("fresh", "C"), ("crmId", "2"))] == [
        0,
        0,
        1,
    ]
    assert shop.get_domain(DomainName="shop")["Stats"]["ProfileCount"] == 1


def test_a_value_set_by_hand_stays_unless_the_type_has_a_priority(shop):
    fields = {"id": ID, "name": {"Source": "_source.name", "Target": "_profile.FirstName"}}
    define(shop, Fields=fields, AllowProfileCreation=True)
    define(shop, "ranked", Fields=fields, SourcePriority=2)
    define(shop, "first", Fields=fields, SourcePriority=1)
    names = []
    for type_name, name in (
        ("crm", "a"),
        ("crm", ""),
        (None, "hand"),
        ("crm", "b"),
        ("ranked", "c"),
        ("crm", "d"),
    ):
        if type_name is None:
            owner = found(shop, "crmId", "1")[0]["ProfileId"]
            shop.update_profile(DomainName="shop", ProfileId=owner, FirstName=name)
        else:
            ingest(shop, {"id": "1", "name": name}, type_name)
        names.append(found(shop, "crmId", "1")[0]["FirstName"])
    for type_name in ("first", "ranked"):
        ingest(shop, {"id": "1", "name": type_name}, type_name)
        names.append(found(shop, "crmId", "1")[0]["FirstName"])
    assert names == ["a", "a", "hand", "hand", "c", "c", "first", "first"]


def test_an_inferred_profile_takes_its_contact_fields_without_a_target(shop):
    fields = {
        "id": ID,
        "mail": {"Source": "_source.mail", "ContentType": "EMAIL_ADDRESS"},
        "phone": {"Source": "_source.phone", "ContentType": "PHONE_NUMBER"},
    }
    define(shop, Fields=fields, AllowProfileCreation=True)
    ingest(shop, {"id": "1", "mail": "a@x.io", "phone": "5"})
    (made,) = found(shop, "crmId", "1")
    assert (made["EmailAddress"], made["PhoneNumber"]) == ("a@x.io", "5")


def test_a_full_profile_gives_up_the_oldest_object_of_the_type_furthest_over_its_limit(shop, monkeypatch):
    monkeypatch.setattr("resolver.local.operations.ingestion.MOST_OBJECTS", 4)
    fields = {"id": ID, "who": {"Source": "_source.who"}}
    keys = {"crmId": key("UNIQUE"), "who": key("PROFILE", fields=["who"])}
    define(shop, Fields=fields, Keys=keys, AllowProfileCreation=True, MaxProfileObjectCount=1)
    define(shop, "other", Fields=fields, Keys=keys)
    for number, name in enumerate(("crm", "crm", "crm", "other", "other")):
        ingest(shop, {"id": str(number), "who": "w"}, name)
    assert [len(found(shop, "crmId", str(number))) for number in range(5)] == [0, 1, 1, 1, 1]


def test_a_profile_that_is_full_of_bytes_gives_up_its_oldest_objects(shop, store):
    keys = {"crmId": key("UNIQUE"), "who": key("PROFILE", fields=["who"])}
    fields = {"id": ID, "who": {"Source": "_source.who"}}
    define(shop, Fields=fields, Keys=keys, AllowProfileCreation=True)
    for number in range(206):  # of 255,000 bytes each: 205 of them fit
        ingest(shop, {"id": str(number), "who": "w", "text": "x" * 254_950})
    assert [len(found(shop, "crmId", str(number))) for number in (0, 1, 205)] == [0, 1, 1]
    stats = shop.get_domain(DomainName="shop")["Stats"]
    assert (stats["ObjectCount"], stats["TotalSize"] <= 51_200 * 1024) == (205, True)
    ingest(shop, {"id": "205", "who": "w"})  # a smaller one in the place of the last makes room again
    ingest(shop, {"id": "206", "who": "w", "text": "x" * 200_000})
    assert shop.get_domain(DomainName="shop")["Stats"]["ObjectCount"] == 206
    with store.reading() as session:
        assert session.all("SELECT object_count, object_bytes FROM profile") == session.all(
            "SELECT count(*), sum(length(CAST(body AS BLOB))) FROM object"
        )
