from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from resolver.matching.comparison import compare, level_of
from resolver.matching.sides import Sides
from resolver.matching.similarity import TESTS
from resolver.matching.values import Values
from resolver.model.standardised import Kind

texts = st.lists(st.text("abcdeé", max_size=10), min_size=2, max_size=8, unique=True)


def values_of(rules, distinct, kind=Kind.NAME, **columns):
    vocabulary = pl.DataFrame(
        {"text": ["", *distinct], **{k: [type(v[0])(), *v] for k, v in columns.items()}}
    )
    return Values("field", kind, vocabulary, rules.reference)


def holds(test, limit, values, *pairs):
    a = np.array([x for x, _ in pairs], np.uint32)
    b = np.array([y for _, y in pairs], np.uint32)
    return TESTS[test].holds(Sides((values,), (a,), (b,)), limit).tolist()


def on_texts(rules, test, limit, *pairs):
    """The test on pairs of texts, both ways: no test may care which side is left."""
    distinct = sorted({text for pair in pairs for text in pair})
    values = values_of(rules, distinct)
    codes = [(distinct.index(x) + 1, distinct.index(y) + 1) for x, y in pairs]
    one_way = holds(test, limit, values, *codes)
    assert holds(test, limit, values, *((y, x) for x, y in codes)) == one_way
    return one_way


@given(texts, st.sampled_from([1, 2]))
def test_edit_distance_agrees_with_the_plain_scorer(rules, distinct, limit):
    pairs = [(x, y) for x in distinct for y in distinct if x and y]
    expected = [OSA.distance(x, y) <= limit for x, y in pairs]
    assert on_texts(rules, "edit_distance", limit, *pairs) == expected if pairs else True


def test_a_slip_is_not_a_neighbour_in_a_sequence(rules):
    pairs = [(other, "A140980") for other in ("A140983", "A150980", "A104980", "A14980")]
    assert on_texts(rules, "slip", 1, *pairs) == [False, True, True, True]


@given(texts, st.sampled_from([0.8, 0.88, 0.92]))
def test_jaro_winkler_agrees_with_the_plain_scorer(rules, distinct, limit):
    pairs = [(x, y) for x in distinct for y in distinct if x and y]
    if pairs:
        found = on_texts(rules, "jaro_winkler", limit, *pairs)
        for (x, y), said in zip(pairs, found, strict=True):
            score = {JaroWinkler.similarity(x, y), JaroWinkler.similarity(y, x)}
            if min(abs(s - limit) for s in score) > 1e-4:
                assert said in {s >= limit for s in score}


@given(texts, st.sampled_from([0.6, 0.75, 0.88]))
def test_text_ratio_agrees_with_the_plain_scorer(rules, distinct, limit):
    pairs = [(x, y) for x in distinct for y in distinct if x and y]
    if pairs:
        found = on_texts(rules, "text_ratio", limit, *pairs)
        for (x, y), said in zip(pairs, found, strict=True):
            if abs(fuzz.ratio(x, y) - 100 * limit) > 1e-3:
                assert said == (fuzz.ratio(x, y) >= 100 * limit)


@given(texts)
def test_prefix_agrees_with_startswith(rules, distinct):
    pairs = [(x, y) for x in distinct for y in distinct if x and y]
    if pairs:
        found = on_texts(rules, "prefix", 1, *pairs)
        assert found == [x.startswith(y) or y.startswith(x) for x, y in pairs]


def test_long_prefixes_are_compared_beyond_the_first_eight_letters(rules):
    pairs = [("bartholomew", "bartholomewson"), ("bartholomew", "bartholobus")]
    assert on_texts(rules, "prefix", 1, *pairs) == [True, False]


def test_a_part_of_a_double_name_is_found_at_both_ends(rules):
    pairs = [("smith", "smithjones"), ("jones", "smithjones"), ("mit", "smithjones"), ("sm", "smithjones")]
    assert on_texts(rules, "part", 1, *pairs) == [True, True, False, False]


def test_two_short_forms_of_one_name_may_be_the_same_person(rules):
    pairs = [("kathy", "catherine"), ("bill", "william"), ("bill", "will"), ("anna", "bert")]
    assert on_texts(rules, "same_nickname", 1, *pairs) == [True, True, True, False]


def test_names_written_as_heard_sound_the_same(rules):
    pairs = [("tamika", "tomica"), ("catherine", "kathryn"), ("sven", "swen"), ("anna", "bert"), ("al", "el")]
    assert on_texts(rules, "same_sound", 1, *pairs) == [True, True, True, False, False]


def test_letters_in_disorder_are_the_same_letters_from_four_on(rules):
    pairs = [
        ("eleanor", "nleaeor"),
        ("sofia", "foisa"),
        ("sofia", "sofiaa"),
        ("amy", "may"),
        ("anna", "nana"),
    ]
    assert on_texts(rules, "same_letters", 1, *pairs) == [True, True, False, False, True]


def test_a_middle_name_may_have_a_word_or_an_initial_in_common(rules):
    pairs = [("ann m", "m"), ("ann maria", "maria"), ("a b", "c d"), ("ann lee", "annlee")]
    assert on_texts(rules, "any_word", 1, *pairs) == [True, True, False, True]


@pytest.mark.parametrize(
    ("left", "right", "near"),
    [
        ("19800131", "19800131", True),
        ("19800131", "19800132", True),  # one digit
        ("19800131", "19800113", True),  # two neighbours exchanged
        ("19800131", "19801031", True),
        ("19800131", "19800242", False),
        ("19800131", "1980013", False),  # another count of digits
        ("5551234", "5551235", True),
    ],
)
def test_digits_may_be_one_off_or_exchanged(rules, left, right, near):
    assert on_texts(rules, "digit_distance", 1, (left, right)) == [near]


def test_dates_are_compared_by_their_parts(rules):
    same_parts = [("19800131", "19800231"), ("19800131", "19810231"), ("19800131", "soon")]
    assert on_texts(rules, "same_date_parts", 2, *same_parts) == [True, False, False]
    assert on_texts(rules, "same_year", 1, *same_parts) == [True, False, False]
    assert on_texts(rules, "same_month_day", 1, ("19800131", "19810131")) == [True]
    assert on_texts(rules, "day_month_swapped", 1, ("19800302", "19800203"), ("19800303", "19800404")) == [
        True,
        False,
    ]
    assert on_texts(rules, "days_apart", 31, ("19800131", "19800212"), ("19800131", "19801231")) == [
        True,
        False,
    ]


def test_a_day_that_half_the_file_has_is_an_unknown_day(rules):
    distinct = [f"{year}0101" for year in range(1800, 1860)] + ["18500615", "18500616"]
    values = values_of(rules, distinct)
    day_known = [int(k) for k in np.flatnonzero(values.date_parts[2])]
    assert day_known == [61, 62]
    assert holds("date_digit_distance", 1, values, (1, 2), (61, 62)) == [False, True]
    assert holds("same_year", 1, values, (51, 61)) == [True]


def test_mailboxes_of_roles_and_free_providers_are_nobodys_own(rules):
    distinct = ["info@a.com", "info@b.com", "jane.roe@a.com", "jane.roe@gmail.com", "joe@gmail.com"]
    parts = [text.partition("@") for text in distinct]
    values = values_of(
        rules,
        distinct,
        Kind.EMAIL,
        local=[p[0] for p in parts],
        domain=[p[2] for p in parts],
        role=[p[0] == "info" for p in parts],
        free_provider=[p[2] == "gmail.com" for p in parts],
    )
    assert holds("same_local_part", 1, values, (1, 2), (3, 4)) == [False, True]
    assert holds("same_own_domain", 1, values, (1, 3), (4, 5)) == [True, False]
    assert holds("similar_mailbox", 0.8, values, (1, 3), (4, 5)) == [False, False]


def test_similar_mailboxes_need_both_parts_alike(rules):
    distinct = ["john.smith@acme.com", "jon.smith@acme.org", "john.smith@zzz.net"]
    parts = [text.partition("@") for text in distinct]
    values = values_of(rules, distinct, Kind.EMAIL, local=[p[0] for p in parts], domain=[p[2] for p in parts])
    assert holds("similar_mailbox", 0.8, values, (1, 2), (1, 3)) == [True, False]


words = st.lists(st.sampled_from(["red", "blue", "green", "inc"]), min_size=1, max_size=4).map(" ".join)


@given(st.lists(words, min_size=2, max_size=6, unique=True))
def test_shared_words_weigh_as_sets_do(rules, distinct):
    values = values_of(rules, distinct, Kind.BUSINESS)
    seen = {w: sum(w in text.split() for text in distinct) for text in distinct for w in text.split()}
    weight = {w: np.log((len(distinct) + 2) / n) for w, n in seen.items()}
    for i, x in enumerate(distinct):
        for j, y in enumerate(distinct):
            a, b = np.array([i + 1]), np.array([j + 1])
            expected = sum(weight[w] for w in set(x.split()) & set(y.split()))
            assert values.tokens.shared(a, b)[0] == pytest.approx(expected)


def test_a_short_company_name_is_contained_in_its_long_form(rules):
    assert on_texts(rules, "words_contained", 0.3, ("acme", "acme tools"), ("acme red", "blue tools")) == [
        True,
        False,
    ]
    assert on_texts(rules, "shared_words", 0.8, ("acme tools", "tools acme")) == [True]


def test_postal_codes_of_one_area(rules):
    pairs = [("sw1a1aa", "sw1a2bb"), ("90210", "90299"), ("90210", "10210")]
    assert on_texts(rules, "same_postal_area", 1, *pairs) == [True, True, False]


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("12 Main Street", "12 Main St", "exact"),
        ("12 Maine Street", "12 Main St", "number and similar street"),
        ("22O8 Treeflower Dr", "2208 Treeflower Dr", "number and similar street"),
        ("Main Street", "12 Main St", "street, number near or missing"),
        ("12 Main Street", "77 Main St", "street"),
        ("12 Main Street", "12 Elm Avenue", "number"),
        ("12 Main Street", "77 Elm Avenue", "differ"),
    ],
)
def test_addresses_agree_by_number_and_street(columns, left, right, level):
    made = columns([{"address": {"address1": left}}, {"address": {"address1": right}}])
    column = next(c for c in made if c.name == "address")
    bins = [np.zeros(column.wholes, np.uint8)]
    byte = compare([column], bins, (np.array([0]), np.array([1])))[0]
    assert column.comparison.rising[level_of(column, byte)[0]].label == level


def test_texts_of_a_large_vocabulary_are_those_of_a_small_one(rules, monkeypatch):
    distinct, codes = [f"text{k}" for k in range(40)], np.random.default_rng(1).integers(0, 41, 100)
    kept = values_of(rules, distinct).strings(codes)
    monkeypatch.setattr("resolver.matching.values._KEPT_AS_STRINGS", 10)
    assert values_of(rules, distinct).strings(codes) == kept == [["", *distinct][k] for k in codes]
