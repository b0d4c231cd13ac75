"""The pairs under consideration with their bytes: grows by the pairs that clustering asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import gathering, library
from resolver.matching.comparison import compare
from resolver.matching.pair_index import find, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array

#: The key number of pairs that no blocking key found: clustering or a decision asked for them.
ASKED_FOR: Final = 1023


@dataclass(frozen=True, eq=False)
class Evidence:
    """Sorted pair words, the blocking key that found each, and one byte per column and pair."""

    words: Array
    key: Array
    bytes_: Array

    @cached_property
    def sides(self) -> tuple[Array, Array]:
        """Left and right row numbers."""
        return unpack(self.words)

    def only(self, kept: Array) -> Evidence:
        """Some of the pairs."""
        if kept.all():
            return self
        at = np.flatnonzero(kept)
        return Evidence(self.words[at], self.key[at], np.take(self.bytes_, at, axis=1))

    def found(self, decided: Array) -> Evidence:
        """The pairs that a blocking key found or that are ``decided`` (sorted words)."""
        return self.only((self.key != ASKED_FOR) | (find(decided, self.words) >= 0))

    def also(self, words: Array, columns: Sequence[Column], bins: Sequence[Array]) -> Evidence:
        """With further pairs (sorted words), which must not be among these."""
        if not len(words):
            return self
        more = compare(columns, bins, unpack(words))
        at = np.searchsorted(self.words, words)
        return Evidence(
            _inserted(self.words, at, words),
            _inserted(self.key, at, np.full(len(at), ASKED_FOR, self.key.dtype)),
            _inserted(self.bytes_, at, more),
        )


def _inserted(old: Array, at: Array, more: Array) -> Array:
    """``numpy.insert`` of words, or of columns of bytes."""
    if not library.there():
        return np.insert(old, at, more, axis=-1)
    if old.ndim == 1:
        return gathering.inserted(np.ascontiguousarray(old), at, more)
    out = np.empty((len(old), old.shape[1] + len(at)), old.dtype)
    for k, row in enumerate(out):
        row[:] = gathering.inserted(np.ascontiguousarray(old[k]), at, more[k])
    return out
