"""First and last names that agree only crosswise, and lone names that may be either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from resolver.compiled import comparing, library
from resolver.matching.levels import distinct_level_index
from resolver.matching.nearness import nearly_spelled
from resolver.matching.sides import Sides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array

_Names: TypeAlias = "tuple[Array, Array]"

#: How names can agree crosswise: both exchanged, a lone first name with a last name, or the reverse.
_EXCHANGED, _AS_LAST, _AS_FIRST = range(3)
#: The bit of each way in what the kernel tells; the last two are of the right side's lone name.
_WAYS: Final = (1, 2, 4, 8, 16)


def try_swapped_names(
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
    bytes_first, bytes_last = out[f], out[k]

    for way, at, (f1, l1), (f2, l2) in _crosswise((first, last), pairs, (bytes_first, bytes_last)):
        if way == _EXCHANGED:
            names = (first, last), (of_values[f], of_values[k])
            one_way = _both_crossed(*names, (f1, l2), (l1, f2))
            other_way = _both_crossed(*names, (l1, f2), (f1, l2))
            # which name counts as the first must not depend on which profile is left: the better reading
            turn = (other_way[0] > one_way[0]) | ((other_way[0] == one_way[0]) & (other_way[1] > one_way[1]))
            cross_first, cross_last = (
                np.where(turn, other_way[0], one_way[0]),
                np.where(turn, other_way[1], one_way[1]),
            )
            # one way close or equal, the other way at least similar
            near = (cross_first >= first.top) & (cross_last > 1) | (cross_first > 1) & (
                cross_last >= last.top
            )
            bytes_first[at[near]] = cross_first[near]
            bytes_last[at[near]] = cross_last[near]
        elif way == _AS_LAST:
            as_last = _crossed(last, of_values[k], f1, l2)
            taken = as_last >= last.top
            bytes_last[at[taken]] = as_last[taken]
            bytes_first[at[taken]] = 0
        else:
            as_first = _crossed(first, of_values[f], l1, f2)
            taken = as_first >= first.top
            bytes_first[at[taken]] = as_first[taken]
            bytes_last[at[taken]] = 0


def _crosswise(
    columns: tuple[Column, Column], pairs: tuple[Array, Array], bytes_: tuple[Array, Array]
) -> Iterator[tuple[int, Array, _Names, _Names]]:
    """Pairs whose names may agree crosswise, way by way: places, first and last names of both sides.

    A way sees what the ways before it made of the bytes; the lone name is the first side's.
    """
    (values,), (first,), (last,) = columns[0].values, columns[0].codes, columns[1].codes
    at = ways = None
    if library.there():
        at, ways = comparing.crosswise(values.spelling, (first, last), pairs, bytes_)
        pairs = pairs[0][at], pairs[1][at]
    left, right = pairs
    one = first[left, 0], last[left, 0]
    other = first[right, 0], last[right, 0]
    turns = (
        (_EXCHANGED, one, other),
        (_AS_LAST, one, other),
        (_AS_FIRST, one, other),
        (_AS_LAST, other, one),
        (_AS_FIRST, other, one),
    )
    for told, (way, (f1, l1), (f2, l2)) in zip(_WAYS, turns, strict=True):
        open_first, open_last = (row <= 1 if at is None else row[at] <= 1 for row in bytes_)
        if way == _EXCHANGED:
            may = (f1 > 0) & (l1 > 0) & (f2 > 0) & (l2 > 0) & open_first & open_last
        elif way == _AS_LAST:
            may = (f1 > 0) & (l1 == 0) & (l2 > 0) & open_first
        else:
            may = (l1 > 0) & (f1 == 0) & (f2 > 0) & open_last
        if ways is not None:
            may &= ways & told > 0
        here = np.flatnonzero(may)
        if ways is None:
            close = np.zeros(len(here), bool)
            for a, b in ((f1, l2), (l1, f2)):
                if way == _EXCHANGED or (a is f1) == (way == _AS_LAST):
                    close |= nearly_spelled(values, a[here], b[here])
            here = here[close]
        names = (f1[here], l1[here]), (f2[here], l2[here])
        yield way, here if at is None else at[here], *names


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
