"""Counting by kernels: what ``frequency`` and ``strata_estimation`` count in NumPy."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.matching.compiled.library import call

Array: TypeAlias = NDArray[Any]


def in_groups(number: Array) -> tuple[Array, Array]:
    """Where each number begins among the rows ordered by it (one more entry than numbers), and those rows."""
    number = np.ascontiguousarray(number, np.int64)
    groups = int(number.max(initial=-1)) + 1
    starts, order = np.empty(groups + 1, np.uint32), np.empty(len(number), np.uint32)
    call("in_groups", number, len(number), groups, starts, order)
    return starts, order


def count_values(
    whole: Array,
    groups: tuple[Array, Array] | None,
    parts: tuple[int, Array | None],
    places: tuple[Array | None, int],
) -> tuple[Array, Array]:
    """Groups with each value, shape (parts, places), and groups with any value in each part.

    ``groups`` are ``in_groups`` of numbers that are the part modulo ``parts[0]``; without them every row is a
    group, of the part in ``parts[1]``. ``places`` are a place per value (below 0: not asked for; none: its
    own number), and how many there are.
    """
    many, part = parts
    place, width = places
    starts, order = groups or (None, None)
    count = len(whole) if starts is None else len(starts) - 1
    counts, having = np.zeros((many, width), np.int64), np.zeros(many, np.int64)
    call(
        "count_values", order, starts, count, many, part, whole, whole.shape[1], place, width, counts, having
    )
    return counts, having
