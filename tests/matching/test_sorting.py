from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.sorting import ascending, dense_ranks, ordered_hashes, ranked, stable_order

SIZES = [0, 1, 100, 4_095, 4_096, 20_000]  # below and above where Polars takes over


@pytest.mark.parametrize("size", SIZES)
def test_words_come_back_in_order_and_the_given_ones_stay(size: int) -> None:
    words = np.random.default_rng(size).integers(0, 2**64, size, dtype=np.uint64)
    before = words.copy()
    ordered = ascending(words)
    assert ordered.dtype == np.uint64
    assert ordered.tolist() == sorted(before.tolist())
    assert np.array_equal(words, before)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("most", [1, 7, 2**20, 2**62])  # the last leaves no room for places in a word
def test_equal_numbers_keep_their_order(size: int, most: int) -> None:
    numbers = np.random.default_rng(size).integers(0, most, size, endpoint=True)
    assert np.array_equal(stable_order(numbers), np.argsort(numbers, kind="stable"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lowest", [0, 1, 40])  # bits in which hashes differ from: 0 where only low ones do
def test_hashes_are_ordered_though_they_differ_in_their_lower_bits_only(size: int, lowest: int) -> None:
    hashes = np.random.default_rng(size).integers(0, 64, size, dtype=np.uint64) << np.uint64(lowest)
    order, ordered = ordered_hashes(hashes)
    assert np.array_equal(order, np.argsort(hashes, kind="stable"))
    assert np.array_equal(ordered, hashes[order])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("most", [1, 7, 2**62])
def test_ranks_are_those_of_distinct_numbers_and_lead_back_to_their_first_places(
    size: int, most: int
) -> None:
    numbers = np.random.default_rng(size).integers(0, most, size, dtype=np.uint64)
    ranks, examples = dense_ranks(numbers)
    kept, first, expected = np.unique(numbers, return_index=True, return_inverse=True)
    assert np.array_equal(ranks, expected)
    assert np.array_equal(examples, first)
    assert np.array_equal(numbers[examples], kept)


@given(st.lists(st.integers(0, 12) | st.integers(2**63, 2**63 + 3) | st.integers(0, 2**64 - 1), max_size=40))
def test_hashes_are_ranked_even_where_they_differ_in_their_lowest_bits_only(hashes: list[int]) -> None:
    words = np.array(hashes, np.uint64)
    ranks, example = ranked(*ordered_hashes(words))
    distinct = sorted(set(hashes))
    assert ranks.tolist() == [distinct.index(h) for h in hashes]
    assert words[example].tolist() == distinct
