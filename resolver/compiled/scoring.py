"""Scoring by kernels: what ``scoring`` and ``estimation`` look up and sum in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.library import addresses, call, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array: TypeAlias = NDArray[Any]


def _by_rows(bytes_: Array) -> Array:
    """The bytes with each row in one run."""
    as_is = bytes_.dtype == np.uint8 and bytes_.strides[1] == 1 and bytes_.strides[0] >= 0
    return bytes_ if as_is else run(bytes_, np.uint8)


def _rows(bytes_: Array) -> tuple[int, int, int]:
    """Where rows begin, how far they are apart, and how long each is."""
    return int(addresses([bytes_])[0]), bytes_.strides[0], bytes_.shape[1]


def odds(
    own: tuple[Array, Sequence[Array]],
    tied: tuple[Sequence[tuple[Mapping[int, Array], int | None]], Sequence[Array]],
    pairs: tuple[Array, Array | None],
    wanted: tuple[float, bool],
) -> tuple[Array, Array, Array]:
    """Prior and summed weights; the sum of what relations tie; each relation's, if asked for.

    ``own`` are the priors and every column's table; ``tied`` each relation's tables (ratios) on top of its
    base's, and its rates; ``pairs`` their bytes and strata; ``wanted`` the most that odds may be, and whether
    each relation's are asked for.
    """
    most, each = wanted
    (priors, columns), (relations, rates), (bytes_, stratum) = own, tied, pairs
    bytes_ = _by_rows(bytes_)
    count = len(relations)
    tables = [run(table, np.float64) for table in columns]
    ratios = [(k, run(table, np.float64)) for held, _ in relations for k, table in sorted(held.items())]
    counts = np.array([len(held) for held, _ in relations], np.int64)
    bases = np.array([-1 if base is None else base for _, base in relations], np.int64)
    order: list[int] = []
    while len(order) < count:  # a base may have one of its own
        order += [r for r in range(count) if r not in order and (bases[r] < 0 or bases[r] in order)]
    begins = np.cumsum(counts) - counts
    lists = np.array([k for k, _ in ratios], np.int64), addresses([table for _, table in ratios])
    shape = begins, counts, bases, np.array(order, np.int64), count
    models = run(np.stack([priors, *rates], axis=1), np.float64)
    evidence, explained = np.empty(bytes_.shape[1]), np.empty(bytes_.shape[1])
    out = np.empty((count, bytes_.shape[1] if each else 0))
    stratum = None if stratum is None else run(stratum, np.uint8)
    where = addresses(tables), len(tables)
    results = evidence, explained, out if each else None
    call("odds", *_rows(bytes_), stratum, *where, *shape, *lists, models, most, *results)
    return evidence, explained, out


def lone_similar(bytes_: Array, equal: Sequence[int]) -> Array:
    """Which pairs have one field to compare, not equal; ``equal`` is each field's least byte of that."""
    bytes_ = _by_rows(bytes_)
    out = np.empty(bytes_.shape[1], bool)
    call("lone_similar", *_rows(bytes_), len(bytes_), np.array(equal, np.uint8), out)
    return out


def weighed(row: Array, weight: Array) -> Array:
    """The summed weight of the pairs at each byte of a row."""
    out = np.zeros(256)
    call("weighed", run(row, np.uint8), run(weight, np.float64), len(row), out)
    return out


def byte_counts(bytes_: Array) -> Array:
    """How often each byte stands in each row."""
    bytes_ = _by_rows(bytes_)
    out = np.zeros((len(bytes_), 256), np.int64)
    call("byte_counts", *_rows(bytes_), len(bytes_), out)
    return out
