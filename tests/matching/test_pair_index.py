from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching import pair_index
from resolver.matching.pair_index import (
    all_pairs,
    find,
    find_of_all,
    grouped_pairs,
    order_of_pairs,
    pack,
    pairs_within,
    unpack,
)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(2, 4))
def test_pairs_within_labels_are_those_that_a_loop_finds(labels, smallest):
    expected = [
        (i, j)
        for i, j in combinations(range(len(labels)), 2)
        if labels[i] == labels[j] and labels.count(labels[i]) >= smallest
    ]
    left, right = unpack(pairs_within(np.array(labels), smallest))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == expected


def test_all_pairs_are_sorted_and_complete():
    left, right = unpack(all_pairs(4))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == list(combinations(range(4), 2))


def test_find_says_where_a_word_stands_and_minus_one_where_it_does_not():
    words = pack(np.array([0, 1, 2]), np.array([3, 4, 5]))
    wanted = pack(np.array([2, 0, 9]), np.array([5, 2, 9]))
    assert find(words, wanted).tolist() == [2, -1, -1]
    assert find(words[:0], wanted).tolist() == [-1, -1, -1]


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 7, 2**32 - 1]), st.sampled_from([0, 3, 2**31])), max_size=20)
)
def test_grouped_pairs_are_each_there_once_and_lead_back(pairs):
    one, other = (np.array([pair[k] for pair in pairs], np.uint32) for k in (0, 1))
    a, b, group = grouped_pairs(one, other)
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == sorted(set(pairs))
    assert (a[group] == one).all()
    assert (b[group] == other).all()


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 7, 2**32 - 1]), st.sampled_from([0, 3, 2**31])), max_size=20)
)
def test_pairs_are_ordered_by_the_first_then_the_second_then_their_place(pairs):
    one, other = (np.array([pair[k] for pair in pairs], np.uint32) for k in (0, 1))
    assert order_of_pairs(one, other).tolist() == sorted(range(len(pairs)), key=lambda at: (*pairs[at], at))


@pytest.mark.parametrize("profiles", [2, 3, 50])
def test_pairs_among_all_are_found_by_arithmetic_where_a_search_finds_them(profiles):
    every = all_pairs(profiles)
    wanted = every[np.random.default_rng(1).permutation(len(every))]
    assert np.array_equal(find_of_all(profiles, wanted), find(every, wanted))


def test_pairs_are_grouped_by_a_table_as_by_sorting(monkeypatch):
    draw = np.random.default_rng(2)
    one, other = (draw.integers(0, 30, 2_000).astype(np.uint32) for _ in range(2))
    by_table = grouped_pairs(one, other)
    monkeypatch.setattr(pair_index, "_TABLE", 0)
    for table, sorted_ in zip(by_table, grouped_pairs(one, other), strict=True):
        assert np.array_equal(table, sorted_)
