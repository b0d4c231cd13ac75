"""What has changed between two files: their profiles found by their names, whatever order they come in."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.changes import _places
from resolver.matching.fingerprints import contents_of

names = st.lists(st.integers(0, 400), unique=True, max_size=300)


def places(held, wanted):
    return _places(np.array(held, np.uint64), np.array(wanted, np.uint64)).tolist()


def slowly(held, wanted):
    return [held.index(name) if name in held else -1 for name in wanted]


@given(names, names)
def test_every_profile_is_found_where_it_stood(held, wanted):
    assert places(held, wanted) == slowly(held, wanted)


@given(names, st.data())
def test_what_stays_in_order_is_found_around_what_goes_and_comes(held, data):
    wanted = [name for name in held if data.draw(st.integers(0, 9))]
    for new in range(1000, 1000 + data.draw(st.integers(0, 9))):
        wanted.insert(data.draw(st.integers(0, len(wanted))), new)
    assert places(held, wanted) == slowly(held, wanted)
    moved = wanted[len(wanted) // 2 :] + wanted[: len(wanted) // 2]
    assert places(held, moved) == slowly(held, moved)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"address": {"city": "Leeds", "state": None}}, {"address": {"city": None, "state": "Leeds"}}),
        ({"address": {"city": "Leeds", "state": "a"}}, {"address": {"city": "Leeds", "state": "b"}}),
        ({"first_name": "Ana", "last_name": "Bo"}, {"first_name": "Bo", "last_name": "Ana"}),
        ({"attributes": [{"key": "a", "value": "b"}]}, {"attributes": [{"key": "a", "value": "c"}]}),
    ],
)
def test_a_value_that_changes_or_moves_changes_the_content(one, other):
    first, second = contents_of(pl.DataFrame([{"profile_id": "x", **row} for row in (one, other)]))
    assert first != second


def test_a_column_of_nulls_changes_nothing():
    there = pl.DataFrame({"profile_id": ["x"], "address": [{"city": "Leeds"}]})
    wider = pl.DataFrame(
        {"profile_id": ["y"], "address": [{"city": "Leeds", "state": None}], "gender": [None]}
    )
    assert contents_of(there).tolist() == contents_of(wider).tolist()
