from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.standardising.coding import (
    Coded,
    code,
    encode,
    filled,
    forget,
    pack,
    placed,
    together,
)

COLUMN = st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "é", "ab"])))


def read(column, texts=None):
    column = column if isinstance(column, Coded) else Coded(column, texts)
    return [column.texts[int(number)] for number in column.codes]


@given(COLUMN, COLUMN)
def test_codes_give_the_texts_back_and_blank_is_zero(first, second):
    columns = [pl.Series(first, dtype=pl.String), pl.Series(second, dtype=pl.String)]
    (one, two), texts = encode(columns)
    assert read(one, texts) == [text or "" for text in first]
    assert read(two, texts) == [text or "" for text in second]
    assert texts[0] == ""
    assert texts.n_unique() == len(texts)


@given(COLUMN, COLUMN)
def test_columns_coded_apart_can_share_a_vocabulary(first, second):
    apart = [code(pl.Series(column, dtype=pl.String)) for column in (first, second)]
    (one, two), texts = together(apart)
    assert read(one, texts) + read(two, texts) == [text or "" for text in first + second]


def test_cleaned_texts_fall_together():
    column = code(pl.Series(["A", "a", None, "b"]))
    assert read(column.cleaned(column.texts.str.to_lowercase())) == ["a", "a", "", "b"]


def test_other_values_can_be_filled_in():
    column = filled(code(pl.Series(["a", "b", None])), np.array([1, 2]), code(pl.Series(["a", "c"])))
    assert read(column) == ["a", "a", "c"]


def test_forgotten_values_are_unknown():
    coded = code(pl.Series(["a", "b"]))
    assert read(forget(coded.codes, coded.texts == "a"), coded.texts) == ["", "b"]
    assert forget(coded.codes, coded.texts == "z") is coded.codes


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 3)))
def test_slots_are_distinct_and_packed_to_the_left_in_their_order(rows):
    packed = pack(np.array(rows, np.uint32).reshape(-1, 3).T)
    assert packed.shape[1] == max([1, *(len(set(row) - {0}) for row in rows)])
    for row, slots in zip(rows, packed.tolist(), strict=True):
        expected = [value for value in dict.fromkeys(row) if value]
        assert slots == expected + [0] * (len(slots) - len(expected))


def test_placing_values_leaves_the_column_itself_alone():
    column = pl.Series(["a", "b"])
    assert placed(column, pl.Series([1]), "c").to_list() == ["a", "c"]
    assert column.to_list() == ["a", "b"]
