"""The candidate pairs of a few profiles among all: what blocking the whole file would find for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.blocking import Limits, index_of_key, pairs_of_index
from resolver.matching.pair_index import pack
from resolver.matching.sorting import ascending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.keys import Key
    from resolver.matching.state import State
    from resolver.matching.values import Array


@dataclass(frozen=True, eq=False)
class Found:
    """Sorted words of pairs of rows with the first key that found each.

    ``more`` is per key how many pairs there are more than before; ``crossed`` are numbers of unchanged
    profiles in blocks that became too large, or are so no longer.
    """

    words: Array
    key: Array
    more: tuple[int, ...]
    crossed: Array


@dataclass(frozen=True, eq=False)
class Standing:
    """Rows now of fresh profiles and of numbers (-1: none); which numbers were there and which stayed."""

    fresh: Array
    row_of: Array
    were: Array
    stayed: Array


@dataclass(frozen=True, eq=False)
class Blocked:
    """Per key of a model the blocks in which some profiles stand: blocks, and rows of the file."""

    places: tuple[tuple[Array, Array], ...]

    @classmethod
    def of(cls, keys: Sequence[Key], rows: Array, bits: int) -> Blocked:
        """``keys`` are over the profiles in those rows."""
        words = [index_of_key(key, bits) for key in keys]
        return cls(tuple((own >> np.uint64(bits), rows[_local(own, bits)]) for own in words))

    def also(self, other: Blocked) -> Blocked:
        """Those of further profiles, too."""
        both = zip(self.places, other.places, strict=True)
        return Blocked(tuple((np.append(a, c), np.append(b, d)) for (a, b), (c, d) in both))

    def words(self, numbers: Array, bits: int) -> list[Array]:
        """Sorted words (block << bits | number) per key, by the number of each row of the file."""
        shift = np.uint64(bits)
        return [ascending((block << shift) | numbers[rows].astype(np.uint64)) for block, rows in self.places]


def pairs_of_fresh(state: State, every: Sequence[Array], left: Sequence[Array], standing: Standing) -> Found:
    """The candidates of fresh profiles.

    ``every`` are their words per key of the model, by place in ``standing.fresh``; ``left`` the blocks in
    which profiles stood that are gone or fresh now.
    """
    bits = state.index.bits
    words, number, more, crossed = [], [], [], [np.empty(0, np.intp)]
    for k, (came, (_, allowed)) in enumerate(zip(every, state.trained.keys or (), strict=True)):
        block = came >> np.uint64(bits)
        touched = np.union1d(block, left[k])
        at = np.searchsorted(touched, block)
        place, member = state.index.members(k, touched, standing.were)
        stays = standing.stayed[member]
        were, come = np.bincount(place, minlength=len(touched)), np.bincount(at, minlength=len(touched))
        stay = np.bincount(place[stays], minlength=len(touched))
        now = stay + come
        crossing = ((were <= allowed) != (now <= allowed)) & (stay > 1)
        crossed.append(member[stays & crossing[place]])
        open_ = now <= allowed
        mine = open_[at]
        own = _across(
            (at[mine], standing.fresh[_local(came[mine], bits)]), (place[stays], member[stays]), standing
        )
        within, _, _ = pairs_of_index(came[mine], Limits(allowed, float("inf")), bits)
        low = np.uint64((1 << bits) - 1)
        one, other = (standing.fresh[x.astype(np.intp)] for x in (within >> np.uint64(bits), within & low))
        own = np.unique(np.concatenate([own, pack(np.minimum(one, other), np.maximum(one, other))]))
        words.append(own)
        number.append(np.full(len(own), k, np.uint16))
        more.append(_pairs(now, allowed) - _pairs(were, allowed))
    if not words:
        return Found(np.empty(0, np.uint64), np.empty(0, np.uint16), (), np.empty(0, np.intp))
    found, key_of = np.concatenate(words), np.concatenate(number)
    order = np.argsort(found, kind="stable")
    found, key_of = found[order], key_of[order]
    first = np.ones(len(found), bool)
    first[1:] = found[1:] != found[:-1]
    return Found(found[first], key_of[first], tuple(more), np.unique(np.concatenate(crossed)))


def every_pair_of(fresh: Array, profiles: int) -> Found:
    """All pairs of the fresh rows with any other."""
    left, right = np.repeat(fresh, profiles), np.tile(np.arange(profiles), len(fresh))
    apart = left != right
    words = pack(np.minimum(left, right)[apart], np.maximum(left, right)[apart])
    words = np.unique(words)
    return Found(words, np.zeros(len(words), np.uint16), (), np.empty(0, np.intp))


def _local(words: Array, bits: int) -> Array:
    local: Array = (words & np.uint64((1 << bits) - 1)).astype(np.intp)
    return local


def _across(fresh: tuple[Array, Array], others: tuple[Array, Array], standing: Standing) -> Array:
    """Every fresh row with every other profile of its block; both are places, and rows or numbers."""
    place, member = others
    order = np.argsort(place, kind="stable")
    place, member = place[order], member[order]
    at, row = fresh
    begin, end = np.searchsorted(place, at), np.searchsorted(place, at, side="right")
    size = end - begin
    which = np.repeat(begin - np.cumsum(size) + size, size) + np.arange(size.sum())
    one, other = np.repeat(row, size), standing.row_of[member[which]]
    return pack(np.minimum(one, other), np.maximum(one, other))


def _pairs(sizes: Array, allowed: int) -> int:
    """Pairs of blocks that are not too large."""
    held = sizes[sizes <= allowed].astype(np.int64)
    return int((held * (held - 1) // 2).sum())
