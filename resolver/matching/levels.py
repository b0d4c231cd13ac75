"""The level of two values that are not equal: the first from the top of which any test holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import comparing, library
from resolver.matching.pair_index import grouped_pairs
from resolver.matching.sides import Sides
from resolver.matching.similarity import TESTS

if TYPE_CHECKING:
    from resolver.matching.columns import Column
    from resolver.matching.values import Array

#: Distinct value pairs tested at a time: what is looked up for them stays in the cache.
TESTED: Final = 262_144
#: Fewer pairs are not worth to be told apart.
WORTH_GROUPING: Final = 4_096


def distinct_level_index(column: Column, sides: Sides) -> Array:
    """``level_index``, which does not depend on which side is which, once for every pair of values."""
    if len(column.values) > 1 or len(sides) < WORTH_GROUPING:
        return level_index(column, sides)
    (a,), (b,) = sides.a, sides.b
    low, high, group = grouped_pairs(np.minimum(a, b), np.maximum(a, b))
    return level_index(column, Sides(column.values, (low,), (high,), distinct=True))[group]


def level_index(column: Column, sides: Sides) -> Array:
    """The level of pairs that are not equal: the first from the top of which any test holds."""
    out = np.zeros(len(sides), np.uint8)
    for start in range(0, len(sides), TESTED):
        part = slice(start, start + TESTED)
        # machine words are looked up in a third of the time of shorter ones
        a, b = (tuple(x[part].astype(np.intp) for x in side) for side in (sides.a, sides.b))
        own = Sides(sides.values, a, b, sides.distinct)
        out[part] = _tested(column, own)
    return out


def _tested(column: Column, sides: Sides) -> Array:
    out = np.zeros(len(sides), np.uint8)
    open_ = np.arange(len(sides))
    rising = column.comparison.rising
    for index in range(column.top - 1, 0, -1):
        for test, limit in rising[index].when.items():
            if not len(open_):
                return out
            holds = TESTS[test].holds(sides, limit)
            if not holds.any():
                continue
            if library.there():
                many = comparing.settled(holds, (out, index), open_, (sides.a, sides.b))
                open_, sides = open_[:many], sides.first(many)
                continue
            out[open_[holds]] = index
            left = np.flatnonzero(~holds)
            open_, sides = open_[left], sides.take(left)
    return out
