"""What kernels make of texts is what the expressions make of them."""

from __future__ import annotations

import ctypes
import gc

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_kernels import assert_same, both

from resolver.attribute_columns import attributes_of, in_key_order
from resolver.compiled import library, texts
from resolver.errors import BadFrame
from resolver.matching.standardising.address_columns import cleaned_lines
from resolver.matching.standardising.coding import Coded, code, pack
from resolver.matching.standardising.dates import _days_first, cleaned_dates, infer_day_first
from resolver.matching.standardising.emails import _parted, cleaned_emails
from resolver.matching.standardising.folding import folded, phrases
from resolver.matching.standardising.name_columns import cleaned_full
from resolver.matching.standardising.phones import (
    _dialled_abroad,
    _nationals,
    _vocabulary,
    cleaned_phones,
    infer_region,
)
from resolver.matching.values import Values
from resolver.model.standardised import Kind

pytestmark = pytest.mark.skipif(not library.there(), reason="the kernels were not built: no C compiler")


def column(made):
    return pl.Series("text", made, dtype=pl.String)


def any_of(alphabet):
    return st.lists(st.text(st.sampled_from(alphabet), max_size=30), max_size=8).map(column)


@given(
    any_of("ab9Z '`-\u00b4\u2018\u2019\u02bc\u2032&/+.,ß\u00a0\u2009字"), st.sampled_from(["", "-", "-/&+.,"])
)
def test_phrases(made, parting):
    plain = folded(made)
    for given_ in (made, plain):
        one, other = both(lambda given_=given_: phrases(given_, parting=parting))
        assert one.to_list() == other.to_list()


@given(any_of("09 -.()/\u00a0+xX#;ext=dpDé1234"), st.sampled_from(["us", "gb us", "ru it", "de mx", ""]))
@example(column(["00 44 20 7946 0958", "0", "00", "+1 202 555 0123 ext. 4", "x", "(0)0/1", "00044"]), "us")
@example(column(["202-555-0123 x 009", "+44 (0) 20 7946 0958 #12", "+" + "1" * 40, "+999 1234567"]), "us")
@example(column(["8 495 123-45-67", "1 1 1 1 1 1 1 x 2", "0049 30 1234567", "+1 264 497 1234 x1"]), "ru us")
def test_phone_numbers(made, regions):
    tried = Coded(np.ones(len(made), np.uint32), column(["", regions]))
    one, other = both(lambda: cleaned_phones(made, tried))
    assert one.number.texts.to_list() == other.number.texts.to_list()
    assert_same(
        (one.number.codes, one.extended, one.whole), (other.number.codes, other.extended, other.whole)
    )
    assert one.extension.to_list() == other.extension.to_list()
    assert one.parsed == other.parsed
    nationals, vocabularies = both(lambda: _nationals(one.number.texts)), both(lambda: _vocabulary(one))
    assert nationals[0][0].to_list() == nationals[1][0].to_list()
    assert nationals[0][1].tolist() == nationals[1][1].tolist()
    assert vocabularies[0][0].rows() == vocabularies[1][0].rows()


@given(any_of("09 +\u00a0\u2003\u3000\t\x1c1a"))
@example(column(["+44", " 0044", "00 49", "+ 1", "+0", "+1234", "00", "+", "", "\u1680+7", "0 044"]))
def test_what_is_dialled_abroad_is_counted(made):
    assert_same(*both(lambda: _dialled_abroad(made)))
    assert_same(_dialled_abroad(pl.concat([made, column([None])])), _dialled_abroad(made))


@given(any_of("aZ9_%.-+@ <>é"))
@example(
    column(
        ["a.b+tag@X.com", "a+b+c@d.e", "+a@b.c", ".a@b", "a@", "@b", "a@-b", "a@b-", "a@b.", "mailto:a@b.c"]
    )
)
def test_mailboxes(made):
    one, other = both(lambda: cleaned_emails(made))
    assert one.to_list() == other.to_list()
    before, behind = both(lambda: [part.to_list() for part in _parted(one)])
    assert before == behind


def test_columns_in_several_pieces_and_slices_are_taken(rules):
    long = [f"{k} a text that does not fit a view {k}" for k in range(9)]
    made = pl.concat([column(long), column(["x", "", "y z"]), column(long)], rechunk=False)
    assert made.n_chunks() > 1
    for given_ in (made, made.slice(3, 8), made[::2], made.head(0)):
        assert phrases(given_).to_list() == given_.to_list()
    numbers = texts.digits_of(made.slice(1, 2))[1].tolist()
    assert numbers == [2, 2]


def test_texts_outlive_what_they_were_made_of():
    made = phrases(column([f"a text of some length {k}" for k in range(1000)]))
    gc.collect()
    kept = made.slice(990)
    del made
    gc.collect()
    assert kept.to_list() == [f"a text of some length {k}" for k in range(990, 1000)]


def test_nulls_and_other_columns_are_left_to_expressions():
    assert not texts.taken(column(["a", None]))
    assert not texts.taken(pl.Series([1, 2]))
    assert phrases(column(["a", None])).to_list() == ["a", None]


def test_a_layout_that_is_not_known_is_left_to_expressions(monkeypatch):
    def unknown(*_):
        raise ValueError("digits_of")

    monkeypatch.setattr(texts, "called", unknown)
    texts._known.cache_clear()
    try:
        assert not texts.taken(column(["a"]))
    finally:
        texts._known.cache_clear()


def test_a_region_is_inferred_from_the_same_counts(rules):
    made = column(["+44 20 7946 0018", "0049 30 1", "+44 1", "202"])
    countries = code(pl.Series("country", ["US", None], dtype=pl.String))
    one, other = both(lambda: infer_region([made], countries, rules.reference))
    assert one == other == "gb"


dates = st.lists(
    st.sampled_from(
        [*"129-/. ,tz", "12", "13", "1980", "80", "19800231", "10:30", "jan", "mar", "march", "sept"]
    )
    | st.sampled_from(["decemberish", "st", "nd", "TH", "Dec", "\u00a0", "é", "::"]),
    max_size=8,
)


@given(st.lists(dates.map("".join), max_size=8).map(column), st.lists(st.booleans(), min_size=5, max_size=5))
@example(column(["1980-02-31", "31/12/80", "12.31.1980", "3rd of May 1980", "2nd May, 1980"]), [True] * 5)
@example(column(["1980-02-31T10:30:00Z", " 13/12/1980 9:15 ", "19801301", "20991231"]), [False] * 5)
@example(column(["12/12/12", "1-2-1980", "17000101", "21000101", "1 jan 1", "1jan1980"]), [False] * 5)
@example(column(["jan 1980", "1-2/1980", "1-2-198", "", "1/2/30", "May 2nd 80", "13 1 2000"]), [True] * 5)
def test_dates(made, flags):
    day_first = dict(zip(("-", "/", ".", " ", ""), flags, strict=True))
    one, other = both(lambda: cleaned_dates(made, day_first).rows())
    assert one == other
    assert_same(*both(lambda: _days_first(made)))
    assert infer_day_first(pl.concat([made, column([None])])) == infer_day_first(made)


full_names = st.lists(
    st.sampled_from(
        ["anna", "o'neil", "j.r.", "smith-jones", "van der", "of", "mr", "jr", "baron", "x", "la"]
    )
    | st.sampled_from([" ", ",", ", ", "  ", "'", "-", ".", "9", "dr.", "de la", "3rd", "(bob)"]),
    max_size=9,
)


@given(st.lists(full_names.map(" ".join) | full_names.map("".join), max_size=8).map(column))
@example(
    column(["smith, john", "smith , j. r.", "smith,john", "smith jr, john", "', anna", "o'neil, baron x"])
)
@example(column(["anna maria smith", "anna", "", " anna  smith ", "a-b c'd", "a, b, c", "van gogh, vincent"]))
def test_full_names(rules, made):
    one, other = both(lambda: cleaned_full(made, rules.reference).rows())
    assert one == other


def values_of(made):
    return Values("x", Kind.NAME, made.to_frame("text"), None)


@given(any_of("aabbckphqzzvdtwsy é字"))
@example(column(["phi", "pphh", "ckc", "vva", "dt", "a", "ab", "aab", "éé", "zs", "c", "", "hph", "ddd"]))
def test_sounds_letters_and_words(made):
    assert_same(*both(lambda: (values_of(made).sound, values_of(made).anagram)))
    one, other = both(lambda: values_of(made).tokens)
    assert one.words.to_list() == other.words.to_list()
    assert_same(*((t.start, t.token, t.weight, t.total, t.seen) for t in (one, other)))


def test_texts_come_back_as_views_and_in_one_run():
    made = column(["", "a", "exactly12byt", "thirteen bytes", "é" * 7, "a text that does not fit a view"])
    as_views = [phrases(made, parting="/").to_list(), texts.picked(made, np.array([5, 2])).to_list()]
    most = ctypes.c_int64.in_dll(library.LIBRARY, "most_of_views")
    before, most.value = most.value, -1
    try:
        in_one_run = [phrases(made, parting="/").to_list(), texts.picked(made, np.array([5, 2])).to_list()]
    finally:
        most.value = before
    assert as_views == in_one_run == [[*made[:4], "", made[5]], ["", made[5], made[2]]]


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), max_size=6))
def test_slots_are_packed(rows):
    assert_same(*both(lambda: pack(np.array(rows, np.uint32).reshape(-1, 3).T)))


def test_a_stream_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="digits_of"):
        texts.called("digits_of", pl.Series([1, 2]), np.empty(2, np.uint64), np.empty(2, np.int32))


JSON = [
    None,
    "",
    "  ",
    "{}",
    " { } ",
    '{"a":"1","b":null}',
    '{"b":"x","a":"y"}',
    '{ "a" : "ü", "c":"" }',
    '{"a":"1"} ',
]
ODD = [
    '{"a":1}',
    '{"a":{"b":"c"}}',
    '{"a":"x\\"y"}',
    '{"z":"new"}',
    '{"a":"1","a":"2"}',
    '{"a":true}',
    '{"a":["1"]}',
    '{"a":"tab\there"}',
]
FAULTY = ["[]", "x", '{"a":"1"', '{"a" "1"}', '{"a":"1",}', '{"a":"1"}}', "null", '"a"', '{"a":nul}']


def said(made):
    try:
        return in_key_order(attributes_of(column(made))).to_list()
    except BadFrame as error:
        return str(error)


@given(st.lists(st.sampled_from(JSON), max_size=9), st.lists(st.sampled_from([*ODD, *FAULTY]), max_size=1))
def test_attributes_in_json(plain, odd):
    one, other = both(lambda: said([*plain, *odd, *plain]))
    assert one == other


@pytest.mark.parametrize("odd", [*ODD, *FAULTY])
def test_an_object_that_is_not_plain_is_left_to_others(odd):
    assert texts.object_values(column(['{"a":"1"}', odd]), ["a"]) is None


def test_many_objects_are_read_in_pieces(monkeypatch):
    made = [f'{{"b":"{k}","a":null}}' if k % 3 else None for k in range(50)]
    monkeypatch.setattr(texts, "_VALUES", 7)
    one, other = both(lambda: said(made))
    assert one == other


LINES = [
    *(
        "12 High Street",
        "007b Apt Lane",
        "12 high st apt 4",
        "0 x",
        "1 Box Hill",
        "12  High",
        "12 -x",
        "12 O'Neill Rd.",
    ),
    *(
        "12",
        "High Street 12",
        "12a",
        "12ab street",
        "PO Box 4",
        "12 suites road",
        "12 Rue de l'Unit",
        "5 wing-x",
        "5 bpm",
    ),
    *(
        "12 High Street, Flat 3",
        "12 High Street #4",
        "Postfach 9",
        "12 ünal weg",
        "n/a",
        "",
        "x",
        "12 a_b",
        "3 top. x",
    ),
]


@given(
    st.lists(st.sampled_from(LINES) | st.text(st.sampled_from("019ab xpt'.-#,é"), max_size=14), max_size=12)
)
@example(LINES)
def test_address_lines(rules, made):
    one, other = both(lambda: cleaned_lines(column(made), rules.reference))
    for part in one:
        assert (
            one[part].texts.gather(one[part].codes).to_list()
            == other[part].texts.gather(other[part].codes).to_list()
        )
