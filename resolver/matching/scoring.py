"""Bytes to log odds: look-ups, a sum, and a discount for what a relation explains as well.

log odds = prior + sum of weights - log(1 + sum over relations of rate * exp(sum of the tied weights))
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.parameters import BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array

#: Pairs scored at a time: the sums stay in the cache.
_BATCH = 65_536
_THREADS = 2

#: Bits just under even odds, for pairs that one field alone cannot decide.
HELD = -0.01


def match_weights(parameters: Parameters, bytes_: Array) -> Array:
    """Match weight (bits) of each pair; ``bytes_`` as ``compare`` gives them.

    A pair with a single compared field that is not equal stays under even odds: similar alone may be
    reviewed.
    """
    out = np.empty(bytes_.shape[1])

    def score(start: int) -> None:
        own, weight = bytes_[:, start : start + _BATCH], out[start : start + _BATCH]
        evidence, discount, _ = parts(parameters, own)
        weight[:] = (parameters.prior + evidence - discount) * BITS
        held = lone_similar(parameters, own)
        weight[held] = np.minimum(weight[held], HELD)

    with ThreadPoolExecutor(_THREADS) as pool:
        list((pool.map if len(out) > _BATCH else map)(score, range(0, len(out), _BATCH)))
    return out


def parts(parameters: Parameters, bytes_: Array) -> tuple[Array, Array, Array]:
    """Summed weights, relation discount (both nats) and each relation's rate * exp(tied weights)."""
    return mixture(parameters, lambda k, table: table[bytes_[k]], bytes_.shape[1])


def mixture(
    parameters: Parameters, weights_of: Callable[[int, Array], Array], size: int
) -> tuple[Array, Array, Array]:
    """``parts`` of anything that has a weight per column: ``weights_of`` looks it up in a table of nats."""
    evidence = np.zeros(size)
    tied = np.zeros((len(parameters.relations), size))
    relation_tables = [parameters.relation_tables(r) for r in parameters.relations]
    for k, table in enumerate(parameters.tables):
        weights = weights_of(k, table)
        evidence += weights
        for r, own in enumerate(relation_tables):
            if k in own:
                tied[r] += weights if np.array_equal(own[k], table) else weights_of(k, own[k])
    for r, relation in enumerate(parameters.relations):
        tied[r] = np.exp(np.minimum(tied[r] + np.log(relation.rate), 700.0))
    return evidence, np.log1p(tied.sum(axis=0)), tied


def lone_similar(parameters: Parameters, bytes_: Array) -> Array:
    """Which pairs have exactly one field to compare, and it is not equal."""
    compared = (bytes_ > 0).sum(axis=0)
    equal = np.zeros(bytes_.shape[1], bool)
    for k, column in enumerate(parameters.columns):
        equal |= bytes_[k] >= len(column.m)
    return (compared == 1) & ~equal
