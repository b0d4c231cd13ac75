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


def summed(
    columns: Sequence[Array],
    relations: Sequence[tuple[Mapping[int, Array], int | None]],
    bytes_: Array,
    stratum: Array | None,
) -> tuple[Array, Array]:
    """Summed weights of all columns, and of what each relation ties: its own tables, on top of its base's."""
    bytes_ = _by_rows(bytes_)
    pairs = bytes_.shape[1]
    tables = [run(table, np.float64) for table in columns]
    own = [(k, run(t, np.float64)) for tied, _ in relations for k, t in sorted(tied.items())]
    counts = np.array([len(tied) for tied, _ in relations], np.int64)
    bases = np.array([-1 if base is None else base for _, base in relations], np.int64)
    order: list[int] = []
    while len(order) < len(relations):  # a base may have one of its own
        order += [r for r in range(len(relations)) if r not in order and (bases[r] < 0 or bases[r] in order)]
    evidence, tied = np.empty(pairs), np.empty((len(relations), pairs))
    where = addresses(tables), len(tables)
    begins = np.cumsum(counts) - counts
    others = begins, counts, bases, np.array(order, np.int64), len(relations)
    lists = np.array([k for k, _ in own], np.int64), addresses([table for _, table in own])
    stratum = None if stratum is None else run(stratum, np.uint8)
    call("summed", *_rows(bytes_), stratum, *where, *others, *lists, evidence, tied)
    return evidence, tied


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
