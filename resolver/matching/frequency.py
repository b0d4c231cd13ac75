"""How much a shared value says: the chance that two different entities have it.

A value that two entities share tells little, however rare it is among profiles; a value that one entity has
may still be another's. The second chance is learned per comparison (Good and Turing's estimate of the
unseen).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import counting
from resolver.matching.lookups import look_up
from resolver.matching.pair_index import distinct, pack, unpack

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
    counts = column.times
    return np.where(counts <= ONE_ENTITY, np.minimum(counts, 1), counts)


@dataclass(frozen=True, eq=False)
class Groups:
    """A number per profile, from 0 up and of 32 bits, that those share which count once."""

    number: Array

    @cached_property
    def alone(self) -> Array:
        """Which profiles share their number with no other."""
        found: Array = (np.bincount(self.number) == 1)[self.number]
        return found

    @cached_property
    def rows(self) -> tuple[Array, Array]:
        """``counting.in_groups``, where there are kernels."""
        return counting.in_groups(self.number)


def once_per_group(column: Column, groups: Groups, wanted: Array | None = None) -> tuple[Array, Array]:
    """Every whole value of every group, once: the values and the groups' numbers, in no order.

    ``wanted`` marks the values that are asked for. What a profile has alone needs no sorting.
    """
    held, rows = every_value(column, wanted)
    numbers, alone = groups.number[rows], groups.alone[rows]
    shared = np.flatnonzero(~alone)
    value, number = unpack(distinct(pack(held[shared], numbers[shared])))
    alone = np.flatnonzero(alone)
    return np.append(held[alone], value), np.append(numbers[alone], number.astype(numbers.dtype))


def every_value(column: Column, wanted: Array | None = None) -> tuple[Array, Array]:
    """Every whole value of every profile, once, of those ``wanted`` (a mask): the values and the profiles."""
    values, rows = [], []
    for slot in range(column.slots):
        codes = column.whole[:, slot]
        known = codes > 0 if wanted is None else wanted[codes]
        for earlier in range(slot):
            known &= codes != column.whole[:, earlier]
        at = np.flatnonzero(known)
        values.append(codes[at])
        rows.append(at)
    return np.concatenate(values), np.concatenate(rows)


def entity_counts(column: Column, entities: Groups) -> Array:
    """Distinct entities per whole value."""
    values, _ = once_per_group(column, entities)
    return np.bincount(values, minlength=column.wholes)


def entities_with(column: Column, entity: Array | None) -> int:
    """How many entities (profiles, where none are given) have the field at all."""
    if entity is None:
        return int(column.complete.sum())
    having = np.zeros(int(entity.max(initial=-1)) + 1, bool)
    having[entity[column.complete]] = True
    return int(having.sum())


def rarity(counts: Array, default: float, prior: float) -> float:
    """Expected other entities behind a value seen on one: 2 n2 / n1, with pseudo-values."""
    seen = counts[1:]
    once, twice = int((seen == 1).sum()), int((seen == 2).sum())  # noqa: PLR2004 - n2 of Good and Turing
    return min((2 * twice + prior * default) / (once + prior), 1.0)


def bins_of(counts: Array, entities: int, rarity_: float, step: float) -> Array:
    """The frequency bin of each value: its negative log collision probability in steps of ``step`` nats."""
    most = int(counts.max(initial=0))
    if 2 * most < len(counts):  # few different ones: each is told once
        every = bins_of(np.arange(most + 1, dtype=counts.dtype), entities, rarity_, step)
        return look_up(every, counts)
    chance = np.where(counts >= 2, counts - 1.0, rarity_) / max(entities, 1)  # noqa: PLR2004 - someone else has it
    return np.clip(np.rint(-np.log(np.minimum(chance, 1.0)) / step), 0, BINS - 1).astype(np.uint8)
