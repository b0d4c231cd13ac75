"""Whole clusters against each other, field by field: parts of one customer that no two profiles show.

Average linkage asks what a profile has in common with the typical member of a cluster, and a field that most
pairs lack hardly counts. A sparse profile has little in common with any one member, and two sparse halves of
a customer have little in common with each other. Here each field is weighed over the pairs that have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import clustering, library
from resolver.matching.pair_index import order_of_pairs, pack, unpack
from resolver.matching.parameters import BITS
from resolver.matching.scoring import HELD, Tables, mixture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.constraints import Constraints
    from resolver.matching.evidence import Evidence
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array
    from resolver.model.rule_set import Clustering

#: In each round a cluster joins at most one other, that fits it best as it fits that best; few need more.
_ROUNDS: Final = 8
#: Clusters of every size that a file is taken to hold unseen.
_UNSEEN: Final = 0.5


def absorb(
    scored: tuple[Parameters, Array | None],
    known: tuple[Evidence, Constraints],
    cluster: Array,
    rules: Clustering,
) -> Array:
    """Clusters (first row per profile) after those that fit each other as wholes have joined.

    One of the two has several profiles: a pair's weight is known already. Every pair between them has been
    compared, no decision keeps any of them apart, and the smaller fits no rival of the larger nearly as well.
    ``scored`` is the model and the stratum of each pair of the evidence.
    """
    return absorbed(scored, known, cluster, rules).cluster


def absorbed(
    scored: tuple[Parameters, Array | None],
    known: tuple[Evidence, Constraints],
    cluster: Array,
    rules: Clustering,
) -> Absorbed:
    """``absorb``, and what it went by.

    Where the model knows the sizes of clusters by round, there are as many rounds.
    """
    evidence, constraints = known
    left, right = evidence.sides
    apart = constraints.kept_apart(left, right)
    known_sizes = scored[0].sizes
    sizes: list[tuple[int, ...]] = []
    met = [np.empty(0, np.uint64)]
    every = _Fits(met[0], np.empty(0))
    fresh = np.ones(len(cluster), bool)
    for turn in range(len(known_sizes) or _ROUNDS):
        size = np.bincount(cluster, minlength=len(cluster))
        sizes.append(known_sizes[turn] if known_sizes else _sizes(size))
        found = _fits(scored, evidence, (cluster, size, fresh), (apart, rules.absorb_best))
        every = every.without(fresh).also(found)
        met.append(every.words)
        odds = size_odds(size, every.words, (sizes[-1], scored[0].match_rate))
        fits = _Fits(every.words, every.weight + odds)
        fits = fits.only(_uncontested(fits, size, rules))
        joins = _mutually_best(fits, len(cluster))
        if not len(joins) and not known_sizes:
            break
        a, b = unpack(joins)
        first = np.arange(len(cluster))
        first[np.maximum(a, b)] = np.minimum(a, b)  # no cluster joins two others
        cluster = np.take(first, cluster)
        grown = np.zeros(len(cluster), bool)
        grown[np.minimum(a, b)] = True
        fresh = np.take(grown, cluster)
    return Absorbed(cluster, np.concatenate(met), tuple(sizes))


@dataclass(frozen=True, eq=False)
class Absorbed:
    """The clusters; every pair of them that was ever in question, as words of first rows; sizes by round.

    What happens to a cluster depends on no other than those that such pairs connect it with.
    """

    cluster: Array
    met: Array
    sizes: tuple[tuple[int, ...], ...]


def _sizes(size: Array) -> tuple[int, ...]:
    """How many clusters there are of each size, from 0 up; ``size`` is theirs at first rows, else 0."""
    times = np.bincount(size, minlength=1)
    times[0] = 0
    return tuple(times.tolist())


@dataclass(frozen=True, eq=False)
class _Fits:
    """Pairs of clusters as words of first rows, and the bits that speak for joining them."""

    words: Array
    weight: Array

    def only(self, kept: Array) -> _Fits:
        return _Fits(self.words[kept], self.weight[kept])

    def without(self, rows: Array) -> _Fits:
        """Those of clusters whose first rows are not marked."""
        a, b = unpack(self.words)
        return self.only(~(rows[a] | rows[b]))

    def also(self, others: _Fits) -> _Fits:
        """With others, in order."""
        words = np.concatenate([self.words, others.words])
        order = np.argsort(words)  # none is there twice
        return _Fits(words[order], np.concatenate([self.weight, others.weight])[order])


def _fits(
    scored: tuple[Parameters, Array | None],
    evidence: Evidence,
    known: tuple[Array, Array, Array],
    rules: tuple[Array, float],
) -> _Fits:
    """The pairs of clusters above even odds, with every pair between them compared and none kept apart.

    ``known`` is the cluster of each profile, how many profiles it has, and which profiles' clusters are
    asked for: one of each pair must be. ``rules`` are which pairs are kept apart, and how much the best pair
    counts.
    """
    cluster, size, asked = known
    apart, best = rules
    left, right = evidence.sides
    at, words = _between(cluster, (size, asked), (left, right))
    order = order_of_pairs(*unpack(words))
    at, words = at[order], words[order]
    if not len(at):
        return _Fits(words, np.empty(0))
    starts = np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]]))
    a, b = unpack(words[starts])
    compared = np.diff(np.append(starts, len(at)))
    allowed = (compared == size[a] * size[b]) & ~np.logical_or.reduceat(apart[at], starts)
    words, at = words[starts[allowed]], at[np.repeat(allowed, compared)]
    if not len(at):
        return _Fits(words, np.empty(0))
    starts = np.cumsum(compared[allowed]) - compared[allowed]
    model, stratum = scored
    between = np.take(evidence.bytes_, at, axis=1), None if stratum is None else stratum[at]
    weight = _weights(model, between, starts, best)
    return _Fits(words, weight).only(weight >= 0)


def _between(cluster: Array, known: tuple[Array, Array], sides: tuple[Array, Array]) -> tuple[Array, Array]:
    """Pairs between clusters one of which is asked for, and one of which has several profiles.

    Their places, and the two clusters as words.
    """
    if library.there():
        return clustering.between_clusters(cluster, known, sides)
    (size, asked), (left, right) = known, sides
    a, b = cluster[left], cluster[right]
    at = np.flatnonzero((a != b) & (asked[left] | asked[right]))
    at = at[np.flatnonzero(np.maximum(size[a[at]], size[b[at]]) > 1)]
    a, b = a[at], b[at]
    return at, pack(np.minimum(a, b), np.maximum(a, b))


def size_odds(size: Array, words: Array, known: tuple[Sequence[int], float]) -> Array:
    """Bits by which the sizes of a file's clusters speak for joining two of them, beyond the match rate.

    ``size`` gives each cluster's members at its first row, ``words`` pairs of clusters, ``known`` how many
    clusters the file holds of each size (from 0 up), and its match rate. Where customers exist
    twice at most, a third profile of one is unlikely, however well it fits; where they exist ten times, a
    profile alone is likely one of them. What stands against the match rate, which the prior takes for every
    pair, is the clusters of the joint size per pair of clusters of the two sizes, half a cluster added to
    each count. Two clusters of several never gain by it: where both sizes are rare, it would say that what is
    rare belongs together.
    """
    if not len(words):
        return np.empty(0)
    sizes, match_rate = known
    a, b = (size[side] for side in unpack(words))
    seen = np.full(max(len(sizes), int((a + b).max()) + 1), _UNSEEN)
    seen[: len(sizes)] += sizes
    pairs = np.where(a == b, seen[a] ** 2 / 2, seen[a] * seen[b])
    odds: Array = np.log2(seen[a + b] / pairs / match_rate)
    return np.where(np.minimum(a, b) > 1, np.minimum(odds, 0.0), odds)


def _weights(model: Parameters, pairs: tuple[Array, Array | None], starts: Array, best: float) -> Array:
    """Match weight (bits) of groups of pairs: each field at ``best`` of its best and the rest of its mean.

    ``pairs`` are their bytes and strata. Pairs without a field do not count in its mean. As with pairs, one
    field that is not equal decides nothing.
    """
    bytes_, stratum = np.ascontiguousarray(pairs[0]), pairs[1]
    bounds = np.append(starts, bytes_.shape[1])
    group = np.repeat(np.arange(len(starts)), np.diff(bounds))

    def blended(table: Array, k: int | None) -> Array:
        if k is None:
            if stratum is None:
                return table[0]
            return np.bincount(group, table[stratum]) / np.diff(bounds)
        if library.there():
            return clustering.blended(bytes_[k], stratum, bounds, (table, best))
        there = np.bincount(group, bytes_[k] > 0)
        weight = table[0][bytes_[k]] if stratum is None else table[stratum, bytes_[k]]
        mean = np.bincount(group, weight) / np.maximum(there, 1)
        top = np.maximum.reduceat(np.where(bytes_[k] > 0, weight, -np.inf), starts)
        return np.where(there > 0, (1 - best) * mean + best * np.where(there > 0, top, 0.0), 0.0)

    summed, discount = mixture(Tables.of(model), blended, len(starts))
    out = (summed - discount) * BITS
    held = _lone(bytes_, bounds, [len(column.m) for column in model.columns])
    out[held] = np.minimum(out[held], HELD)
    return out


def _lone(bytes_: Array, bounds: Array, equal: Sequence[int]) -> Array:
    """Groups of pairs with one field to compare, nowhere equal: ``equal`` is each field's byte of that."""
    if library.there():
        return clustering.lone_groups(bytes_, bounds, equal)
    most = [np.maximum.reduceat(row, bounds[:-1]) for row in bytes_]
    tops = [byte >= least for byte, least in zip(most, equal, strict=True)]
    lone: Array = (np.sum([byte > 0 for byte in most], axis=0) == 1) & ~np.any(tops, axis=0)
    return lone


def _uncontested(fits: _Fits, size: Array, rules: Clustering) -> Array:
    """Which pairs fit well enough, and the smaller side has no rival to the larger within the margin.

    A rival is another cluster that it fits nearly as well and that the larger does not fit: two brothers at
    one address, and a profile that could be either's.
    """
    neighbours: dict[int, dict[int, float]] = {}
    ones, others = (side.tolist() for side in unpack(fits.words))
    for one, other, weight in zip(ones, others, fits.weight.tolist(), strict=True):
        neighbours.setdefault(one, {})[other] = weight
        neighbours.setdefault(other, {})[one] = weight
    out = fits.weight >= rules.absorb_from
    for k in np.flatnonzero(out).tolist():  # few pairs get here, and each asks a different neighbourhood
        one, other, least = ones[k], others[k], fits.weight[k] - rules.absorb_margin
        small, large = (one, other) if size[one] <= size[other] else (other, one)
        both = ((small, large), (large, small)) if size[small] == size[large] else ((small, large),)
        out[k] = not any(
            weight > least and rival != right and rival not in neighbours[right]
            for left, right in both
            for rival, weight in neighbours[left].items()
        )
    return out


def _mutually_best(fits: _Fits, profiles: int) -> Array:
    """The pairs that are the best of both their sides, one per side; of equal ones the first."""
    a, b = unpack(fits.words)
    best = np.full(profiles, -np.inf)
    np.maximum.at(best, a, fits.weight)
    np.maximum.at(best, b, fits.weight)
    mutual = np.flatnonzero((fits.weight >= best[a]) & (fits.weight >= best[b]))
    taken = np.zeros(profiles, bool)
    kept = []
    for k in mutual.tolist():  # few pairs, and each choice depends on those before it
        if not (taken[a[k]] or taken[b[k]]):
            taken[a[k]] = taken[b[k]] = True
            kept.append(k)
    return fits.words[kept]
