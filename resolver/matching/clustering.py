"""Pairs to clusters: components, every pair inside scored, average linkage, decisions honoured."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from resolver.compiled import clustering as compiled
from resolver.compiled import library
from resolver.matching.average_linkage import cut_average_linkage
from resolver.matching.components import first_rows
from resolver.matching.lookups import of_one
from resolver.matching.pair_index import unpack
from resolver.matching.sorting import stable_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.values import Array
    from resolver.model.rule_set import Clustering

#: Similarities that no average of real ones can outweigh.
MUST = 1e9
NEVER = -1e15
_THREADS = 2
#: Fewer pairs are not worth a thread.
_WORTH_THREADS = 65_536
#: Components of up to so many members are many of each size.
_ALONE = 8
#: Up to so many links each is left out in turn, which takes less time than importing networkx.
_FEW = 24


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs as sorted words with their similarity (bits) for linkage."""

    words: Array
    similarity: Array


def softened(weight: Array, prior: float | Array, rules: Clustering) -> Array:
    """Match weights (bits) as linkage averages them.

    Clipped, so that no pair outvotes a cluster; negative ones get a share of the prior back, up to 0: members
    of one component have passed the prior once already, and a pair with little to compare must not pay it
    again. ``prior`` (bits) is one for all, or each pair's own.
    """
    if library.there():
        return compiled.softened(weight, prior, rules.clip, rules.relief)
    out: Array = np.clip(weight, -rules.clip, rules.clip)
    against = np.flatnonzero(out < 0)
    own = prior[against] if isinstance(prior, np.ndarray) else prior
    out[against] = np.minimum(out[against] + rules.relief * np.maximum(-own, 0.0), 0.0)
    return out


def cut_components(label: Array, edges: Edges, cuts: Sequence[float], largest: int) -> Array:
    """Clusters at each cut, shape (cuts, profiles): the row number of a cluster's first member.

    ``label`` numbers components; every pair inside one should be among the edges, a missing one counts as
    indifferent (0). Components above ``largest`` are one cluster, but for pairs that must never be joined.
    """
    if library.there():
        return _cut_by_kernels(label, edges, cuts, largest)
    profiles = len(label)
    sizes = np.bincount(label)
    several = np.flatnonzero(sizes[label] > 1)  # most profiles are alone
    order = several[stable_order(label[several])]
    places = np.where(sizes > 1, sizes, 0)
    starts = np.cumsum(places) - places
    place = np.empty(profiles, np.int64)
    place[order] = np.arange(len(order)) - np.repeat(starts, places)
    out = np.tile(np.arange(profiles), (len(cuts), 1))
    left, right = unpack(edges.words)
    inside = label[left] == label[right]
    left, right, similarity = left[inside], right[inside], edges.similarity[inside]
    size_of_pair = sizes[label[left]]
    by_size = stable_order(size_of_pair)
    bounds = np.searchsorted(size_of_pair[by_size], np.arange(sizes.max(initial=0) + 2))
    rank = np.empty(len(sizes), np.int64)

    def cut(low: int, high: int) -> None:
        """All components of those sizes, which have no profile in common with others."""
        groups = np.flatnonzero((sizes >= low) & (sizes <= high))
        at = by_size[bounds[low] : bounds[high + 1]]
        if low > largest:
            members = order[starts[groups][:, None] + np.arange(low)]
            out[:, members] = members[:, :1]
            _part(out, (left[at], right[at]), similarity[at])
            return
        there = np.arange(high) < sizes[groups][:, None]
        members = order[np.where(there, starts[groups][:, None] + np.arange(high), 0)]
        rank[groups] = np.arange(len(groups))
        matrix = np.where(there[:, :, None] & there[:, None, :], 0.0, -np.inf)
        group, i, j = rank[label[left[at]]], place[left[at]], place[right[at]]
        matrix[group, i, j] = similarity[at]
        matrix[group, j, i] = similarity[at]
        first = cut_average_linkage(matrix, cuts)
        for c in range(len(cuts)):
            out[c, members[there]] = np.take_along_axis(members, first[c], axis=1)[there]

    classes = _classes(sizes[sizes > 1], largest)
    with ThreadPoolExecutor(_THREADS) as pool:
        list((pool.map if len(left) >= _WORTH_THREADS else map)(lambda pair: cut(*pair), classes))
    return out


def _cut_by_kernels(label: Array, edges: Edges, cuts: Sequence[float], largest: int) -> Array:
    """``cut_components``, one component after the other."""
    left, right = unpack(edges.words)
    inside = np.flatnonzero(of_one(label, (left, right)))
    left, right, similarity = left[inside], right[inside], edges.similarity[inside]
    out = compiled.cut_components(label, (left, right, similarity), cuts, largest)
    giant = np.flatnonzero(np.bincount(label) > largest)
    if len(giant):
        first = first_rows(label)
        rows = np.flatnonzero(np.isin(label, giant))
        out[:, rows] = first[rows]
        at = np.flatnonzero(np.isin(label[left], giant))
        _part(out, (left[at], right[at]), similarity[at])
    return out


def _classes(sizes: Array, largest: int) -> list[tuple[int, int]]:
    """The smallest and largest of sizes that are done at once: larger ones differ by a quarter at most.

    Every step of linkage takes its time, whatever the number of components it is done for.
    """
    classes: list[tuple[int, int]] = []
    for size in np.unique(sizes).tolist():
        low, _ = classes[-1] if classes else (0, 0)
        if _ALONE < size <= largest and low > _ALONE and 4 * size <= 5 * low:
            classes[-1] = low, size
        else:
            classes.append((size, size))
    return classes


def _part(out: Array, pairs: tuple[Array, Array], similarity: Array) -> None:
    """Rebuild the clusters of giant components that hold forbidden pairs, strongest pairs first, in place."""
    left, right = pairs
    forbidden = similarity <= NEVER
    spoilt = np.isin(out[0, left], out[0, left[forbidden]])
    if not forbidden.any():
        return
    cluster: dict[int, set[int]] = {}
    for row in np.unique(np.concatenate([left[spoilt], right[spoilt]])).tolist():
        cluster[row] = {row}
    apart: dict[int, set[int]] = {row: set() for row in cluster}
    for a, b in zip(left[forbidden].tolist(), right[forbidden].tolist(), strict=True):
        apart[a].add(b)
        apart[b].add(a)
    kept = np.flatnonzero(spoilt & ~forbidden)
    # each union depends on those before it; giants with decisions against their own members are rare
    for k in kept[np.argsort(-similarity[kept], kind="stable")].tolist():
        one, other = cluster[int(left[k])], cluster[int(right[k])]
        if one is other or any(apart[row] & other for row in one):
            continue
        one |= other
        for row in other:
            cluster[row] = one
    for row, members in cluster.items():
        out[:, row] = min(members)


def bridges(links: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The links without which the graph of all links falls apart, in order."""
    if len(links) <= _FEW:
        distinct = sorted({(min(pair), max(pair)) for pair in links if pair[0] != pair[1]})
        return [link for link in distinct if not _joined_without(distinct, link)]
    import networkx as nx  # noqa: PLC0415 - a quarter of a second that few runs need

    return sorted((min(pair), max(pair)) for pair in nx.bridges(nx.Graph(links)))


def _joined_without(links: Sequence[tuple[str, str]], left_out: tuple[str, str]) -> bool:
    """Whether the two ends of a link are connected by the others."""
    others = [link for link in links if link != left_out]
    reached, before = {left_out[0]}, 0
    while len(reached) > before:
        before = len(reached)
        for pair in others:
            if not reached.isdisjoint(pair):
                reached.update(pair)
    return left_out[1] in reached
