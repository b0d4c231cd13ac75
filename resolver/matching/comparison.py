"""Pairs to one byte per comparison: the level, and at equality also how common the shared value is.

Byte 0 is unknown on a side; 1 + level below equality; from 1 + top on, equality in bins of value frequency.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from resolver.matching.columns import slot_pairs
from resolver.matching.echoes import echoes, without_spelling
from resolver.matching.pair_index import grouped_pairs
from resolver.matching.sides import Sides
from resolver.matching.similarity import TESTS, nearly_spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array

_Names: TypeAlias = "tuple[Array, Array]"

#: Pairs compared at a time: as many as memory allows, for equal pairs of values are compared once in each.
BATCH: Final = 1_048_576
#: Distinct value pairs tested at a time: what is looked up for them stays in the cache.
_TESTED: Final = 65_536
#: Fewer pairs are not worth a thread.
_WORTH_THREADS: Final = 4_096
_THREADS: Final = 2


def compare(columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array]) -> Array:
    """One byte per column and pair, shape (columns, pairs).

    ``bins`` gives each column's frequency bin per whole value; ``pairs`` the row numbers of the two sides.
    """
    left, right = pairs
    out = np.zeros((len(columns), len(left)), np.uint8)
    of_values = [column.equal_bytes(own) for column, own in zip(columns, bins, strict=True)]
    most_work_first = sorted(range(len(columns)), key=lambda k: -columns[k].slots * columns[k].top)
    with ThreadPoolExecutor(_THREADS) as pool:
        run = pool.map if len(left) >= _WORTH_THREADS else map
        for start in range(0, len(left), BATCH):
            part = slice(start, start + BATCH)
            sides = left[part].astype(np.intp), right[part].astype(np.intp)

            def fill(k: int, part: slice = part, sides: tuple[Array, Array] = sides) -> None:
                out[k, part] = _column_bytes(columns[k], of_values[k], sides)

            def cross(own: slice, part: slice = part, sides: tuple[Array, Array] = sides) -> None:
                of_part = (sides[0][own], sides[1][own])
                _try_swapped_names(columns, of_values, of_part, out[:, part][:, own])
                k, at = echoes(columns, of_part, out[:, part][:, own])
                if len(at):
                    echoing = of_part[0][at], of_part[1][at]
                    out[k, part][own][at] = _column_bytes(without_spelling(columns[k]), of_values[k], echoing)

            list(run(fill, most_work_first))
            size = len(sides[0])
            halves = (slice(size // 2), slice(size // 2, size))
            list(run(cross, halves))
    return out


def rebin(columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array], out: Array) -> None:
    """Rewrite the bytes of equal values for new bins, in place. Swapped names keep the bins they had."""
    left, right = (side.astype(np.intp) for side in pairs)

    def rewrite(k: int) -> None:
        equal = np.flatnonzero(out[k] > columns[k].top)
        of_value = columns[k].equal_bytes(bins[k])
        found = _equal_bytes(columns[k], of_value, (left[equal], right[equal]))
        keep = found > 0
        out[k][equal[keep]] = found[keep]

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(rewrite, range(len(columns))))


def level_of(column: Column, byte: Array) -> Array:
    """Level index per byte: -1 unknown, 0 differ, rising with agreement."""
    return np.minimum(byte.astype(np.int16) - 1, column.top).astype(np.int8)


def _column_bytes(column: Column, of_value: Array, pairs: tuple[Array, Array]) -> Array:
    """The bytes of one column; ``of_value`` is the byte of equality per whole value."""
    if column.slots == len(column.codes) == 1:
        return _bytes_of_single(column, of_value, pairs)
    left, right = pairs
    out = np.zeros(len(left), np.uint8)
    both = np.flatnonzero(column.known[left] & column.known[right])
    left, right = left[both], right[both]
    found = _equal_bytes(column, of_value, (left, right))
    rest = np.flatnonzero(found == 0)
    places, sides = _unequal(column, (left[rest], right[rest]))
    levels = distinct_level_index(column, sides)
    start = 0
    for at in places:
        here = rest[at]
        found[here] = np.maximum(found[here], 1 + levels[start : start + len(at)])
        start += len(at)
    out[both] = found
    return out


def _bytes_of_single(column: Column, of_value: Array, pairs: tuple[Array, Array]) -> Array:
    """``_column_bytes`` where a profile has one value of one field: every code is looked up once."""
    codes, whole = column.codes[0][:, 0], column.whole[:, 0]
    a, b = (codes[side] for side in pairs)
    out = np.zeros(len(a), np.uint8)
    both = np.flatnonzero((a > 0) & (b > 0))
    a, b = a[both], b[both]
    if column.whole is column.codes[0]:
        one, equal = a, a == b
    else:
        one, other = (whole[side[both]] for side in pairs)
        equal = (one == other) & (one > 0)
    found = np.empty(len(a), np.uint8)
    at, rest = np.flatnonzero(equal), np.flatnonzero(~equal)
    found[at] = of_value[one[at]]
    found[rest] = 1 + distinct_level_index(column, Sides(column.values, (a[rest],), (b[rest],)))
    out[both] = found
    return out


def _filled(codes: Sequence[Array]) -> list[Array]:
    """Where each slot holds a value."""
    return [np.flatnonzero(slot) for slot in codes]


def _unequal(column: Column, pairs: tuple[Array, Array]) -> tuple[list[Array], Sides]:
    """Every slot of one side with every slot of the other where both are known, under each other.

    Returns which pairs each slot pair is known for, in the order in which their sides follow each other.
    """
    left, right = pairs
    ones, others = (
        [[codes[:, slot][side] for codes in column.codes] for slot in range(column.slots)]
        for side in (left, right)
    )
    places = []
    a: list[list[Array]] = [[] for _ in column.codes]
    b: list[list[Array]] = [[] for _ in column.codes]
    single = len(column.codes) == 1
    here, there = (_filled([slot[0] for slot in side]) if single else [] for side in (ones, others))
    for i, j in slot_pairs(column):
        if single:
            at = _both(here[i], there[j], (ones[i][0], others[j][0]))
        else:
            known = np.zeros(len(left), bool)
            for x, y in zip(ones[i], others[j], strict=True):
                known |= (x > 0) & (y > 0)
            at = np.flatnonzero(known)
        places.append(at)
        for field, (x, y) in enumerate(zip(ones[i], others[j], strict=True)):
            a[field].append(x[at])
            b[field].append(y[at])
    return places, Sides(
        column.values, tuple(np.concatenate(x) for x in a), tuple(np.concatenate(y) for y in b)
    )


def _both(here: Array, there: Array, codes: tuple[Array, Array]) -> Array:
    """Where both sides hold a value: those of the side that fewer hold one of, if the other does too."""
    one, other = codes
    return here[other[here] > 0] if len(here) <= len(there) else there[one[there] > 0]


def _equal_bytes(column: Column, of_value: Array, pairs: tuple[Array, Array]) -> Array:
    """Bytes of the pairs that share a whole value, the rarest one where they share several; else 0."""
    left, right = pairs
    ones, others = ([column.whole[:, slot][side] for slot in range(column.slots)] for side in (left, right))
    out = np.zeros(len(left), np.uint8)
    here, there = _filled(ones), _filled(others)
    for i, j in slot_pairs(column):
        a, b = ones[i], others[j]
        at = here[i] if len(here[i]) <= len(there[j]) else there[j]
        equal = at[a[at] == b[at]]
        out[equal] = np.maximum(out[equal], of_value[a[equal]])
    return out


def distinct_level_index(column: Column, sides: Sides) -> Array:
    """``level_index``, which does not depend on which side is which, once for every pair of values."""
    if len(column.values) > 1 or len(sides) < _WORTH_THREADS:
        return level_index(column, sides)
    (a,), (b,) = sides.a, sides.b
    low, high, group = grouped_pairs(np.minimum(a, b), np.maximum(a, b))
    return level_index(column, Sides(column.values, (low,), (high,), distinct=True))[group]


def level_index(column: Column, sides: Sides) -> Array:
    """The level of pairs that are not equal: the first from the top of which any test holds."""
    out = np.zeros(len(sides), np.uint8)
    for start in range(0, len(sides), _TESTED):
        part = slice(start, start + _TESTED)
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
            if holds.any():
                out[open_[holds]] = index
                left = np.flatnonzero(~holds)
                open_, sides = open_[left], sides.take(left)
    return out


def _try_swapped_names(
    columns: Sequence[Column], of_values: Sequence[Array], pairs: tuple[Array, Array], out: Array
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
    names = (first, last), (of_values[f], of_values[k])
    one_way = _both_crossed(*names, (f1[both], l2[both]), (l1[both], f2[both]))
    other_way = _both_crossed(*names, (l1[both], f2[both]), (f1[both], l2[both]))
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
        as_last = _crossed(last, of_values[k], one[alone], full_last[alone])
        taken = as_last >= last.top
        out[k][alone[taken]] = as_last[taken]
        out[f][alone[taken]] = 0
        alone = np.flatnonzero((other > 0) & (one == 0) & (full_first > 0) & (out[k] <= 1))
        alone = alone[nearly_spelled(values, other[alone], full_first[alone])]
        as_first = _crossed(first, of_values[f], other[alone], full_first[alone])
        taken = as_first >= first.top
        out[f][alone[taken]] = as_first[taken]
        out[k][alone[taken]] = 0


def _both_crossed(
    columns: tuple[Column, Column], of_values: tuple[Array, Array], one: _Names, other: _Names
) -> tuple[Array, Array]:
    """Bytes of one pair as first names, and of the other as last names where the first are similar."""
    as_first = _crossed(columns[0], of_values[0], *one)
    similar = np.flatnonzero(as_first > 1)
    as_last = np.zeros(len(as_first), np.uint8)
    as_last[similar] = _crossed(columns[1], of_values[1], other[0][similar], other[1][similar])
    return as_first, as_last


def _crossed(column: Column, of_value: Array, a: Array, b: Array) -> Array:
    """Bytes of name ``a`` against name ``b``, both codes of the shared vocabulary."""
    out = np.zeros(len(a), np.uint8)
    equal = a == b
    out[equal] = of_value[a[equal]]
    rest = np.flatnonzero(~equal)
    out[rest] = 1 + distinct_level_index(column, Sides(column.values, (a[rest],), (b[rest],)))
    return out
