"""Texts as runs of bytes, for what numpy says of them where no kernel does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.values import Array

#: Values whose texts are worked on at a time.
_CACHED: Final = 32_768
_BIT_OF_BYTE: Final = np.uint64(1) << (np.arange(256, dtype=np.uint64) & np.uint64(63))


def bytes_of(text: pl.Series) -> tuple[Array, Array]:
    """All texts in one run of bytes, and where each starts (one more entry than texts)."""
    sizes = text.str.len_bytes().to_numpy().astype(np.int64)
    joined = np.frombuffer(text.str.join("").item().encode(), np.uint8)
    return joined, np.concatenate([[0], np.cumsum(sizes)])


def letters_of(joined: Array, starts: Array) -> Array:
    """Per text of ``bytes_of`` the bytes that it holds, modulo 64, as bits."""
    out = np.zeros(len(starts) - 1, np.uint64)
    for begin in range(0, len(out), _CACHED):  # the bits take eight times the room of the text
        part = starts[begin : begin + _CACHED + 1]
        full = np.flatnonzero(part[1:] > part[:-1])
        if len(full):
            bits = _BIT_OF_BYTE[joined[part[0] : part[-1]]]
            out[begin + full] = np.bitwise_or.reduceat(bits, part[full] - part[0])
    return out


def first_eight(joined: Array, starts: Array) -> Array:
    """Per text of ``bytes_of`` its first eight bytes as one big-endian number."""
    out = np.zeros(len(starts) - 1, np.uint64)
    sizes = starts[1:] - starts[:-1]
    for k in range(8):
        has = np.flatnonzero(sizes > k)
        out[has] |= joined[starts[has] + k].astype(np.uint64) << np.uint64(56 - 8 * k)
    return out
