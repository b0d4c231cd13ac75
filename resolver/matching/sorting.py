"""Sorting whole numbers, which most of blocking, counting and coding comes down to.

numpy's own sorting is several times slower on some processors (those on which compressing 512-bit registers
into memory is slow) and a third faster on others; Polars' sorting is as fast on all of them. Both let other
threads work. numpy's hashing is slow everywhere. Which is faster here is not tried: matching reads no clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from resolver.compiled import counting, library

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Fewer numbers are not worth the way into Polars and out.
_WORTH_POLARS: Final = 4_096
#: Numbers that there might be per number that is there, up to which a bit for each takes less than sorting.
_WORTH_BITS: Final = 32


def ascending(words: NDArray[np.uint64], *, alone: bool = False) -> NDArray[np.uint64]:
    """The words sorted; a copy, which may be read-only. ``alone``: nothing else has work meanwhile."""
    if len(words) < _WORTH_POLARS:
        return np.sort(words)
    ordered: NDArray[np.uint64] = pl.Series(words).sort(multithreaded=alone).to_numpy()
    return ordered


def ordered_hashes(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """``np.argsort(hashes, kind="stable")`` and the hashes in that order.

    The upper bits of a hash and its place share a word, so that one sort of words does; where two hashes
    differ in the lower bits only, all are sorted in full.
    """
    if library.there():
        order = np.empty(len(hashes), np.intp)
        library.call("hash_order", np.ascontiguousarray(hashes), len(hashes), order, None, None)
        return order, hashes[order]
    place = np.uint64((1 << len(hashes).bit_length()) - 1)
    words = hashes & ~place
    words |= np.arange(len(hashes), dtype=np.uint64)
    order = (ascending(words) & place).view(np.intp)
    del words
    ordered = hashes[order]
    if (ordered[1:] < ordered[:-1]).any():
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
    return order, ordered


def hash_codes(
    hashes: NDArray[np.uint64], unknown: NDArray[np.uint64]
) -> tuple[NDArray[np.uint32], NDArray[np.intp]]:
    """A code per row, from 1 up in the order of hashes, and the first row of each code.

    Rows with one of the two ``unknown`` hashes have code 0.
    """
    codes = np.zeros(len(hashes), np.uint32)
    if library.there():
        first = np.empty(len(hashes), np.intp)
        given = np.ascontiguousarray(hashes), np.ascontiguousarray(unknown)
        return codes, first[: library.call("hash_codes", *given, len(hashes), codes, first)].copy()
    rows = np.flatnonzero((hashes != unknown[0]) & (hashes != unknown[1]))
    ranks, first = ranked(*ordered_hashes(hashes[rows]))
    codes[rows] = ranks + 1
    return codes, rows[first]


def ranked(order: NDArray[np.intp], ordered: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The dense rank, from 0, of each of what stands so in that order; for every rank where it is first."""
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    ranks = np.empty(len(ordered), np.intp)
    running = np.cumsum(first)
    running -= 1
    ranks[order] = running
    return ranks, order[np.flatnonzero(first)]


def dense_ranks(numbers: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """``ranked`` of numbers from 0 up."""
    most = int(numbers.max(initial=0))
    if library.there() and most < _WORTH_BITS * len(numbers):
        return counting.dense_ranks(numbers, most)
    if most < len(numbers):  # a table is filled in less time than numbers are sorted
        there = np.zeros(most + 1, bool)
        there[numbers] = True
        place = np.cumsum(there)
        ranks = place[numbers]
        ranks -= 1
        first = np.empty(int(place[-1]) if len(numbers) else 0, np.intp)
        first[ranks[::-1]] = np.arange(len(numbers))[::-1]  # the last to be written stays
        return ranks, first
    if library.there():  # ranks are those of the numbers shifted to the top, where the kernel looks first
        shifted = numbers.astype(np.uint64) << np.uint64(64 - most.bit_length())
        ranks, first = np.empty(len(numbers), np.intp), np.empty(len(numbers), np.intp)
        found = library.call("hash_order", shifted, len(numbers), None, ranks, first)
        return ranks, first[:found].copy()
    order = stable_order(numbers)
    return ranked(order, numbers[order])


def stable_order(numbers: NDArray[np.integer]) -> NDArray[np.intp]:
    """``np.argsort(numbers, kind="stable")`` of numbers from 0 up, such as labels.

    Number and place mostly fit one word: then one sort of words gives the order.
    """
    places = len(numbers).bit_length()
    if int(numbers.max(initial=0)).bit_length() + places > 64:  # noqa: PLR2004 - bits of a word
        return np.argsort(numbers, kind="stable")
    words = numbers.astype(np.uint64)
    words <<= np.uint64(places)
    words |= np.arange(len(numbers), dtype=np.uint64)
    return (ascending(words) & np.uint64((1 << places) - 1)).view(np.intp)
