"""The words of values, and how much each says: few values hold a telling one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.compiled import comparing, library, texts
from resolver.matching.lookups import look_up
from resolver.matching.pair_index import distinct, pack, unpack
from resolver.matching.standardising.coding import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.matching.values import Array


@dataclass(frozen=True, slots=True)
class KnownValues:
    """What a vocabulary as a whole said of its values, kept for files that hold a few of them.

    ``values`` is its size, ``words`` in how many of them a word stands (once, where none is given), and
    ``vague_days`` the days of the year that stand for an unknown one.
    """

    values: int
    words: Mapping[str, int]
    vague_days: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Tokens:
    """Words of values, flat: ``token[start[v]:start[v + 1]]`` are the distinct words of value v."""

    start: Array
    token: Array
    weight: Array
    total: Array
    words: pl.Series
    seen: Array
    _packed: Array

    @classmethod
    def of(cls, text: pl.Series, known: KnownValues | None = None) -> Tokens:
        """Split at spaces. A word weighs the log of how few values hold it: of these, or as is known."""
        value, written = _words_of(text)
        [number], words = encode([written])
        rising = words.arg_sort()  # in the order of the alphabet: of many words keys take the first
        place = np.empty(len(words), np.uint32)
        place[rising.to_numpy()] = np.arange(len(words), dtype=np.uint32)
        number, words = look_up(place, number), words.gather(rising)
        packed = distinct(pack(value, number))
        value, token = unpack(packed)
        start = np.searchsorted(value, np.arange(len(text) + 1, dtype=value.dtype))
        seen, size = np.bincount(token, minlength=1), len(text)
        if known is not None:
            size = known.values
            seen = words.replace_strict(known.words, default=1, return_dtype=pl.Int64).to_numpy()
        weight = np.log((size + 1) / np.maximum(seen, 1)).astype(np.float64)
        total = np.bincount(value, weights=weight[token], minlength=len(text))
        return cls(start, token, weight, total, words, seen, packed)

    def shared(self, a: Array, b: Array) -> Array:
        """The summed weight of the words that values a[i] and b[i] have in common."""
        if library.there():
            return comparing.shared_words((self.start, self.token, self.weight), (a, b))
        sizes = self.start[a + 1] - self.start[a]
        pair = np.repeat(np.arange(len(a)), sizes)
        offset = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        word = self.token[self.start[a][pair] + offset]
        wanted = (b[pair].astype(np.uint64) << np.uint64(32)) | word
        at = np.searchsorted(self._packed, wanted)
        found = at < len(self._packed)
        found[found] = self._packed[at[found]] == wanted[found]
        return np.bincount(pair[found], weights=self.weight[word[found]], minlength=len(a))


def _words_of(text: pl.Series) -> tuple[Array, pl.Series]:
    """The words of texts, which spaces part: each one's text, and the word."""
    if texts.taken(text):
        return texts.words_of(text)
    frame = (
        pl.DataFrame({"value": np.arange(len(text), dtype=np.uint32), "word": text})
        .with_columns(pl.col("word").str.split(" "))
        .explode("word")
        .filter(pl.col("word") != "")
    )
    return frame["value"].to_numpy(), frame["word"]
