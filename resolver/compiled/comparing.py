"""Comparing by kernels: what ``comparison``, ``similarity`` and ``values`` do in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.library import addresses, call, run

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]

#: Pairs whose values are compared at a time: their distinct ones are told apart in the cache.
_BATCH: Final = 131_072
#: Starts, numbers and weights of words.
_WORDS: Final[tuple[type[np.generic], ...]] = (np.int64, np.uint32, np.float64)
#: Bytes of a table's entry that another kind of kernel reads.
_NARROW: Final = 4


def equal_or_open(
    columns: tuple[Sequence[Array], Array], of_value: Array, sides: tuple[Array, Array], out: Array
) -> tuple[Array, list[Array], list[Array]]:
    """Bytes of equality into ``out``; the places of the other pairs, once per pair of slots, and their codes.

    ``columns`` are the codes of each field, and of all together.
    """
    codes, whole = [run(own, np.uint32) for own in columns[0]], run(columns[1], np.uint32)
    of_value = run(of_value, np.uint8)
    left, right = (run(side, np.uint32) for side in sides)
    slots = whole.shape[1]
    size = max(_BATCH // (slots * slots), 1024)
    room = min(size, len(out)) * slots * slots + 1
    at, a, b = np.empty((1, room), np.uint32), *(np.empty((len(codes), room), np.uint32) for _ in "ab")
    where, found = addresses(codes), []
    for begin in range(0, len(out), size):
        part = slice(begin, begin + size)
        own = left[part], right[part], len(left[part]), out[part]
        many = call("equal_or_open", where, len(codes), whole, slots, of_value, *own, at, a, b, room)
        found.append((at[:, :many] + np.uint32(begin), a[:, :many].copy(), b[:, :many].copy()))
    if len(found) != 1:
        at, a, b = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    else:
        ((at, a, b),) = found
    return at[0], list(a), list(b)


def rebinned(column: tuple[Array, Array, int], sides: tuple[Array, Array], out: Array) -> None:
    """Rewrite the bytes of pairs that are equal, in place.

    ``column`` is its whole values, the byte of equality of each, and its level.
    """
    whole, of_value, top = column
    whole, of_value = run(whole, np.uint32), run(of_value, np.uint8)
    left, right = (run(side, np.uint32) for side in sides)
    call("rebinned", whole, whole.shape[1], of_value, left, right, len(left), top, out)


def raised(out: Array, at: Array, group: Array | None, levels: Array) -> None:
    """Raise the bytes of pairs to their levels, each level that of its group; in place."""
    group = None if group is None else run(group, np.uint32)
    call("raised", out, run(at, np.uint32), group, run(levels, np.uint8), len(at))


def grouped(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Each pair of codes once, the smaller code first, and which of them stands at each place."""
    low, high, group = (np.empty(len(a), np.uint32) for _ in range(3))
    found = call("grouped", run(a, np.uint32), run(b, np.uint32), len(a), low, high, group)
    return low[:found], high[:found], group


def settled(
    holds: Array, told: tuple[Array, int], open_: Array, sides: tuple[Sequence[Array], Sequence[Array]]
) -> int:
    """Write the level of what holds and drop it from the others, in place; returns how many are left.

    ``told`` are all levels, and the one to be written.
    """
    out, level = told
    a, b = sides
    return call("settled", holds, len(open_), level, out, open_, len(a), addresses(a), addresses(b))


def _codes(sides: tuple[Array, Array]) -> tuple[Array, Array]:
    return run(sides[0], np.int64), run(sides[1], np.int64)


def near(kind: str, spelling: Array, sides: tuple[Array, Array], limit: float) -> Array:
    """Which pairs may be as near as that, as the kernel ``near_by_<kind>`` tells by integers."""
    a, b = _codes(sides)
    out = np.empty(len(a), bool)
    call(f"near_by_{kind}", spelling, a, b, len(a), float(limit), out)
    return out


def near_by_digits(digits: Array, count: Array, sides: tuple[Array, Array], limit: float) -> Array:
    """Which pairs have equally many digits, few of them off or two neighbours exchanged."""
    a, b = _codes(sides)
    out = np.empty(len(a), bool)
    call("near_by_digits", digits, count, a, b, len(a), float(limit), out)
    return out


def same_entry(table: Array, sides: tuple[Array, Array]) -> Array:
    """Which pairs of codes have one entry in a table of whole numbers, which is not 0."""
    a, b = _codes(sides)
    table = run(table, np.uint32 if table.itemsize <= _NARROW else np.uint64)
    out = np.empty(len(a), bool)
    call("same_entry", table, table.itemsize, a, b, len(a), out)
    return out


def shared_words(words: tuple[Array, Array, Array], sides: tuple[Array, Array]) -> Array:
    """The summed weight of the words in common; ``words`` are their starts, numbers and weights."""
    start, token, weight = (run(w, kind) for w, kind in zip(words, _WORDS, strict=True))
    a, b = _codes(sides)
    out = np.empty(len(a))
    call("shared_words", start, token, weight, a, b, len(a), out)
    return out


def crosswise(
    spelling: Array, names: tuple[Array, Array], sides: tuple[Array, Array], bytes_: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Pairs whose names may agree crosswise, and in which ways, one bit each (see the kernel)."""
    (first, last, left, right) = (run(own, np.uint32) for own in (*names, *sides))
    at, ways = np.empty(len(left), np.int64), np.empty(len(left), np.uint8)
    found = call(
        "crosswise",
        spelling,
        first,
        first.shape[1],
        last,
        last.shape[1],
        left,
        right,
        len(left),
        *bytes_,
        at,
        ways,
    )
    return at[:found], ways[:found]
