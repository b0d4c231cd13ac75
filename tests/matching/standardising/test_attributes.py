from __future__ import annotations

import polars as pl
import pytest
from reference_tables import tables

from resolver.matching.standardising.attributes import (
    attribute_kinds,
    attribute_values,
    clean_key,
    cleaned_categories,
    cleaned_identifiers,
    standardise_attributes,
)
from resolver.model.frames import Attributes
from resolver.model.standardised import Kind


def long_of(rows):
    listed = [row and [{"key": k, "value": v} for k, v in row] for row in rows]
    return attribute_values(pl.Series("attributes", listed, Attributes))


@pytest.mark.parametrize("key", ["FullName", "full_name", "full-name", "Full Name"])
def test_spellings_of_a_key_are_one(key):
    assert clean_key(key) == "full_name"


def test_identifiers_are_letters_and_digits_and_placeholders_are_unknown():
    texts = pl.Series(["406-20-3481", "AB 12/x", "000-00-0000", "N/A", "É1"])
    assert cleaned_identifiers(texts, tables()).to_list() == ["406203481", "ab12x", "", "", "e1"]


def test_categories_are_folded_words():
    texts = pl.Series(["Military_Officer", "poet", "unknown", ""])
    assert cleaned_categories(texts, tables()).to_list() == ["military officer", "poet", "", ""]


def test_attributes_become_rows_without_blanks():
    long = long_of([[("A", "1"), ("b", "")], None, [("b", "2")]])
    assert long.rows() == [(0, "a", "1"), (2, "b", "2")]


def test_of_two_spellings_in_one_profile_the_first_value_by_the_alphabet_stands():
    assert long_of([[("SSN", "9"), ("ssn", "1")]]).rows() == [(0, "ssn", "1")]


def test_a_key_with_enough_values_is_a_field_of_the_sort_that_its_values_show():
    rows = [
        [("ssn", f"{i:09d}"), ("tier", "gold" if i % 2 else "silver"), ("floor", str(i % 3))]
        for i in range(300)
    ]
    rows[0] = [*rows[0], ("rare", "x")]
    long = long_of(rows)
    read = standardise_attributes(long, 300, attribute_kinds(long, 300), tables())
    fields = {field.name: field for field in read}
    kinds = {name: field.kind for name, field in fields.items()}
    assert kinds == {
        "attribute:floor": Kind.CATEGORY,
        "attribute:ssn": Kind.IDENTIFIER,
        "attribute:tier": Kind.CATEGORY,
    }
    tier = fields["attribute:tier"]
    assert [tier.vocabulary["text"][c] for c in tier.codes[:2, 0].tolist()] == ["silver", "gold"]


def test_a_thousand_values_are_enough_in_any_file():
    long = long_of([[("tier", "gold")]] * 1000)
    assert list(attribute_kinds(long, 10_000_000)) == ["tier"]
    assert attribute_kinds(long.head(999), 10_000_000) == {}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param(lambda n: f"P-{70_000_000 + n // 6}", Kind.IDENTIFIER, id="a family's policy"),
        pytest.param(
            lambda n: f"{400 + n // 60}-{n // 6 % 10 + 10}-6789", Kind.IDENTIFIER, id="parted by hyphens"
        ),
        pytest.param(lambda n: f"P-{70_000_000 + n // 12}", Kind.CATEGORY, id="shared by too many"),
        pytest.param(lambda n: f"2020-{1 + n // 6 % 12:02d}-{1 + n // 72:02d}", Kind.CATEGORY, id="a date"),
        pytest.param(
            lambda n: f"2020{1 + n // 6 % 12:02d}{1 + n // 72:02d}", Kind.CATEGORY, id="digits of a date"
        ),
        pytest.param(lambda n: f"{n}.{700_000 + n}", Kind.CATEGORY, id="a rate"),
        pytest.param(lambda n: str(1_000 + n // 6), Kind.CATEGORY, id="four digits: a year, a branch"),
    ],
)
def test_a_long_number_is_an_identifier_though_several_share_it(value, kind):
    long = long_of([[("number", value(n))] for n in range(300)])
    assert attribute_kinds(long, 300) == {"number": kind}
