from __future__ import annotations

from resolver.profiles.custom_keys import CustomKeys, keys_of_definitions
from resolver.profiles.search_keys import DerivedKey, SearchKey, keys_of


def definition(keys, **targets):
    fields = {
        name: {"Source": f"_source.{name}", **({"Target": t} if t else {})} for name, t in targets.items()
    }
    return {"ObjectTypeName": "T", "Fields": fields, "Keys": keys}


def key(*fields, identifiers=("PROFILE",)):
    return [{"FieldNames": list(fields), "StandardIdentifiers": list(identifiers)}]


def test_a_key_is_followed_where_all_its_fields_have_a_place_in_the_profile():
    told = definition({"card": key("a", "b")}, a="_profile.Attributes.x.y", b="_profile.Address.City")
    untold = definition({"visit": key("a", "b")}, a="_profile.LastName", b=None)

    assert keys_of_definitions([told, untold]) == CustomKeys(
        (DerivedKey("card", (("Attributes", "x.y"), ("Address", "City"))),), ("visit",), ("T",)
    )


def test_what_the_service_does_not_keep_or_the_standard_profile_feeds_is_not_followed():
    definitions = [
        definition({"_profileId": key("a", identifiers=("PROFILE", "LOOKUP_ONLY"))}, a="_profile.FirstName"),
        definition({"_phone": key("a")}, a="_profile.PhoneNumber"),
        {"ObjectTypeName": "not readable"},
    ]

    assert keys_of_definitions(definitions) == CustomKeys()


def test_a_standard_key_that_only_objects_hold_is_untold():
    definitions = [definition({"_email": key("a")}, a=None), definition({"_email": key("b")}, b="_profile.X")]

    found = keys_of_definitions(definitions)

    assert (found.untold, found.telling_types) == (("_email",), ("T",))
    assert found.followed == (DerivedKey("_email", (("X",),)),)


def test_a_key_that_tells_the_objects_of_one_type_apart_leads_nowhere():
    one = definition({"id": key("a", identifiers=("UNIQUE",))}, a=None)
    other = {**one, "ObjectTypeName": "U"}

    assert keys_of_definitions([one]) == CustomKeys()
    assert keys_of_definitions([one, other]) == CustomKeys((), ("id",), ("T", "U"))


def test_a_standard_key_from_another_field_is_followed_too():
    found = keys_of_definitions([definition({"_phone": key("a")}, a="_profile.Attributes.fax")])

    profile = {"PhoneNumber": "1", "Attributes": {"fax": "2"}}
    assert list(keys_of(profile, found.followed)) == [SearchKey("_phone", "1"), SearchKey("_phone", "2")]


def test_the_values_of_a_key_of_several_fields_are_joined_and_long_or_empty_ones_not_asked():
    two = DerivedKey("k", (("Attributes", "a"), ("Address", "City")))

    assert two.of({"Attributes": {"a": "x"}, "Address": {"City": "Bonn"}}) == SearchKey("k", "x Bonn")
    assert two.of({"Address": {"City": "Bonn"}}) == SearchKey("k", "Bonn")
    assert two.of({"Attributes": {"a": "x" * 256}}) is None
    assert two.of({"FirstName": "Ana", "Attributes": {}}) is None
