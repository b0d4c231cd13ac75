"""Strata: parts of a file whose profiles have the same fields filled, as when sources were poured together.

One source's customers meet each other far more often than another's, its names are its own, and its
households too. Where the presence of one field predicts that of others, the file is several files. A pair of
profiles belongs to the stratum of its two parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Final

import numpy as np

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
        left, right = pairs
        found: Array = self.number[self.part[left], self.part[right]]
        return found

    def name(self, stratum: int) -> str:
        """A stratum in words."""
        one, other = (self.names[part] for part in self.sides[stratum - 1])
        return f"both {one}" if one == other else f"one {one}, one {other}"

    def sizes(self, stratum: int) -> tuple[int, float]:
        """How many profiles may find a match in it (those of its smaller part), and its number of pairs."""
        one, other = self.sides[stratum - 1]
        count = np.bincount(self.part, minlength=len(self.names)).astype(float)
        if one == other:
            return int(count[one]), float(count[one] * (count[one] - 1) / 2)
        return int(min(count[one], count[other])), float(count[one] * count[other])

    def rows(self, stratum: int) -> tuple[Array, Array]:
        """The rows of its two parts."""
        one, other = self.sides[stratum - 1]
        return np.flatnonzero(self.part == one), np.flatnonzero(self.part == other)


def strata_of(columns: Sequence[Column], rules: Estimation) -> Strata:
    """The file split at the field whose presence says most about the others', again and again.

    A file whose gaps are independent has one part, as has a small one.
    """
    known = np.stack([column.known for column in columns], axis=1)
    leaves = [_leaf(known, np.arange(len(known)), (), rules.smallest_part)]
    while len(leaves) < rules.parts:
        leaf = max(leaves, key=lambda leaf: leaf.told)
        if leaf.split is None:
            break
        leaves.remove(leaf)
        has = known[leaf.rows, leaf.split]
        field = columns[leaf.split].name
        for rows, word in ((leaf.rows[has], "with"), (leaf.rows[~has], "without")):
            leaves.append(_leaf(known, rows, (*leaf.words, f"{word} {field}"), rules.smallest_part))
    part = np.zeros(len(known), np.uint8)
    for at, leaf in enumerate(leaves):
        part[leaf.rows] = at
    present = np.stack([known[leaf.rows].mean(axis=0) >= _PRESENT for leaf in leaves])
    names = tuple(", ".join(leaf.words) for leaf in leaves)
    return Strata.of_parts(part, names, present)


@dataclass(frozen=True, eq=False)
class _Leaf:
    """Rows that share the presences in ``words``; the column to split at, and the bits it tells."""

    rows: Array
    words: tuple[str, ...]
    split: int | None
    told: float


def _leaf(known: Array, rows: Array, words: tuple[str, ...], smallest: int) -> _Leaf:
    if len(rows) < 2 * smallest:
        return _Leaf(rows, words, None, 0.0)
    here = known[rows]
    share = here.mean(axis=0)
    told = _mutual_information(here.astype(np.float32)).sum(axis=1)
    enough = np.minimum(share, 1 - share) * len(rows) >= smallest
    enough &= told >= _TELLS * np.maximum(_entropy(share), _NOTHING)
    if not enough.any():
        return _Leaf(rows, words, None, 0.0)
    best = int(np.where(enough, told, -1.0).argmax())
    return _Leaf(rows, words, best, float(told[best] * len(rows)))


def _entropy(share: Array) -> Array:
    out: Array = -_times_log(share, share) - _times_log(1 - share, 1 - share)
    return out


def _times_log(weight: Array, ratio: Array) -> Array:
    """The product weight · log2 ratio, 0 where the weight is."""
    return np.where(weight > _NOTHING, weight * np.log2(np.maximum(ratio, 1e-300)), 0.0)


def _mutual_information(known: Array) -> Array:
    """Bits that each column's presence tells of each other's; 0 of its own."""
    share = known.mean(axis=0, dtype=float)
    both = (known.T @ known).astype(float) / len(known)
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
