"""Pairs of row numbers as single sorted words: look-up, union and difference by integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.compiled import clustering, gathering, library
from resolver.matching.sorting import ascending, stable_order

if TYPE_CHECKING:
    from resolver.matching.values import Array

_HALF = np.uint64(32)
#: Pairs of codes are told apart by a table while it has no more than so many entries per pair.
_TABLE = 8
_LOW = np.uint64(0xFFFFFFFF)


def pack(left: Array, right: Array) -> Array:
    """One word per pair; sorts by left, then right."""
    return (left.astype(np.uint64) << _HALF) | right.astype(np.uint64)


def unpack(words: Array) -> tuple[Array, Array]:
    """Left and right row numbers (UInt32)."""
    if library.there() and words.dtype == np.uint64:
        return gathering.unpacked(words)
    return (words >> _HALF).astype(np.uint32), (words & _LOW).astype(np.uint32)


def distinct(words: Array) -> Array:
    """The words sorted, each once. Sorting beats hashing on words of pairs."""
    ordered = ascending(words)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[np.flatnonzero(first)]  # looking up is faster than masking


def order_of_pairs(one: Array, other: Array) -> Array:
    """The stable order of pairs of row numbers or codes: by the first of each, then by the second."""
    width = int(other.max(initial=0)).bit_length()
    if int(one.max(initial=0)).bit_length() + width > 64:  # noqa: PLR2004 - bits of a word
        return np.argsort(pack(one, other), kind="stable")
    return stable_order((one.astype(np.uint64) << np.uint64(width)) | other.astype(np.uint64))


def grouped_pairs(one: Array, other: Array) -> tuple[Array, Array, Array]:
    """The distinct pairs of two arrays of codes, sorted, and which of them stands at each place.

    Codes and place together mostly fit one word: then one sort of words finds the groups and their members.
    """
    if not len(one):
        return one, other, np.empty(0, np.intp)
    width = int(other.max()).bit_length()
    places = len(one).bit_length()
    if (int(one.max()) + 1) << width <= _TABLE * len(one):
        return _grouped_by_table(one, other, width)
    if int(one.max()).bit_length() + width + places > 64:  # noqa: PLR2004 - bits of a word
        words, group = np.unique(pack(one, other), return_inverse=True)
        return *unpack(words), group
    words = (one.astype(np.uint64) << np.uint64(width)) | other.astype(np.uint64)
    words = ascending((words << np.uint64(places)) | np.arange(len(one), dtype=np.uint64))
    at = (words & ((np.uint64(1) << np.uint64(places)) - np.uint64(1))).astype(np.intp)
    words = words >> np.uint64(places)
    first = np.ones(len(words), bool)
    first[1:] = words[1:] != words[:-1]
    group = np.empty(len(words), np.intp)
    group[at] = np.cumsum(first) - 1
    words = words[np.flatnonzero(first)]
    low = (np.uint64(1) << np.uint64(width)) - np.uint64(1)
    return (words >> np.uint64(width)).astype(np.uint32), (words & low).astype(np.uint32), group


def _grouped_by_table(one: Array, other: Array, width: int) -> tuple[Array, Array, Array]:
    """``grouped_pairs`` of few different codes: a table of all pairs of them is filled faster than sorted."""
    word = (one.astype(np.intp) << width) | other.astype(np.intp)
    there = np.zeros((int(one.max()) + 1) << width, bool)
    there[word] = True
    words = np.flatnonzero(there)
    place = np.empty(len(there), np.int32)
    place[words] = np.arange(len(words), dtype=np.int32)
    low = (1 << width) - 1
    return (words >> width).astype(np.uint32), (words & low).astype(np.uint32), place[word].astype(np.intp)


def find_of_all(profiles: int, wanted: Array) -> Array:
    """``find`` among ``all_pairs``, by arithmetic."""
    left, right = (side.astype(np.int64) for side in unpack(wanted))
    at: Array = left * (2 * profiles - left - 1) // 2 + right - left - 1
    return at


def find(words: Array, wanted: Array) -> Array:
    """Where each wanted word stands among the sorted words; -1 where it does not."""
    at = np.searchsorted(words, wanted)
    at[at == len(words)] = 0
    return np.where(words[at] == wanted, at, -1) if len(words) else np.full(len(wanted), -1)


def all_pairs(profiles: int) -> Array:
    """Every pair of profiles as sorted words."""
    left, right = np.triu_indices(profiles, 1)
    return pack(left, right)


def pairs_within(label: Array, smallest: int = 2) -> Array:
    """Every pair of profiles with one label, of labels with at least ``smallest`` profiles; sorted words."""
    if library.there():
        return clustering.pairs_of_groups(label, smallest)
    rows = np.flatnonzero(np.bincount(label)[label] >= smallest)
    if not len(rows):
        return np.empty(0, np.uint64)
    rows = rows[stable_order(label[rows])]
    member, group = rows.astype(np.uint64), label[rows]
    first = np.ones(len(group), bool)
    first[1:] = group[1:] != group[:-1]
    starts = np.flatnonzero(first)
    size = np.diff(np.append(starts, len(group)))
    place = np.arange(len(group)) - np.repeat(starts, size)
    left = np.arange(len(group))
    size = np.repeat(size, size)
    words = []
    for distance in range(1, int(size.max())):
        left = left[place[left] + distance < size[left]]
        words.append(pack(member[left], member[left + distance]))
    return ascending(np.concatenate(words)) if words else np.empty(0, np.uint64)
