from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import tables

from resolver.matching.standardising.name_columns import NAME_COLUMNS, standardise_names
from resolver.matching.standardising.names import PersonName, clean_name, split_full_name

WORDS = st.sampled_from(
    [
        "John",
        "JOHN",
        "smith",
        "Smith-Jones",
        "O'Neill",
        "Mr.",
        "Dr",
        "Lord",
        "sir",
        "jr",
        "Sr.",
        "III",
        "PhD",
        "van",
        "der",
        "de",
        "la",
        "Berg",
        "É",
        "Ñandú",
        "Иван",
        "张伟",
        "n/a",
        "null",
        "test",
        "of",
        "1st",
        "baronet",
        "J.",
        "j",
        "E",
        "v",
        "ii",
        ",",
        "(x)",
        '"Bob"',
        "-",
        "2nd",
    ]
)
NAME = st.one_of(st.none(), st.lists(WORDS, max_size=5).map(" ".join))


def columns(rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(NAME_COLUMNS, pl.String), orient="row")


def name_of(**given_columns):
    return clean_name([given_columns.get(name) for name in NAME_COLUMNS], tables())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("John Smith", ("john", "", "smith", "")),
        ("Dr. John Fitzgerald Smith, Jr.", ("john", "fitzgerald", "smith", "jr")),
        ("Smith, John F.", ("john", "f", "smith", "")),
        ("Smith, Mr. John", ("john", "", "smith", "")),
        ("van der Berg, Anna", ("anna", "", "vanderberg", "")),
        ("Anna van der Berg", ("anna", "", "vanderberg", "")),
        ("María-José O'Neill PhD", ("mariajose", "", "oneill", "")),
        ("sir charles swann, 1st baronet", ("charles", "", "swann", "")),
        ("henry of monmouth", ("henry", "", "", "")),
        ("William 'Bill' Gates (Microsoft)", ("william", "bill", "gates", "")),
        ("Mr. and", ("and", "", "", "")),
        ("freshfield", ("freshfield", "", "", "")),
        ("Dean Martin", ("dean", "", "martin", "")),
        ("Don Smith", ("don", "", "smith", "")),
        ("Yo-Yo Ma", ("yoyo", "", "ma", "")),
        ("john scott, earl of clonmell", ("john", "", "scott", "")),
        ("Henry Ford II", ("henry", "", "ford", "ii")),
        ("Иван Петров", ("ivan", "", "petrov", "")),
        ("", ("", "", "", "")),
    ],
)
def test_a_full_name_is_split(text, parts):
    assert split_full_name(text, tables()) == PersonName(*parts)


def test_the_first_word_is_the_first_name_and_the_rest_goes_to_the_middle():
    assert name_of(first_name="Mary Ann", middle_name="K", last_name="Lee") == ("mary", "ann k", "lee", "")


@pytest.mark.parametrize("column", ["first_name", "last_name", "full_name"])
def test_a_name_written_whole_into_one_field_is_split(column):
    assert name_of(**{column: "Mr. John Smith Jr"}) == ("john", "", "smith", "jr")


def test_particles_keep_a_last_name_together():
    assert name_of(last_name="de la Cruz") == ("", "", "delacruz", "")
    assert name_of(first_name="Ana", last_name="De La Cruz") == ("ana", "", "delacruz", "")


def test_a_full_name_wins_over_its_parts():
    assert (
        name_of(first_name="sir", last_name="baronet", full_name="sir charles swann, 1st baronet").last
        == "swann"
    )


def test_one_word_as_full_name_counts_where_nothing_else_is_known():
    assert name_of(full_name="Freshfield").first == "freshfield"
    assert name_of(first_name="Ana", full_name="Freshfield").first == "ana"


def test_a_suffix_of_its_own_field_is_canonical_and_comes_last():
    assert name_of(first_name="A", last_name="B", name_suffix="Junior").suffix == "jr"
    assert name_of(first_name="A", last_name="B Sr", name_suffix="Junior").suffix == "sr"


def test_placeholders_are_unknown():
    assert name_of(first_name="N/A", middle_name="null", last_name="Test") == ("", "", "", "")


@given(st.lists(st.tuples(*[NAME] * len(NAME_COLUMNS)), min_size=1))
def test_columns_of_names_are_read_as_each_name_is(rows):
    fields = {field.name: field for field in standardise_names(columns(rows), tables())}
    parts = [
        [fields[name].vocabulary["text"][int(c)] for c in fields[name].codes[:, 0]]
        for name in ("first_name", "middle_name", "last_name", "name_suffix")
    ]
    assert list(zip(*parts, strict=True)) == [tuple(clean_name(row, tables())) for row in rows]


def test_names_share_one_vocabulary_with_the_roots_of_nicknames():
    first, middle, last, _ = standardise_names(columns([["Bob", "Lee", "Robert", None, None]]), tables())
    assert first.vocabulary is middle.vocabulary is last.vocabulary
    roots = dict(first.vocabulary.select("text", "root").iter_rows())
    assert roots["bob"] == roots["robert"] == "robert"
