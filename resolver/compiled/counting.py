"""Counting by kernels: what ``frequency`` and ``strata_estimation`` count in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.library import addresses, call, run

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]


def in_groups(number: Array, groups: int | None = None) -> tuple[Array, Array]:
    """Where each number begins among the rows ordered by it (one more entry than numbers), and those rows.

    ``groups`` is how many numbers there may be.
    """
    number = run(number, np.int64)
    groups = int(number.max(initial=-1)) + 1 if groups is None else groups
    starts, order = np.empty(groups + 1, np.uint32), np.empty(len(number), np.uint32)
    call("in_groups", number, len(number), groups, starts, order)
    return starts, order


def count_values(
    whole: Array,
    groups: tuple[Array, Array] | None,
    parts: tuple[int, Array | None],
    shared: tuple[int, Array],
) -> tuple[Array, Array, Array]:
    """Groups with each value in each part, shape (parts, values), and anywhere; those with any, by part.

    Last of these are those with any value in any part.

    ``groups`` are ``in_groups``; without them every row is a group. ``parts`` is how many there are, and that
    of each row. ``shared`` is how many values are asked for, and 64 bits a word that say which (never 0).
    """
    many, part = parts
    asked, bits = shared
    starts, order = groups or (None, None)
    count = len(whole) if starts is None else len(starts) - 1
    counts, having = np.zeros((many, asked), np.uint32), np.zeros(many + 1, np.int64)
    again = np.zeros(asked, np.uint32)
    part = None if part is None else run(part, np.uint8)
    told = run(whole, np.uint32), whole.shape[1], bits, 64 * (len(bits) - 1), asked
    call("count_values", order, starts, count, many, part, *told, counts, again, having)
    return counts, counts.sum(axis=0, dtype=np.uint32) - again, having


def dense_ranks(numbers: Array, most: int) -> tuple[Array, Array]:
    """The dense rank of each number, which is ``most`` at most, and where each rank stands first."""
    ranks = np.empty(len(numbers), np.intp)
    firsts = np.empty(min(len(numbers), most + 1), np.intp)
    found = call("dense_ranks", run(numbers, np.uint64), len(numbers), most, ranks, firsts)
    return ranks, firsts[:found].copy()


def presences(known: Sequence[Array]) -> Array:
    """A bit per column, up to 16 of them, in which a row is known."""
    columns = [run(own, np.bool_) for own in known]
    out = np.empty(len(columns[0]), np.uint16)
    call("presences", addresses(columns), len(columns), len(out), out)
    return out
