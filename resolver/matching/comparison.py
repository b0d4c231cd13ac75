"""Pairs to one byte per comparison: the level, and at equality also how common the shared value is.

Byte 0 is unknown on a side; 1 + level below equality; from 1 + top on, equality in bins of value frequency.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import comparing, library
from resolver.matching.columns import slot_pairs
from resolver.matching.crosswise import try_swapped_names
from resolver.matching.echoes import echoes, without_spelling
from resolver.matching.levels import distinct_level_index, level_index
from resolver.matching.pair_index import pack
from resolver.matching.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array

#: Pairs compared at a time: as many as memory allows, for equal pairs of values are compared once in each.
BATCH: Final = 1_048_576
#: Fewer pairs are not worth a thread.
_WORTH_THREADS: Final = 4_096
#: Fewer are not worth being halved: what is done once for each half takes longer.
_WORTH_HALVES: Final = 65_536
_THREADS: Final = 2
#: Pairs of values that tell whether others like them are many.
_ASKED: Final = 4_096


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
            sides = rows_of(left[part]), rows_of(right[part])

            def fill(k: int, part: slice = part, sides: tuple[Array, Array] = sides) -> None:
                out[k, part] = _column_bytes(columns[k], of_values[k], sides)

            def cross(own: slice, part: slice = part, sides: tuple[Array, Array] = sides) -> None:
                of_part = (sides[0][own], sides[1][own])
                try_swapped_names(columns, of_values, of_part, out[:, part][:, own])
                k, at = echoes(columns, of_part, out[:, part][:, own])
                if len(at):
                    echoing = of_part[0][at], of_part[1][at]
                    out[k, part][own][at] = _column_bytes(without_spelling(columns[k]), of_values[k], echoing)

            list(run(fill, most_work_first))
            size = len(sides[0])
            halves = (slice(size // 2), slice(size // 2, size))
            list(run(cross, halves if size >= _WORTH_HALVES else [slice(size)]))
    return out


def rows_of(side: Array) -> Array:
    """Row numbers as they are looked up fastest."""
    return np.ascontiguousarray(side, np.uint32 if library.there() else np.intp)


def rebin(columns: Sequence[Column], bins: Sequence[Array], pairs: tuple[Array, Array], out: Array) -> None:
    """Rewrite the bytes of equal values for new bins, in place. Swapped names keep the bins they had."""
    pairs = left, right = rows_of(pairs[0]), rows_of(pairs[1])

    def rewrite(k: int) -> None:
        of_value = columns[k].equal_bytes(bins[k])
        if library.there():
            comparing.rebinned((columns[k].whole, of_value, columns[k].top), pairs, out[k])
            return
        equal = np.flatnonzero(out[k] > columns[k].top)
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
    if library.there():
        return _bytes_by_kernels(column, of_value, pairs)
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


def _bytes_by_kernels(column: Column, of_value: Array, pairs: tuple[Array, Array]) -> Array:
    """``_column_bytes`` by kernels."""
    out = np.empty(len(pairs[0]), np.uint8)
    at, a, b = comparing.equal_or_open((column.codes, column.whole), of_value, pairs, out)
    group = None
    if len(column.values) == 1 and _repeat(a[0], b[0]):
        low, high, group = comparing.grouped(a[0], b[0])
        a, b = [low], [high]
    levels = level_index(column, Sides(column.values, tuple(a), tuple(b), distinct=group is not None))
    comparing.raised(out, at, group, levels)
    return out


def _repeat(a: Array, b: Array) -> bool:
    """Whether a pair of codes stands twice on average, as far as some of them tell."""
    if len(a) < max(_WORTH_THREADS, 1):
        return False
    some = np.arange(_ASKED) * len(a) // _ASKED
    words = pack(np.minimum(a[some], b[some]), np.maximum(a[some], b[some]))
    alike = _ASKED - len(np.unique(words))
    return alike * 2 * len(a) > _ASKED * _ASKED


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
