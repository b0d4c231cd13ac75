"""How much a shared value says: the chance that two different entities have it.

A value that two entities share tells little, however rare it is among profiles; a value that one entity has
may still be another's. The second chance is learned per comparison (Good and Turing's estimate of the
unseen).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.matching.pair_index import distinct

if TYPE_CHECKING:
    from resolver.matching.columns import Column
    from resolver.matching.values import Array

#: Bins of value frequency; with equality's offset they must fit a byte.
BINS: Final = 64
#: Profiles with one value that are taken to be one entity before anything is known.
ONE_ENTITY: Final = 3


def first_counts(column: Column) -> Array:
    """Entities per whole value at first: one for a value on up to three profiles, else its profiles.

    Three strangers with one rare value are rarer than a customer who exists three times; a value counted
    as three entities' here would never be joined, and so never be counted as one entity's later.
    """
    counts = np.bincount(column.whole.ravel(), minlength=column.wholes)
    return np.where(counts <= ONE_ENTITY, np.minimum(counts, 1), counts)


def entity_counts(column: Column, entity: Array) -> Array:
    """Distinct entities per whole value; ``entity`` is a number per profile."""
    words = []
    for slot in range(column.slots):
        codes = column.whole[:, slot]
        known = codes > 0
        words.append((codes[known].astype(np.uint64) << np.uint64(32)) | entity[known].astype(np.uint64))
    values = (distinct(np.concatenate(words)) >> np.uint64(32)).astype(np.int64)
    return np.bincount(values, minlength=column.wholes)


def entities_with(column: Column, entity: Array | None) -> int:
    """How many entities (profiles, where none are given) have the field at all."""
    known = column.whole[:, 0] > 0
    for slot in range(1, column.slots):
        known |= column.whole[:, slot] > 0
    return int(known.sum()) if entity is None else int(np.count_nonzero(np.bincount(entity[known])))


def rarity(counts: Array, default: float, prior: float) -> float:
    """Expected other entities behind a value seen on one: 2 n2 / n1, with pseudo-values."""
    seen = counts[1:]
    once, twice = int((seen == 1).sum()), int((seen == 2).sum())  # noqa: PLR2004 - n2 of Good and Turing
    return min((2 * twice + prior * default) / (once + prior), 1.0)


def bins_of(counts: Array, entities: int, rarity_: float, step: float) -> Array:
    """The frequency bin of each value: its negative log collision probability in steps of ``step`` nats."""
    chance = np.where(counts >= 2, counts - 1.0, rarity_) / max(entities, 1)  # noqa: PLR2004 - someone else has it
    return np.clip(np.rint(-np.log(np.minimum(chance, 1.0)) / step), 0, BINS - 1).astype(np.uint8)
