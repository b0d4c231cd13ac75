"""Pairs to one byte per comparison: the level, and at equality also how common the shared value is.

Byte 0 is unknown on a side; 1 + level below equality; from 1 + top on, equality in bins of value frequency.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.matching.columns import slot_pairs
from resolver.matching.sides import Sides
from resolver.matching.similarity import TESTS, nearly_spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array

#: Pairs compared at a time by one thread: small enough for the cache, large enough to share string work.
BATCH: Final = 131_072
_THREADS: Final = 2


def compare(columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array]) -> Array:
    """One byte per column and pair, shape (columns, pairs).

    ``bins`` gives each column's frequency bin per whole value; ``pairs`` the row numbers of the two sides.
    """
    left, right = pairs
    out = np.zeros((len(columns), len(left)), np.uint8)

    def fill(start: int) -> None:
        part = slice(start, start + BATCH)
        sides = (left[part], right[part])
        for k, column in enumerate(columns):
            out[k, part] = _column_bytes(column, bins[k], sides)
        _try_swapped_names(columns, bins, sides, out[:, part])

    starts = range(0, len(left), BATCH)
    if len(starts) <= 1:
        for start in starts:
            fill(start)
        return out
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(fill, starts))
    return out


def rebin(columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array], out: Array) -> None:
    """Rewrite the bytes of equal values for new bins, in place. Swapped names keep the bins they had."""
    left, right = pairs
    for k, column in enumerate(columns):
        for start in range(0, len(left), BATCH):
            part = slice(start, start + BATCH)
            equal = np.flatnonzero(out[k, part] > column.top)
            found = _equal_bytes(column, bins[k], (left[part][equal], right[part][equal]))
            keep = found > 0
            out[k, part][equal[keep]] = found[keep]


def level_of(column: Column, byte: Array) -> Array:
    """Level index per byte: -1 unknown, 0 differ, rising with agreement."""
    return np.minimum(byte.astype(np.int16) - 1, column.top).astype(np.int8)


def _column_bytes(column: Column, bins: Array, pairs: tuple[Array, Array]) -> Array:
    out = _equal_bytes(column, bins, pairs)
    left, right = pairs
    rest = np.flatnonzero(out == 0)
    for i, j in slot_pairs(column):
        a = tuple(codes[left[rest], i] for codes in column.codes)
        b = tuple(codes[right[rest], j] for codes in column.codes)
        known = np.zeros(len(rest), bool)
        for x, y in zip(a, b, strict=True):
            known |= (x > 0) & (y > 0)
        if not known.any():
            continue
        at = np.flatnonzero(known)
        sides = Sides(column.values, tuple(x[at] for x in a), tuple(y[at] for y in b))
        out[rest[at]] = np.maximum(out[rest[at]], 1 + level_index(column, sides))
    return out


def _equal_bytes(column: Column, bins: Array, pairs: tuple[Array, Array]) -> Array:
    """Bytes of the pairs that share a whole value, the rarest one where they share several; else 0."""
    left, right = pairs
    of_value = column.equal_bytes(bins)
    out = np.zeros(len(left), np.uint8)
    for i, j in slot_pairs(column):
        a, b = column.whole[left, i], column.whole[right, j]
        equal = np.flatnonzero((a == b) & (a > 0))
        out[equal] = np.maximum(out[equal], of_value[a[equal]])
    return out


def level_index(column: Column, sides: Sides) -> Array:
    """The level of pairs that are not equal: the first from the top of which any test holds."""
    out = np.zeros(len(sides), np.uint8)
    open_ = np.arange(len(sides))
    rising = column.comparison.rising
    for index in range(column.top - 1, 0, -1):
        for test, limit in rising[index].when.items():
            if not len(open_):
                return out
            holds = TESTS[test].holds(sides.take(open_), limit)
            out[open_[holds]] = index
            open_ = open_[~holds]
    return out


def _try_swapped_names(
    columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array], out: Array
) -> None:
    """First and last name that agree only crosswise agree; a lone name is taken for what it matches.

    Needs one vocabulary for both fields, so that a swap is an integer comparison.
    """
    place = {column.name: k for k, column in enumerate(columns)}
    if "first_name" not in place or "last_name" not in place:
        return
    f, k = place["first_name"], place["last_name"]
    first, last = columns[f], columns[k]
    left, right = pairs
    f1, f2 = first.codes[0][left, 0], first.codes[0][right, 0]
    l1, l2 = last.codes[0][left, 0], last.codes[0][right, 0]

    values = first.values[0]
    both = np.flatnonzero((f1 > 0) & (f2 > 0) & (l1 > 0) & (l2 > 0) & (out[f] <= 1) & (out[k] <= 1))
    both = both[nearly_spelled(values, f1[both], l2[both]) | nearly_spelled(values, l1[both], f2[both])]
    one_way = _crossed(first, bins[f], f1[both], l2[both]), _crossed(last, bins[k], l1[both], f2[both])
    other_way = _crossed(first, bins[f], l1[both], f2[both]), _crossed(last, bins[k], f1[both], l2[both])
    # which name counts as the first must not depend on which profile is left: the better reading of the two
    turn = (other_way[0] > one_way[0]) | ((other_way[0] == one_way[0]) & (other_way[1] > one_way[1]))
    cross_first, cross_last = (
        np.where(turn, other_way[0], one_way[0]),
        np.where(turn, other_way[1], one_way[1]),
    )
    # one way close or equal, the other way at least similar
    near = (cross_first >= first.top) & (cross_last > 1) | (cross_first > 1) & (cross_last >= last.top)
    out[f][both[near]] = cross_first[near]
    out[k][both[near]] = cross_last[near]

    for (one, other), (full_first, full_last) in (((f1, l1), (f2, l2)), ((f2, l2), (f1, l1))):
        alone = np.flatnonzero((one > 0) & (other == 0) & (full_last > 0) & (out[f] <= 1))
        alone = alone[nearly_spelled(values, one[alone], full_last[alone])]
        as_last = _crossed(last, bins[k], one[alone], full_last[alone])
        taken = as_last >= last.top
        out[k][alone[taken]] = as_last[taken]
        out[f][alone[taken]] = 0
        alone = np.flatnonzero((other > 0) & (one == 0) & (full_first > 0) & (out[k] <= 1))
        alone = alone[nearly_spelled(values, other[alone], full_first[alone])]
        as_first = _crossed(first, bins[f], other[alone], full_first[alone])
        taken = as_first >= first.top
        out[f][alone[taken]] = as_first[taken]
        out[k][alone[taken]] = 0


def _crossed(column: Column, bins: Array, a: Array, b: Array) -> Array:
    """Bytes of name ``a`` against name ``b``, both codes of the shared vocabulary."""
    out = np.zeros(len(a), np.uint8)
    equal = a == b
    out[equal] = column.equal_bytes(bins)[a[equal]]
    rest = np.flatnonzero(~equal)
    out[rest] = 1 + level_index(column, Sides(column.values, (a[rest],), (b[rest],)))
    return out
