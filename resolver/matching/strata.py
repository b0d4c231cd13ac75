"""Strata: parts of a file whose profiles have the same fields filled, as when sources were poured together.

One source's customers meet each other far more often than another's, its names are its own, and its
households too. Where the presence of one field predicts that of others, the file is several files. A pair of
profiles belongs to the stratum of its two parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import counting, gathering, library
from resolver.matching.sorting import dense_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array
    from resolver.model.rule_set import Estimation

#: Bits of other fields' presence that a field's own must tell per bit of its own entropy to part a file:
#: as much as one further field that is there exactly when it is.
_TELLS: Final = 1.0
#: A field that fewer of a part's profiles have is not there: a stray value does not make a source.
_PRESENT: Final = 0.02
_NOTHING: Final = 1e-12
#: Fields that one word tells of, beside the number of a pattern.
_BITS: Final = 16


@dataclass(frozen=True, eq=False)
class Strata:
    """``part`` of each profile; ``number`` of the stratum of two parts, from 1, all 0 if undivided.

    ``sides`` gives the two parts of each stratum, ``names`` each part in words, ``present`` which columns a
    part has, shape (parts, columns).
    """

    part: Array
    number: Array
    sides: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    present: Array

    @classmethod
    def of_parts(cls, part: Array, names: tuple[str, ...], present: Array) -> Strata:
        """The strata of profiles whose parts are known."""
        number = np.zeros((len(names), len(names)), np.uint8)
        sides = tuple(combinations_with_replacement(range(len(names)), 2)) if len(names) > 1 else ()
        for stratum, (one, other) in enumerate(sides, 1):
            number[one, other] = number[other, one] = stratum
        return cls(part, number, sides, names, present)

    @property
    def divided(self) -> bool:
        """Whether the file has more than one part."""
        return bool(self.sides)

    def of(self, pairs: tuple[Array, Array]) -> Array | None:
        """The stratum of each pair of rows; None where the file is undivided."""
        if not self.divided:
            return None
        if library.there():
            return gathering.strata_of(self.part, self.number, pairs)
        left, right = pairs
        row = self.part[left].astype(np.intp)
        row *= len(self.names)
        row += self.part[right]
        found: Array = self.number.ravel()[row]
        return found

    def name(self, stratum: int) -> str:
        """A stratum in words."""
        one, other = (self.names[part] for part in self.sides[stratum - 1])
        return f"both {one}" if one == other else f"one {one}, one {other}"

    def sizes(self, stratum: int) -> tuple[int, float]:
        """How many profiles may find a match in it (those of its smaller part), and its number of pairs."""
        one, other = self.sides[stratum - 1]
        count = self._counts
        if one == other:
            return int(count[one]), float(count[one] * (count[one] - 1) / 2)
        return int(min(count[one], count[other])), float(count[one] * count[other])

    @cached_property
    def _counts(self) -> Array:
        """Profiles of each part."""
        return np.bincount(self.part, minlength=len(self.names)).astype(float)

    def rows(self, stratum: int) -> tuple[Array, Array]:
        """The rows of its two parts."""
        one, other = self.sides[stratum - 1]
        return np.flatnonzero(self.part == one), np.flatnonzero(self.part == other)


def strata_of(columns: Sequence[Column], rules: Estimation) -> Strata:
    """The file split at the field whose presence says most about the others', again and again.

    A file whose gaps are independent has one part, as has a small one.
    """
    pattern, known = _patterns([column.known for column in columns])
    times = np.bincount(pattern, minlength=len(known)).astype(float)
    leaves = [_leaf((known, times), np.arange(len(known)), (), rules.smallest_part)]
    while len(leaves) < rules.parts:
        leaf = max(leaves, key=lambda leaf: leaf.told)
        if leaf.split is None:
            break
        leaves.remove(leaf)
        has = known[leaf.patterns, leaf.split]
        field = columns[leaf.split].name
        for own, word in ((leaf.patterns[has], "with"), (leaf.patterns[~has], "without")):
            leaves.append(_leaf((known, times), own, (*leaf.words, f"{word} {field}"), rules.smallest_part))
    part = np.zeros(len(known), np.uint8)
    for at, leaf in enumerate(leaves):
        part[leaf.patterns] = at
    present = np.stack([_share(known, times, leaf.patterns) >= _PRESENT for leaf in leaves])
    names = tuple(", ".join(leaf.words) for leaf in leaves)
    return Strata.of_parts(part[pattern], names, present)


def _patterns(known: Sequence[Array]) -> tuple[Array, Array]:
    """Which fields are there together: a number per profile, and the fields of each number.

    Profiles have few of them: what is counted over patterns costs nothing, however large the file.
    """
    ranks = np.zeros(len(known[0]), np.intp)
    for begin in range(0, len(known), _BITS):
        bits = _presences(known[begin : begin + _BITS])
        ranks, examples = dense_ranks((ranks << _BITS) | bits)
    return ranks, np.stack([there[examples] for there in known], axis=1)


def _presences(known: Sequence[Array]) -> Array:
    """A bit per field that a profile has."""
    if library.there():
        return counting.presences(known)
    bits = np.zeros(len(known[0]), np.uint16)
    for k, there in enumerate(known):
        bits |= there.astype(np.uint16) << np.uint16(k)
    return bits


@dataclass(frozen=True, eq=False)
class _Leaf:
    """Patterns that share the presences in ``words``; the column to split at, and the bits it tells."""

    patterns: Array
    words: tuple[str, ...]
    split: int | None
    told: float


def _share(known: Array, times: Array, own: Array) -> Array:
    """The share of the profiles of those patterns that have each field."""
    share: Array = times[own] @ known[own] / max(times[own].sum(), 1.0)
    return share


def _leaf(counted: tuple[Array, Array], own: Array, words: tuple[str, ...], smallest: int) -> _Leaf:
    known, times = counted
    profiles = times[own].sum()
    if profiles < 2 * smallest:
        return _Leaf(own, words, None, 0.0)
    share = _share(known, times, own)
    told = _mutual_information(known[own].astype(float), times[own]).sum(axis=1)
    enough = np.minimum(share, 1 - share) * profiles >= smallest
    enough &= told >= _TELLS * np.maximum(_entropy(share), _NOTHING)
    if not enough.any():
        return _Leaf(own, words, None, 0.0)
    best = int(np.where(enough, told, -1.0).argmax())
    return _Leaf(own, words, best, float(told[best] * profiles))


def _entropy(share: Array) -> Array:
    out: Array = -_times_log(share, share) - _times_log(1 - share, 1 - share)
    return out


def _times_log(weight: Array, ratio: Array) -> Array:
    """The product weight · log2 ratio, 0 where the weight is."""
    return np.where(weight > _NOTHING, weight * np.log2(np.maximum(ratio, 1e-300)), 0.0)


def _mutual_information(known: Array, times: Array) -> Array:
    """Bits that each column's presence tells of each other's; 0 of its own."""
    share = times @ known / times.sum()
    both = known.T @ (known * times[:, None]) / times.sum()
    out = np.zeros_like(both)
    for here in (True, False):
        for there in (True, False):
            one = share if here else 1 - share
            other = share if there else 1 - share
            joint = both
            if not here and there:
                joint = share[None, :] - both
            elif here and not there:
                joint = share[:, None] - both
            elif not here:
                joint = 1 - share[:, None] - share[None, :] + both
            joint = np.maximum(joint, 0.0)
            out += _times_log(joint, joint / np.maximum(one[:, None] * other[None, :], 1e-300))
    np.fill_diagonal(out, 0.0)
    return out
