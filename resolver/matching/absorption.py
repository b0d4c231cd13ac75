"""Single profiles against whole clusters, each field with the member that fits it best.

Average linkage asks what a profile has in common with the typical member. A sparse profile has little in
common with any one of them; here each field is compared with the member that fits it best.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.matching.components import components, first_rows
from resolver.matching.pair_index import pack, unpack
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from resolver.matching.constraints import Constraints
    from resolver.matching.evidence import Evidence
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array

#: Each round a cluster takes in at most one profile that it and the profile both fit best; few need more.
_ROUNDS: Final = 4


def absorb(model: Parameters, known: tuple[Evidence, Constraints], cluster: Array, threshold: float) -> Array:
    """Clusters (first row per profile) after single profiles have joined those that fit them.

    ``threshold`` (bits) is asked of the best agreement per field over the members; a decision that keeps the
    profile apart from any member forbids it.
    """
    evidence, constraints = known
    left, right = evidence.sides
    apart = constraints.kept_apart(left, right)
    for _ in range(_ROUNDS):
        size = np.bincount(cluster, minlength=len(cluster))
        words, weight = _fits(model, evidence, (cluster, size), apart)
        fit = weight >= threshold
        joins = _mutually_best(words[fit], weight[fit], len(cluster))
        if not len(joins):
            break
        a, b = unpack(joins)
        cluster = first_rows(components(len(cluster), a, b))[cluster]
    return cluster


def _fits(
    model: Parameters, evidence: Evidence, known: tuple[Array, Array], apart: Array
) -> tuple[Array, Array]:
    """Pairs of a single profile and a cluster as words of first rows, and their weights (bits).

    ``known`` is the cluster of each profile and how many profiles it has.
    """
    cluster, size = known
    left, right = evidence.sides
    a, b = cluster[left], cluster[right]
    at = np.flatnonzero((a != b) & (np.minimum(size[a], size[b]) == 1) & (np.maximum(size[a], size[b]) > 1))
    words = pack(np.minimum(a, b)[at], np.maximum(a, b)[at])
    order = np.argsort(words, kind="stable")
    at, words = at[order], words[order]
    if not len(at):
        return words, np.empty(0)
    starts = np.flatnonzero(np.concatenate([[True], words[1:] != words[:-1]]))
    best = np.maximum.reduceat(evidence.bytes_[:, at], starts, axis=1)
    allowed = ~np.logical_or.reduceat(apart[at], starts)
    return words[starts][allowed], match_weights(model, np.ascontiguousarray(best[:, allowed]))


def _mutually_best(words: Array, weight: Array, profiles: int) -> Array:
    """The pairs that are the best of both their sides, one per side; of equal ones the first."""
    a, b = unpack(words)
    best = np.full(profiles, -np.inf)
    np.maximum.at(best, a, weight)
    np.maximum.at(best, b, weight)
    mutual = np.flatnonzero((weight >= best[a]) & (weight >= best[b]))
    taken = np.zeros(profiles, bool)
    kept = []
    for k in mutual.tolist():  # few pairs, and each choice depends on those before it
        if not (taken[a[k]] or taken[b[k]]):
            taken[a[k]] = taken[b[k]] = True
            kept.append(k)
    return words[kept]
