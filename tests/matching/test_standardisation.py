from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from standardising.tables import tables

from resolver.matching.standardisation import standardise
from resolver.model.frames import PROFILES, empty
from resolver.model.standardised import Kind
from resolver.profile_columns import to_profiles

PEOPLE = to_profiles(
    pl.DataFrame(
        {
            "profile_id": ["a", "b", "c"],
            "FirstName": ["Dr. Ana María", "John Smith", None],
            "LastName": ["García", None, "N/A"],
            "BirthDate": ["1980-04-05", "05/04/1980", None],
            "PhoneNumber": ["(212) 838-2600", None, "12"],
            "HomePhoneNumber": [None, "+1 212 838 2600", None],
            "EmailAddress": ["Ana+x@Example.com", "info@acme.com", "none"],
            "BusinessName": ["Acme, Inc.", None, None],
            "Gender": [None, "Male", None],
            "GenderString": ["female", "x", None],
            "PartyType": ["INDIVIDUAL", "INDIVIDUAL", None],
            "AccountNumber": ["A-1", "a1", "0000000"],
            "Address": [
                {"Address1": "5 Main St", "City": "New York", "Country": "USA"},
                {"Address1": "5 MAIN STREET", "City": "new york", "Country": "us"},
                None,
            ],
            "Attributes": ['{"suffix": "Jr"}', '{"full_name": "John Q. Smith III"}', None],
        }
    )
)


def rows_of(field):
    return [[field.vocabulary["text"][c] for c in row] for row in field.codes.tolist()]


def test_every_field_that_holds_something_is_cleaned_and_coded():
    known = standardise(PEOPLE, tables(), None)
    assert known.profiles == 3
    assert {name: rows_of(field) for name, field in known.fields.items()} == {
        "phone": [["+12128382600"], ["+12128382600"], [""]],
        "house_number": [["5"], ["5"], [""]],
        "street": [["main"], ["main"], [""]],
        "city": [["new york"], ["new york"], [""]],
        "country": [["us"], ["us"], [""]],
        "first_name": [["ana"], ["john"], [""]],
        "middle_name": [["maria"], ["q"], [""]],
        "last_name": [["garcia"], ["smith"], [""]],
        "name_suffix": [["jr"], ["iii"], [""]],
        "email": [["ana@example.com"], ["info@acme.com"], [""]],
        "business_name": [["acme"], [""], [""]],
        "birth_date": [["19800405"], ["19800504"], [""]],
        "gender": [["f"], ["m"], [""]],
        "party_type": [["individual"], ["individual"], [""]],
        "account_number": [["a1"], ["a1"], [""]],
    }


def test_names_and_kinds_are_what_the_engine_expects():
    fields = standardise(PEOPLE, tables(), None).fields
    assert fields["middle_name"].kind is Kind.NAME
    assert fields["city"].kind is Kind.PLACE
    for field in fields.values():
        assert field.codes.dtype == "uint32"
        assert field.codes.shape[0] == 3
        assert field.vocabulary["text"][0] == ""
        assert field.vocabulary["text"].n_unique() == field.vocabulary.height
        assert int(field.codes.max()) < field.vocabulary.height


def test_nothing_known_gives_no_fields():
    assert standardise(empty(PROFILES), tables(), None).fields == {}
    assert standardise(pl.DataFrame({"profile_id": ["a"]}), tables(), "US").fields == {}
    nulls = pl.DataFrame({"profile_id": ["a"], "first_name": [None], "address": [None], "attributes": [None]})
    assert standardise(nulls, tables(), None).fields == {}


def test_the_profiles_themselves_stay_as_they_are():
    before = PEOPLE.clone()
    standardise(PEOPLE, tables(), "US")
    assert PEOPLE.equals(before)


@given(st.permutations(range(3)))
def test_row_order_changes_no_profile(order):
    straight, turned = (standardise(frame, tables(), None) for frame in (PEOPLE, PEOPLE[list(order)]))
    for name, field in straight.fields.items():
        assert [rows_of(field)[i] for i in order] == rows_of(turned.fields[name])


def test_the_region_comes_from_the_argument_the_address_or_the_file():
    frame = to_profiles(
        pl.DataFrame(
            {
                "profile_id": ["a", "b"],
                "PhoneNumber": ["020 7946 0958", "212 838 2600"],
                "Country": ["GB", None],
            }
        )
    )
    assert rows_of(standardise(frame, tables(), None).fields["phone"]) == [["+442079460958"], ["2128382600"]]
    assert rows_of(standardise(frame, tables(), "US").fields["phone"]) == [
        ["+442079460958"],
        ["+12128382600"],
    ]
