from __future__ import annotations

import pytest

from resolver.profiles.object_keys import brings_cases, keys_of_object
from resolver.profiles.object_times import object_type
from resolver.profiles.search_keys import SearchKey


def type_of(source="_source.id", target=None, **identifiers):
    field = {"Source": source} | ({"Target": target} if target else {})
    keys = {name: [{"FieldNames": ["f"], "StandardIdentifiers": list(i)}] for name, i in identifiers.items()}
    return object_type({"ObjectTypeName": "Crm", "Fields": {"f": field}, "Keys": keys})


@pytest.mark.parametrize(
    ("source", "text", "value"),
    [
        ("_source.id", '{"id": "7"}', "7"),
        ("{{_source.a.b}}", '{"a": {"b": "x"}}', "x"),
        ("_source.id", '{"id": 7}', "7"),
        ("_source.id", '{"id": true}', "true"),
    ],
)
def test_a_plain_accessor_gives_the_key_its_value(source, text, value):
    (key,) = keys_of_object(type_of(source, crmId=["UNIQUE", "PROFILE"]), text)
    assert key.key == SearchKey("crmId", value)
    assert key.chooses
    assert key.stored


@pytest.mark.parametrize("text", ['{"other": 1}', '{"id": null}', '{"id": []}'])
def test_a_path_that_leads_nowhere_gives_no_key(text):
    assert keys_of_object(type_of(crmId=["UNIQUE"]), text) == []


def test_what_cannot_be_told_is_null():
    assert keys_of_object(type_of("{{#if _source.id}}x{{/if}}", crmId=["UNIQUE"]), '{"id": "7"}') is None
    assert keys_of_object(type_of(crmId=["UNIQUE"]), "no json") is None
    assert keys_of_object(object_type({"ObjectTypeName": "Crm"}), "{}") is None


@pytest.mark.parametrize(
    ("identifiers", "chooses", "stored"),
    [
        (["PROFILE"], True, True),
        (["PROFILE", "SECONDARY"], False, True),
        (["PROFILE", "LOOKUP_ONLY"], True, False),
        (["PROFILE", "NEW_ONLY"], True, False),
        ([], False, True),
    ],
)
def test_identifiers_say_what_a_key_is_good_for(identifiers, chooses, stored):
    (key,) = keys_of_object(type_of(crmId=identifiers), '{"id": "7"}')
    assert (key.chooses, key.stored) == (chooses, stored)


def test_types_that_are_or_name_connect_cases_are_known():
    assert brings_cases(type_of(_caseId=["LOOKUP_ONLY"]))
    assert brings_cases(type_of(ticket=["CASE", "UNIQUE"]))
    assert brings_cases(type_of(target="_case.Title", ticket=["UNIQUE"]))
    assert not brings_cases(type_of(crmId=["UNIQUE", "PROFILE"]))
