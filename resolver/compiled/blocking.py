"""Blocking by kernels: what ``keys`` and ``blocking`` do in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.library import addresses, call, run

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = NDArray[Any]


def key_words(parts: Sequence[tuple[Array, Array | None, int]], bits: int) -> Array:
    """Words (hash << bits | row) of the profiles that have every part, in the order of rows.

    A part is its codes (profiles, slots), what each code is turned into (64 bits; None: itself), and a slot.
    """
    codes = [part[0] for part in parts]
    widths, slots, sizes = (
        np.array(numbers, np.int64)
        for numbers in zip(*((own.shape[1], slot, own.itemsize) for own, _, slot in parts), strict=True)
    )
    profiles = len(codes[0])
    out = np.empty(profiles + 1, np.uint64)  # the one behind the last is written and does not count
    shape = addresses(codes), addresses([part[1] for part in parts]), widths, slots, sizes, len(parts)
    return out[: call("key_words", *shape, profiles, bits, out)]


def not_alone(words: Array, bits: int) -> Array:
    """The words whose block may hold another one, in order, one if there is none; changes the array."""
    found = call("not_alone", words, len(words), bits)
    return words[: max(found, 1)]


def block_sizes(words: Array, bits: int, most: int) -> tuple[Array, int]:
    """How many blocks of sorted words there are of each size up to ``most``, and the largest size."""
    sizes = np.zeros(most + 2, np.int64)
    largest = call("block_sizes", words, len(words), bits, most, sizes)
    return sizes[:-1], largest


def block_pairs(words: Array, bits: int, allowed: int, pairs: int) -> Array:
    """So many pairs (left << bits | right), those of the blocks of up to ``allowed`` words."""
    out = np.empty(pairs, np.uint64)
    call("block_pairs", words, len(words), bits, allowed, out)
    return out


def few_hashes(before: tuple[Array, Array] | None, part: Array) -> tuple[Array, Array]:
    """Hashes and rows of what is combined of a key's parts ``before`` (None: nothing) and of one more.

    A part is its words (profiles, alternatives).
    """
    part = run(part, np.uint64)
    count, width = len(part) if before is None else len(before[0]), part.shape[1]
    # the one behind the last is written and does not count
    out, rows = np.empty(count * width + 1, np.uint64), np.empty(count * width + 1, np.uint32)
    found = call("few_hashes", *(before or (None, None)), count, part, width, out, rows)
    return out[:found], rows[:found]


def few_pairs(before: tuple[Array, Array] | None, part: Array, bits: int, limits: tuple[int, float]) -> Array:
    """Pairs (left << bits | right) of the blocks of a key, some twice, in no order.

    ``part`` is its last one, ``before`` what ``few_hashes`` says of the others. Blocks of more profiles
    than the first of the limits bring nothing, nor do those of the sizes that would bring more pairs than the
    second.
    """
    part = run(part, np.uint64)
    count, width = len(part) if before is None else len(before[0]), part.shape[1]
    block, pairs = limits
    out = np.empty(int(min(pairs, count * width * (block - 1) // 2)), np.uint64)
    given = count, part, width, bits, block, float(pairs), out
    return out[: call("few_pairs", *(before or (None, None)), *given)]


def first_keys(words: Array, bits: int, keys: int) -> tuple[Array, Array, Array, Array]:
    """Sorted pair words, each once, and their first keys; the pairs each key found first, and alone."""
    pairs, key = np.empty(len(words), np.uint64), np.empty(len(words), np.uint16)
    new, only = np.zeros(keys, np.int64), np.zeros(keys, np.int64)
    found = call("first_keys", words, len(words), bits, pairs, key, new, only)
    return pairs[:found].copy(), key[:found].copy(), new, only
