from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_tables import tables

from resolver.matching.standardising.dates import (
    clean_date,
    cleaned_dates,
    infer_day_first,
    standardise_dates,
)

MONTH_FIRST = {"/": False, "-": False, ".": True, " ": False, "": False}


@pytest.mark.parametrize(
    ("text", "digits", "ambiguous"),
    [
        ("1980-04-05", "19800405", False),
        ("1980/4/5", "19800405", False),
        ("1980-13-05", "19800513", False),
        ("19800405", "19800405", False),
        ("04051980", "19800405", True),
        ("04/05/1980", "19800405", True),
        ("4/5/80", "19800405", True),
        ("4/5/05", "20050405", True),
        ("25/12/1980", "19801225", False),
        ("12/25/1980", "19801225", False),
        ("05/05/1980", "19800505", False),
        ("05.04.1980", "19800405", True),
        ("31.04.1980", "19800431", False),
        ("5 April 1980", "19800405", False),
        ("5-Apr-80", "19800405", False),
        ("April 5th, 1980", "19800405", False),
        ("1980 Apr 5", "19800405", False),
        ("1980-04-05T00:00:00Z", "19800405", False),
        ("1980-04-05 12:30:00.000", "19800405", False),
        (" 1980-04-05 ", "19800405", False),
        ("1980", "1980", False),
        ("in spring", "in spring", False),
        ("99999999", "99999999", False),
    ],
)
def test_a_date_in_any_notation_is_eight_digits(text, digits, ambiguous):
    assert clean_date(text, MONTH_FIRST) == (digits, ambiguous)
    assert cleaned_dates(pl.Series([text]), MONTH_FIRST).row(0) == (digits, ambiguous)


def test_the_clear_dates_of_a_file_decide_the_order_of_the_others():
    assert not infer_day_first(pl.Series(["04/25/1980", "04/05/1980"]))["/"]
    day_first = infer_day_first(pl.Series(["25/04/1980", "24/04/1980", "04/25/1980", None]))
    assert day_first["/"]
    assert day_first[""]
    assert clean_date("04/05/1980", day_first).text == "19800504"


def test_dots_mean_day_first_unless_the_file_says_otherwise():
    assert infer_day_first(pl.Series(["x"]))["."]
    assert not infer_day_first(pl.Series(["12.25.1980"]))["."]


NUMBER = st.one_of(
    st.integers(0, 40).map(str),
    st.integers(0, 40).map(lambda n: f"{n:02d}"),
    st.integers(1690, 2110).map(str),
)
WORD = st.sampled_from(["jan", "March", "SEPT", "Maius", "t", "T10:00", "12:30", "5th", ","])
PIECES = st.lists(st.one_of(NUMBER, NUMBER, WORD), min_size=1, max_size=4)
TEXT = st.builds(lambda pieces, mark: mark.join(pieces), PIECES, st.sampled_from(["-", "/", ".", " ", ""]))


@given(st.lists(TEXT, min_size=1), st.booleans())
def test_columns_of_dates_are_read_as_each_date_is(texts, first):
    day_first = dict.fromkeys(MONTH_FIRST, first)
    rows = cleaned_dates(pl.Series(texts), day_first).rows()
    assert rows == [tuple(clean_date(text, day_first)) for text in texts]


def test_placeholder_dates_are_unknown_and_ambiguity_is_kept():
    dates = pl.Series(["1900-01-01", "n/a", "01/02/1980", "1980-01-02", "1980-01-03", None])
    field = standardise_dates(dates, tables(), infer_day_first(dates))
    texts = [field.vocabulary["text"][int(c)] for c in field.codes[:, 0]]
    assert texts == ["", "", "19800102", "19800102", "19800103", ""]
    assert dict(field.vocabulary.iter_rows())["19800102"]
    assert not dict(field.vocabulary.iter_rows())["19800103"]
