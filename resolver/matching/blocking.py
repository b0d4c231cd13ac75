"""Candidate pairs: all of a small file, else the union of keys, small blocks first, large ones left out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from resolver.compiled import blocking as compiled
from resolver.compiled import library
from resolver.errors import BadInput
from resolver.matching.pair_index import all_pairs, distinct
from resolver.matching.sorting import ascending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.matching.keys import Key
    from resolver.matching.values import Array
    from resolver.model.rule_set import Blocking

_THREADS: Final = 2
#: The low bits of a word that hold the key's number, so that a pair's first key survives one sort.
_KEY_BITS: Final = np.uint64(10)
_KEY_MASK: Final = np.uint64(1023)
MOST_KEYS: Final = 1000
#: Profiles that any file is expected to grow by before it is learned from anew.
_LATER: Final = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest block of a key, and how many pairs a key may bring in all (smallest blocks first).

    ``most`` pairs of one key and the run stops: nothing of so many is worth waiting for.
    """

    block: int
    pairs: float
    most: float = float("inf")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Sorted pair words, the number of the first key that found each, the keys' names and figures per key.

    ``allowed`` is the size up to which each key's blocks bring pairs.
    """

    words: Array
    key: Array
    names: tuple[str, ...]
    figures: Sequence[Mapping[str, Any]] = field(default_factory=list)
    allowed: tuple[int, ...] = ()
    total: float | None = None

    @property
    def count(self) -> int:
        """How many pairs all keys together found; told by ``total`` where not all of them are at hand."""
        return len(self.words) if self.total is None else round(self.total)


def row_bits(profiles: int) -> int:
    """Bits of a row number, with room for profiles that come later."""
    return min((profiles + profiles // 4 + _LATER).bit_length(), 27)


def every_pair(profiles: int) -> Candidates:
    """All pairs of a small file."""
    words = all_pairs(profiles)
    return Candidates(words, np.zeros(len(words), np.uint16), ("all pairs",))


def block(keys: Sequence[Key], limits: Limits | Sequence[int], bits: int) -> Candidates:
    """The pairs that share a block of any key. ``bits`` is how many bits a row number takes; at most 27.

    ``limits`` hold for all keys, or each key's own largest block is given.
    """
    allowed = [0] * len(keys)

    def run(number: int) -> tuple[Array, dict[str, Any]]:
        own = limits if isinstance(limits, Limits) else Limits(limits[number], float("inf"))
        index = index_of_key(keys[number], bits, alone=False)
        blocks = None if library.there() else blocks_of_index(index, bits)
        if own.most < float("inf"):
            if blocks is None:
                times, _ = compiled.block_sizes(index, bits, own.block)
                stop_beyond(own, np.arange(len(times)), keys[number].name, times)
            else:
                stop_beyond(own, blocks[1], keys[number].name)
        words, largest, allowed[number] = pairs_of_index(index, own, bits, blocks)
        words = words if keys[number].one_block else distinct(words)
        return with_key(words, number), {
            "key": keys[number].name,
            "pairs": len(words),
            "largest_block": largest,
        }

    with ThreadPoolExecutor(_THREADS) as pool:
        found = list(pool.map(run, range(len(keys))))
    words = [words for words, _ in found]
    everything = ascending(np.concatenate(words), alone=True) if found else np.empty(0, np.uint64)
    if library.there():
        pairs, number, new, only = compiled.first_keys(everything, bits, len(keys))
    else:
        kept, number, alone = first_keys(everything)
        pairs = spread(kept, bits)
        new = np.bincount(number, minlength=len(keys))
        only = np.bincount(number[alone], minlength=len(keys))
    figures = with_counts([facts for _, facts in found], new, only)
    return Candidates(pairs, number, tuple(key.name for key in keys), figures, tuple(allowed))


def with_key(pairs: Array, number: int) -> Array:
    """Pairs (left << bits | right) and the number of the key that found them, in one word each."""
    return (pairs << _KEY_BITS) | np.uint64(number)


def key_of(words: Array) -> Array:
    """The numbers of the keys of ``with_key``."""
    return (words & _KEY_MASK).astype(np.uint16)


def first_keys(words: Array) -> tuple[Array, Array, Array]:
    """The distinct pairs of sorted words of ``with_key``, their first keys, and where it is the only one."""
    pair = words >> _KEY_BITS
    first = np.ones(len(pair), bool)
    first[1:] = pair[1:] != pair[:-1]
    alone = first & np.append(first[1:], True)
    at = np.flatnonzero(first)
    return pair[at], key_of(words)[at], np.flatnonzero(alone[at])


def with_counts(facts: Sequence[Mapping[str, Any]], new: Array, only: Array) -> list[dict[str, Any]]:
    """The facts of each key, with how many pairs it found first, alone, and with the keys before it."""
    return [
        {
            **own,
            "new_pairs": int(new[k]),
            "found_only_here": int(only[k]),
            "cumulative": int(new[: k + 1].sum()),
        }
        for k, own in enumerate(facts)
    ]


def spread(pairs: Array, bits: int) -> Array:
    """Pair words (left << 32 | right) of narrower ones (left << bits | right)."""
    low = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    return ((pairs >> np.uint64(bits)) << np.uint64(32)) | (pairs & low)


def check_pairs(rules: Blocking, profiles: int, pairs: float) -> bool:
    """Whether so many pairs of one key stop a run."""
    return pairs > rules.most_pairs_per_profile * profiles


def stop_beyond(limits: Limits, sizes: Array, name: str, times: Array | None = None) -> None:
    """Raise BadInput where blocks of those sizes (``times`` of each) bring more pairs than a key may."""
    kept = sizes <= largest_allowed(sizes, limits, times)
    of_size = sizes[kept].astype(np.int64)
    of_size = of_size * (of_size - 1) // 2
    pairs = int((of_size if times is None else of_size * times[kept]).sum())
    if pairs > limits.most:
        raise BadInput(
            f"blocking rule {name!r} brings {pairs:,} candidate pairs, more than the {limits.most:,.0f} that "
            "blocking.most_pairs_per_profile allows: name it in blocking.forbidden, or lower "
            "blocking.largest_block or blocking.pairs_per_profile"
        )


def pairs_of_keys(keys: Sequence[Key], limits: Limits, bits: int) -> list[Array]:
    """Distinct pairs (left << bits | right) of each key's blocks, in any order, of few profiles.

    The keys differ in their last part only, and the parts are looked up already, see ``looked_up``. Blocks
    above the limit bring nothing; above the budget, the larger blocks bring nothing.
    """
    if library.there():
        before = None
        for part in keys[0].parts[:-1]:
            before = compiled.few_hashes(before, part.codes)
        most = limits.block, limits.pairs
        found = [compiled.few_pairs(before, key.parts[-1].codes, bits, most) for key in keys]
    else:
        found = [pairs_of_index(index_of_key(key, bits), limits, bits)[0] for key in keys]
    return [pairs if key.one_block else distinct(pairs) for key, pairs in zip(keys, found, strict=True)]


def index_of_key(key: Key, bits: int, *, alone: bool = True) -> Array:
    """Sorted words (block << bits | row), each once: which profiles stand in which block of the key.

    Not ``alone``: most blocks of one profile may be missing.
    """
    words = key.words(bits)
    if not alone and library.there():
        words = compiled.not_alone(words, bits)
    words = ascending(words)
    if key.one_block:
        return words
    fresh = np.ones(len(words), bool)
    fresh[1:] = words[1:] != words[:-1]
    return words[np.flatnonzero(fresh)]


def blocks_of_index(words: Array, bits: int) -> tuple[Array, Array]:
    """Where each block of an index begins, and its size."""
    block_of = words >> np.uint64(bits)
    edge = np.ones(len(words) + 1, bool)
    edge[1:-1] = block_of[1:] != block_of[:-1]
    starts = np.flatnonzero(edge)
    return starts[:-1], np.diff(starts)


def pairs_of_index(
    words: Array, limits: Limits, bits: int, blocks: tuple[Array, Array] | None = None
) -> tuple[Array, int, int]:
    """Pairs of the blocks of an index, some twice; its largest block; the size up to which blocks count.

    ``blocks`` are ``blocks_of_index`` where they are at hand.
    """
    if library.there():
        times, largest = compiled.block_sizes(words, bits, limits.block)
        size = np.arange(len(times))
        allowed = largest_allowed(size, limits, times)
        pairs = int((times * size * (size - 1) // 2)[: allowed + 1].sum())
        return compiled.block_pairs(words, bits, allowed, pairs), largest, allowed
    shift = np.uint64(bits)
    starts, sizes = blocks or blocks_of_index(words, bits)
    largest = int(sizes.max(initial=0))
    allowed = largest_allowed(sizes, limits)
    kept = np.flatnonzero((sizes > 1) & (sizes <= allowed))
    sizes, starts = sizes[kept], starts[kept]
    row = words & ((np.uint64(1) << shift) - np.uint64(1))
    out = []
    for distance in range(1, allowed):
        going = sizes > distance
        sizes, starts = sizes[going], starts[going]
        if not len(sizes):
            break
        count = sizes - distance
        left = np.repeat(starts - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(
            count.sum()
        )
        out.append((row[left] << shift) | row[left + distance])
    return (np.concatenate(out) if out else np.empty(0, np.uint64)), largest, allowed


def largest_allowed(sizes: Array, limits: Limits, times: Array | None = None) -> int:
    """The block size up to which all blocks together stay within the budget.

    ``times`` is how many blocks of each of the sizes there are; one, where it is not given.
    """
    small = sizes <= limits.block
    weights = None if times is None else times[small]
    counts = np.bincount(sizes[small], weights, minlength=limits.block + 1).astype(float)
    size = np.arange(limits.block + 1)
    total = np.cumsum(counts * size * (size - 1) / 2)
    return (
        int(np.searchsorted(total, limits.pairs, side="right")) - 1
        if total[-1] > limits.pairs
        else limits.block
    )
