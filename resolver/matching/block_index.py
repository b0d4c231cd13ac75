"""Which profiles stand in which block of each key, kept from one run to the next.

Words are (block << bits | number); a profile keeps its number for as long as it does not change. The words of
the run that learned the model stay as they are, those of later profiles stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.blocking import index_of_key
from resolver.matching.sorting import ascending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.keys import Key
    from resolver.matching.values import Array


@dataclass(frozen=True, eq=False)
class BlockIndex:
    """Sorted words per key of the first profiles and of those that came later; ``bits`` of a number."""

    bits: int
    first: tuple[Array, ...]
    later: tuple[Array, ...]

    @classmethod
    def of(cls, keys: Sequence[Key], numbers: Array | None, bits: int) -> BlockIndex:
        """The index of some profiles; ``numbers`` are theirs, in order, if not their row numbers."""
        words = [_numbered(index_of_key(key, bits), numbers, bits) for key in keys]
        return cls(bits, tuple(words), tuple(np.empty(0, np.uint64) for _ in keys))

    def changed(self, gone: Array, came: Sequence[Array]) -> BlockIndex:
        """Without the later words of numbers that are ``gone`` (a mask), and with new ones.

        Those of the first profiles stay: who asks knows which numbers are there.
        """
        low = np.uint64((1 << self.bits) - 1)
        later = [
            ascending(np.concatenate([words[~gone[(words & low).astype(np.intp)]], new]))
            for words, new in zip(self.later, came, strict=True)
        ]
        return BlockIndex(self.bits, self.first, tuple(later))

    def places_of(self, wanted: Array) -> list[tuple[Array, Array]]:
        """Per key the blocks in which the numbers stand that are ``wanted`` (a mask), and the numbers."""
        shift, low = np.uint64(self.bits), np.uint64((1 << self.bits) - 1)
        out = []
        for every in zip(self.first, self.later, strict=True):
            held = np.concatenate([words[wanted[(words & low).astype(np.intp)]] for words in every])
            out.append((held >> shift, (held & low).astype(np.intp)))
        return out

    def members(self, key: int, blocks: Array, there: Array) -> tuple[Array, Array]:
        """Place in ``blocks`` and number of every profile in those blocks that is ``there`` (a mask)."""
        places, numbers = [], []
        shift, low = np.uint64(self.bits), np.uint64((1 << self.bits) - 1)
        for words in (self.first[key], self.later[key]):
            begin = np.searchsorted(words, blocks << shift)
            end = np.searchsorted(words, (blocks << shift) | low, side="right")
            size = end - begin
            at = np.repeat(begin - np.cumsum(size) + size, size) + np.arange(size.sum())
            number = (words[at] & low).astype(np.intp)
            kept = there[number]
            places.append(np.repeat(np.arange(len(blocks)), size)[kept])
            numbers.append(number[kept])
        return np.concatenate(places), np.concatenate(numbers)


def _numbered(words: Array, numbers: Array | None, bits: int) -> Array:
    if numbers is None:
        return words
    shift, low = np.uint64(bits), np.uint64((1 << bits) - 1)
    own = numbers.astype(np.uint64)[(words & low).astype(np.intp)]
    return ascending(((words >> shift) << shift) | own)
