from __future__ import annotations

from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_tables import tables

from resolver.matching.standardising import address_columns
from resolver.matching.standardising.address_columns import cleaned_block, standardise_addresses
from resolver.matching.standardising.addresses import (
    clean_country,
    clean_lines,
    clean_place,
    clean_postal_code,
    clean_state,
    split_line,
)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("120 Brinsmead Street", ("120", "brinsmead", "")),
        ("0016 Pamela Wells Apt. 952", ("16", "pamela wells", "952")),
        ("1340 1st Ave. at 72nd St.", ("1340", "1 at 72", "")),
        ("60 E. 54th St.", ("60", "54", "")),
        ("316 SW Capitol Hwy", ("316", "capitol", "")),
        ("12 Main St, Apt 4B", ("12", "main", "4b")),
        ("12 Main St #007", ("12", "main", "7")),
        ("Flat 3, 12 High Street", ("12", "high", "3")),
        ("3/12 High St", ("12", "high", "3")),
        ("123 1/2 Main St", ("123h", "main", "")),
        ("12-14 Main St", ("12-14", "main", "")),
        ("12a Main St", ("12a", "main", "")),
        ("Hauptstraße 12a", ("12a", "haupt", "")),
        ("Hauptstr. 12 a", ("12a", "haupt", "")),
        ("12 rue de la Paix", ("12", "de la paix", "")),
        ("Calle Mayor 5, piso 2", ("5", "mayor", "2")),
        ("P.O. Box 0123", ("123", "po box", "")),
        ("100 Avenue Street", ("100", "street", "")),
        ("7 North Street", ("7", "street", "")),
        ("12 North South", ("12", "north south", "")),
        ("3", ("3", "", "")),
        ("Rowethorpe", ("", "rowethorpe", "")),
        ("#5", ("5", "", "")),
        (
            "10 Long Winding Road Behind The Old Mill House Lane",
            ("10", "long winding behind the old mill house", ""),
        ),
    ],
)
def test_a_line_is_house_number_street_core_and_unit(line, parts):
    assert split_line(line, tables()) == parts


def test_the_second_line_is_the_unit_unless_the_first_had_one():
    assert clean_lines(["12 Main St", "Rowethorpe"], tables()) == ("12", "main", "rowethorpe")
    assert clean_lines(["12 Main St Apt 4", "Rowethorpe"], tables()) == ("12", "main", "4")
    assert clean_lines(["12 Main St", "n/a", "Suite 05"], tables()) == ("12", "main", "5")


def test_a_line_of_a_number_only_is_continued_by_the_next():
    assert clean_lines(["3", "Meilene Road", "x"], tables()) == ("3", "meilene", "x")
    assert clean_lines([None, "-", "3 Meilene Road"], tables()) == ("3", "meilene", "")


def test_places_are_written_out_and_states_short():
    assert clean_place("St. Paul", tables()) == clean_place("Saint-Paul", tables()) == "saint paul"
    assert clean_state("New South Wales", tables()) == clean_state("NSW", tables()) == "nsw"
    assert clean_state("california", tables()) == "ca"
    assert {clean_country(name, tables()) for name in ("USA", "U.S.A.", "United States", "us")} == {"us"}
    assert clean_country("Deutschland", tables()) == "de"
    assert clean_country("Atlantis", tables()) == "atlantis"


def test_postal_codes_lose_spaces_and_the_last_four():
    assert [clean_postal_code(code) for code in ("02139-4307", "021394307", "WC2E 7EA", " 53111 ")] == [
        "02139",
        "02139",
        "wc2e7ea",
        "53111",
    ]


WORDS = st.sampled_from(
    [
        "12",
        "0012",
        "12a",
        "3/12",
        "12-14",
        "#",
        "#5",
        "Apt",
        "apt.",
        "Unit",
        "4",
        "4b",
        "B",
        "Main",
        "St",
        "St.",
        "Street",
        "Ave",
        "Avenue",
        "Rue",
        "Calle",
        "de",
        "la",
        "N.",
        "North",
        "1st",
        "54th",
        "Hauptstraße",
        "Hauptstr",
        "P.O.",
        "Box",
        "box",
        "O'Neill",
        "St-Paul",
        ",",
        ";",
        "É",
        "n/a",
        "1/2",
        "no.",
        "Flat",
        "007",
        "0",
        "strasse",
    ]
)
LINE = st.one_of(st.none(), st.lists(WORDS, max_size=8).map(" ".join))


@pytest.mark.parametrize("at_once", [2, 131_072])  # a long column is read some lines at a time
@given(st.lists(st.tuples(LINE, LINE, LINE), min_size=1))
def test_columns_of_lines_are_read_as_each_address_is(at_once, rows):
    block = {f"address{i}": pl.Series([row[i - 1] for row in rows], dtype=pl.String) for i in (1, 2, 3)}
    with patch.object(address_columns, "_AT_ONCE", at_once):
        parts = cleaned_block(block, tables())
    read = [
        [parts[name].texts[int(c)] for c in parts[name].codes] for name in ("house_number", "street", "unit")
    ]
    assert list(zip(*read, strict=True)) == [tuple(clean_lines(row, tables())) for row in rows]


PLACE = st.lists(
    st.sampled_from(["St", "St.", "Paul", "N/A", "California", "US", "U.S.", "02139-4307", "É", "-"])
).map(" ".join)


@given(st.lists(PLACE, min_size=1))
def test_columns_of_places_are_read_as_each_place_is(texts):
    column = pl.Series(texts, dtype=pl.String)
    parts = cleaned_block(
        {"city": column, "state": column, "country": column, "postal_code": column}, tables()
    )
    read = {name: [part.texts[int(c)] for c in part.codes] for name, part in parts.items()}
    known = ["" if text.split() == ["N/A"] else text for text in texts]
    assert read["city"] == [clean_place(text, tables()) for text in known]
    assert read["state"] == [clean_state(text, tables()) for text in known]
    assert read["country"] == [clean_country(text, tables()) for text in known]
    assert read["postal_code"] == [clean_postal_code(text) for text in known]


def test_blocks_are_distinct_and_their_parts_stay_together():
    home = {"address1": ["5 Main St", None, "5 Main Street"], "city": ["Bonn", None, "Bonn"]}
    ship = {"address1": ["5 Main Street", "9 Oak Rd", "9 Oak Rd"], "city": ["BONN", "Köln", None]}
    bill = {"postal_code": ["53111", None, None]}
    blocks = [
        {part: pl.Series(texts, dtype=pl.String) for part, texts in block.items()}
        for block in (home, ship, bill)
    ]
    fields = {field.name: field for field in standardise_addresses(blocks, tables())}
    read = {
        name: [[field.vocabulary["text"][c] for c in row] for row in field.codes.tolist()]
        for name, field in fields.items()
    }
    assert read["house_number"] == [["5", ""], ["9", ""], ["5", "9"]]
    assert read["street"] == [["main", ""], ["oak", ""], ["main", "oak"]]
    assert read["city"] == [["bonn", ""], ["koln", ""], ["bonn", ""]]
    assert read["postal_code"] == [["", "53111"], ["", ""], ["", ""]]


def test_a_province_counts_where_no_state_is_given():
    block = {"state": pl.Series(["CA", None]), "province": pl.Series(["Ontario", "Ontario"])}
    part = cleaned_block(block, tables())["state"]
    assert [part.texts[int(c)] for c in part.codes] == ["ca", "on"]


def test_no_blocks_give_no_fields():
    assert standardise_addresses([], tables()) == []
