"""Clustering by kernels: what ``components``, ``clustering`` and ``absorption`` do in NumPy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.counting import in_groups
from resolver.compiled.library import call, run

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]

_THREADS: Final = 2
#: Fewer links are not worth a second thread.
_WORTH_THREADS: Final = 65_536


def first_members(rows: int, left: Array, right: Array) -> Array:
    """The first member of each row's component."""
    above, first = np.empty(rows, np.uint32), np.empty(rows, np.int64)
    sides = run(left, np.uint32), run(right, np.uint32)
    call("first_members", *sides, len(left), rows, above, first)
    return first


def cut_components(
    label: Array, edges: tuple[Array, Array, Array], cuts: Sequence[float], largest: int
) -> Array:
    """Clusters (first rows) at each cut of the components of up to ``largest`` members; others stay apart.

    ``edges`` are left and right rows and similarities, all inside components.
    """
    left, right, similarity = edges
    rows = len(label)
    groups = int(label.max(initial=-1)) + 1
    with ThreadPoolExecutor(_THREADS) as pool:
        grouped = pool.submit(in_groups, label, groups)
        bounds, pairs = in_groups(np.take(label, left), groups)
        out = np.tile(np.arange(rows), (len(cuts), 1))
        starts, members = grouped.result()
        heights = np.array(cuts, float)
        most = max(int(min(largest, np.diff(starts.astype(np.int64)).max(initial=1))), 1)
        edges_ = pairs, run(left, np.uint32), run(right, np.uint32), run(similarity, np.float64)

        def cut(begin: int, end: int) -> None:  # components have nothing in common
            some = slice(begin, end + 1)
            told = starts[some], members, end - begin, bounds[some], *edges_
            call("cut_components", *told, heights, len(cuts), most, rows, out)

        half = int(np.searchsorted(bounds[:-1], len(left) // 2)) if len(left) >= _WORTH_THREADS else 0
        list(pool.map(cut, (0, half), (half, groups)))
    return out


def between_clusters(
    cluster: Array, known: tuple[Array, Array], sides: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Pairs between two clusters, one asked for and one of several profiles: places, words of clusters.

    ``known`` is each cluster's size at its first row, and which profiles' clusters are asked for.
    """
    (size, asked), (left, right) = known, sides
    at, words = np.empty(len(left) + 1, np.int64), np.empty(len(left) + 1, np.uint64)
    told = run(cluster, np.int64), run(size, np.int64), run(asked, np.bool_)
    sides = run(left, np.uint32), run(right, np.uint32)
    found = call("between_clusters", *told, *sides, len(left), at, words)
    return at[:found].copy(), words[:found].copy()


def blended(row: Array, stratum: Array | None, starts: Array, told: tuple[Array, float]) -> Array:
    """Weights of one column for groups of pairs that begin at ``starts`` (one more at the end).

    ``told`` are the weight of each byte (one row per stratum), and the best pair's share.
    """
    table, best = told
    out = np.empty(len(starts) - 1)
    stratum = None if stratum is None else run(stratum, np.uint8)
    told_ = run(starts, np.int64), len(out), run(table, np.float64), float(best)
    call("blended", run(row, np.uint8), stratum, *told_, out)
    return out


def lone_groups(bytes_: Array, starts: Array, equal: Sequence[int]) -> Array:
    """Groups of pairs with one column to compare, nowhere equal; ``equal`` is each column's byte of that."""
    out = np.empty(len(starts) - 1, bool)
    shape = bytes_.shape[1], len(bytes_), run(starts, np.int64), len(out)
    call("lone_groups", run(bytes_, np.uint8), *shape, np.array(equal, np.uint8), out)
    return out


def softened(weight: Array, prior: float | Array, clip: float, relief: float) -> Array:
    """Match weights (bits) clipped, negative ones with a share of the prior back."""
    priors, out = np.atleast_1d(np.asarray(prior, float)), np.empty(len(weight))
    given = run(weight, np.float64), priors, np.ndim(prior), len(weight), float(clip), float(relief)
    call("softened", *given, out)
    return out


def bridges(nodes: int, left: Array, right: Array) -> Array:
    """Links without which their ends are not connected; no two have the same ends, and both differ."""
    out = np.empty(len(left), bool)
    call("bridge_links", run(left, np.int64), run(right, np.int64), len(left), nodes, out)
    return out


def first_rows(label: Array) -> Array:
    """The first row of each row's group."""
    label = run(label, np.int64)
    first, out = np.empty(int(label.max(initial=-1)) + 1, np.int64), np.empty(len(label), np.int64)
    call("first_rows", label, len(label), first, out)
    return out


def numbered(first: Array) -> Array:
    """Groups given by the first row of each row's, as numbers from 0 up in the order of first rows."""
    out = np.empty(len(first), np.int32)
    call("numbered", run(first, np.int64), len(first), out)
    return out


def pairs_of_groups(label: Array, smallest: int) -> Array:
    """Every pair of rows of one group of at least ``smallest``, as sorted words."""
    starts, members = in_groups(label)
    told = run(label, np.int64), len(label), starts, members, len(starts) - 1, smallest
    out = np.empty(call("pairs_of_groups", *told, None, None), np.uint64)
    call("pairs_of_groups", *told, starts.copy(), out)
    return out
