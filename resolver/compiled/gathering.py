"""Looking up and merging by kernels: passes over whole columns that NumPy makes with copies in between."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.library import call, run

Array: TypeAlias = NDArray[Any]


def code_counts(codes: Array, different: int) -> Array:
    """How often each of so many codes stands in a column."""
    times = np.zeros(different, np.int32)
    call("code_counts", run(codes, np.uint32), codes.size, times)
    return times


def add_entries(sums: Array, table: Array, codes: Array) -> None:
    """Add the entries of each row's codes to its sum, in place."""
    call("add_entries", run(table, np.uint64), run(codes, np.uint32), *codes.shape, sums)


def unpacked(words: Array) -> tuple[Array, Array]:
    """Left and right of pair words."""
    words = run(words, np.uint64)
    left, right = np.empty(len(words), np.uint32), np.empty(len(words), np.uint32)
    call("unpacked", words, len(words), left, right)
    return left, right


def strata_of(part: Array, number: Array, sides: tuple[Array, Array]) -> Array:
    """The stratum of each pair of rows."""
    left, right = (run(side, np.uint32) for side in sides)
    out = np.empty(len(left), np.uint8)
    call("strata_of", run(part, np.uint8), run(number, np.uint8), len(number), left, right, len(left), out)
    return out


def inserted(old: Array, at: Array, more: Array) -> Array:
    """As ``numpy.insert``: ``more`` before the places ``at``, which rise."""
    out = np.empty(len(old) + len(at), old.dtype)
    more = np.ascontiguousarray(more, old.dtype)
    call("inserted", old, len(old), old.itemsize, run(at, np.int64), more, len(at), out)
    return out


def told(row: Array, at: Array, stratum: Array | None, column: tuple[int, Array]) -> tuple[Array, Array]:
    """Level and weight of the pairs at those places of a row of bytes.

    ``column`` is the level of equality, and the weight of each byte (a row per stratum) as float32.
    """
    top, table = column
    level, weight = np.empty(len(at), np.int8), np.empty(len(at), np.float32)
    stratum = None if stratum is None else run(stratum, np.uint8)
    given = run(row, np.uint8), run(at, np.int64), stratum, len(at), top, run(table, np.float32)
    call("told", *given, level, weight)
    return level, weight


def packed(slots: Array) -> Array:
    """Each row's distinct values but 0 moved to the left; ``slots`` has a row per column of values."""
    values = run(slots, np.uint32)
    count, rows = values.shape
    used = max(1, call("packed", values, rows, count, None, 0))
    out = np.empty((rows, used), np.uint32)
    call("packed", values, rows, count, out, used)
    return out


def looked_up(table: Array, index: Array) -> Array:
    """``table[index]`` of a column of whole numbers below 2**32; entries take up to eight bytes."""
    out = np.empty(len(index), table.dtype)
    call("looked_up", run(table, table.dtype.type), table.itemsize, run(index, np.uint32), len(index), out)
    return out


def of_one(number: Array, sides: tuple[Array, Array]) -> Array:
    """Which pairs of rows have one number."""
    left, right = (run(side, np.uint32) for side in sides)
    out = np.empty(len(left), bool)
    call("of_one", run(number, np.int64), left, right, len(left), out)
    return out


def rows_of(codes: Array, order: Array) -> Array:
    """``codes[order]`` of rows of codes."""
    out = np.empty((len(order), codes.shape[1]), np.uint32)
    call("rows_of", run(codes, np.uint32), codes.shape[1], run(order, np.int64), len(order), out)
    return out
