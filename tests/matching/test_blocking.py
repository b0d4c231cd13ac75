from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.blocking import Limits, block, every_pair
from resolver.matching.key_parts import Part
from resolver.matching.keys import Key, keys_of
from resolver.matching.pair_index import unpack

WIDE = Limits(60, float("inf"))
codes = st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2), min_size=2, max_size=14)


def slow_twin(rows, largest):
    """Profiles that share a value in any slot, of values on at most so many profiles."""
    blocks = {v: {i for i, row in enumerate(rows) if v in row} for row in rows for v in row if v}
    return {
        pair
        for members in blocks.values()
        if len(members) <= largest
        for pair in combinations(sorted(members), 2)
    }


def found(candidates):
    left, right = unpack(candidates.words)
    return list(zip(left.tolist(), right.tolist(), strict=True))


@given(codes, st.integers(2, 6))
def test_blocks_are_those_that_a_dictionary_finds(rows, largest):
    key = Key((Part("value", np.array(rows, np.uint32)),))
    pairs = found(block([key], Limits(largest, float("inf")), 4))
    assert pairs == sorted(slow_twin(rows, largest))


@given(codes)
def test_a_key_of_two_parts_needs_both(rows):
    one, other = (Part(name, np.array(rows, np.uint32)[:, [k]]) for k, name in enumerate(("x", "y")))
    pairs = found(block([Key((one, other))], WIDE, 4))
    assert pairs == [
        (i, j) for i, j in combinations(range(len(rows)), 2) if rows[i] == rows[j] and all(rows[i])
    ]


def test_a_budget_keeps_the_small_blocks():
    values = np.array([[1], [1], [2], [2], [2], [2]], np.uint32)
    key = Key((Part("value", values),))
    assert found(block([key], Limits(60, 3), 3)) == [(0, 1)]
    assert len(block([key], Limits(60, 7), 3).words) == 7


def test_figures_say_what_each_key_brings():
    one = Key((Part("one", np.array([[1], [1], [2], [2]], np.uint32)),))
    two = Key((Part("two", np.array([[1], [1], [1], [3]], np.uint32)),))
    candidates = block([one, two], WIDE, 2)
    assert found(candidates) == [(0, 1), (0, 2), (1, 2), (2, 3)]
    assert candidates.key.tolist() == [0, 1, 1, 0]
    first, second = candidates.figures
    assert (first["pairs"], first["new_pairs"], first["found_only_here"], first["cumulative"]) == (2, 2, 1, 2)
    assert (second["pairs"], second["new_pairs"], second["found_only_here"], second["cumulative"]) == (
        3,
        2,
        2,
        4,
    )
    assert second["largest_block"] == 3


def test_some_profiles_can_be_blocked_alone():
    part = Part("value", np.array([[1], [2], [1], [1]], np.uint32))
    rows = np.array([0, 2, 3])
    assert found(block([Key((part.of(rows),))], WIDE, 2)) == [(0, 1), (0, 2), (1, 2)]


def test_no_keys_and_no_values_bring_no_pairs():
    assert len(block([], WIDE, 2).words) == 0
    assert len(block([Key((Part("empty", np.zeros((3, 1), np.uint32)),))], WIDE, 2).words) == 0
    assert found(every_pair(3)) == [(0, 1), (0, 2), (1, 2)]


@pytest.mark.parametrize(
    ("left", "right", "key"),
    [
        ({"last_name": "Dickens"}, {"last_name": "Dickins"}, "last name less a letter + birth date"),
        ({"first_name": "Catherine"}, {"first_name": "Katharina"}, "sound of a name + birth date"),
        ({"phone_number": "+1 202 555 0123 x7"}, {"phone_number": "202 555 0123"}, "phone"),
        ({"business_name": "Northern Lamp Works"}, {"business_name": "NLW"}, "acronym of business name"),
        ({"first_name": "Anna", "last_name": "Roe"}, {"first_name": "Roe", "last_name": "Anna"},
         "first and last name"),
        ({"address": {"address1": "12 Main St"}}, {"address": {"address1": "12 Main Road"}}, "address"),
    ],
)  # fmt: skip
def test_keys_survive_the_damage_they_are_made_for(columns, left, right, key):
    born = {"birth_date": "1980-01-31"}
    keys = {k.name: k for k in keys_of(columns([{**left, **born}, {**right, **born}]), small=True)}
    assert found(block([keys[key]], WIDE, 1)) == [(0, 1)]


def test_identifiers_are_found_by_either_half(columns):
    made = [
        {"account_number": "ABC1234567"},
        {"account_number": "ABC1299999"},
        {"account_number": "XYZ9934567"},
    ]
    keys = {k.name: k for k in keys_of(columns(made), small=True)}
    assert found(block([keys["first half of account_number"]], WIDE, 2)) == [(0, 1)]
    assert found(block([keys["second half of account_number"]], WIDE, 2)) == [(0, 2)]


def test_large_files_do_without_the_costly_keys(columns):
    made = [{"first_name": "Anna", "last_name": "Roe", "birth_date": "1980-01-31"}] * 2
    small, large = ({k.name for k in keys_of(columns(made), small=small)} for small in (True, False))
    assert large < small
    assert "sound of a name + birth date" in small - large
