"""Connected components of pairs, cut smaller where they grow beyond what can be compared in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.compiled import clustering as compiled
from resolver.compiled import library

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.matching.values import Array

#: Bits by which the bar rises at a time, and the bar above which a component is one cluster as it stands.
BAR_STEP = 1.4
HIGHEST_BAR = 60.0


def components(profiles: int, left: Array, right: Array) -> Array:
    """A component number per profile, 0 up, in the order of first members."""
    return numbered(first_members(profiles, left, right))


def first_members(profiles: int, left: Array, right: Array) -> Array:
    """The first member of each profile's component."""
    if library.there():
        return compiled.first_members(profiles, left, right)
    first = np.arange(profiles)
    there = np.zeros(profiles, bool)
    there[left] = True
    there[right] = True
    rows = np.flatnonzero(there)  # most profiles of a large file have no pair
    place = np.empty(profiles, np.intp)
    place[rows] = np.arange(len(rows))
    first[rows] = rows[_first_of_paired(len(rows), place[left], place[right])]
    return first


def _first_of_paired(profiles: int, left: Array, right: Array) -> Array:
    """``first_members`` where everyone has a pair.

    Every profile knows the first that was found for it. In a round each pair hands the smaller of its two on
    to the larger, and all look up to the end. What is smaller than all around it finds a smaller one, or
    itself, there in the next round: two rounds leave half of what was to be joined, or less.
    """
    first = np.arange(profiles)
    low, high = np.minimum(left, right), np.maximum(left, right)
    while len(low):
        np.minimum.at(first, high, low)
        above = first[first]
        while not np.array_equal(above, first):
            first, above = above, above[above]
        one, other = first[low], first[high]
        apart = np.flatnonzero(one != other)
        one, other = one[apart], other[apart]
        low, high = np.minimum(one, other), np.maximum(one, other)
    return first


def weakest_links(group: Array, pairs: tuple[Array, Array, Array]) -> Array:
    """Per profile the smallest weight on the strongest spanning tree of its group; NaN for one alone.

    ``group`` is a number per profile below their count; ``pairs`` are left and right rows and weights, all
    inside groups. In a round the strongest pair out of each part of a group joins it to another (Borůvka):
    such a pair is on a strongest tree.
    """
    left, right, weight = pairs
    weakest = np.full(len(group), np.inf)
    while len(left):
        strongest = np.full(len(group), -np.inf)
        np.maximum.at(strongest, left, weight)
        np.maximum.at(strongest, right, weight)
        chosen = np.flatnonzero((weight == strongest[left]) | (weight == strongest[right]))
        np.minimum.at(weakest, group[left[chosen]], weight[chosen])
        first = first_members(len(group), left[chosen], right[chosen])
        left, right = first[left], first[right]
        apart = np.flatnonzero(left != right)
        left, right, weight = left[apart], right[apart], weight[apart]
    weakest[np.isposinf(weakest)] = np.nan
    return weakest[group]


def numbered(first: Array) -> Array:
    """Groups given by the first row of each profile's, as numbers from 0 up in the order of first rows."""
    if library.there():
        return compiled.numbered(first)
    numbers = np.cumsum(first == np.arange(len(first)), dtype=np.int32) - np.int32(1)
    label: Array = numbers[first]
    return label


def bounded_components(
    profiles: int,
    pairs: tuple[Array, Array, Array],
    limits: tuple[float, int],
    find: Callable[[int, Array, Array], Array] = components,
) -> Array:
    """Components of pairs of at least ``limits[0]`` bits, none larger than ``limits[1]`` if possible.

    In a component that is too large the bar is raised step by step until it falls apart. ``pairs`` are left
    and right rows and weights; ``find`` does what ``components`` does.
    """
    bar, largest = limits
    left, right, weight = pairs
    use = weight >= bar
    label = find(profiles, left[use], right[use])
    while bar < HIGHEST_BAR:
        sizes = np.bincount(label)
        giant = sizes > largest
        if not giant.any():
            break
        bar += BAR_STEP
        use &= ~giant[label[left]] | (weight >= bar)
        label = find(profiles, left[use], right[use])
    return label


def first_rows(label: Array) -> Array:
    """The first row of each profile's group."""
    if library.there():
        return compiled.first_rows(label)
    first = np.full(int(label.max(initial=-1)) + 1, len(label), np.int64)
    first[label[::-1]] = np.arange(len(label))[::-1]  # the last to be written stays
    return first[label]


def joined(one: Array, other: Array) -> Array:
    """The finest grouping (first rows) in which both groupings' groups stay whole."""
    rows = np.arange(len(one))
    ends = [(rows[group != rows], group[group != rows]) for group in (one, other)]
    left, right = (np.concatenate(side) for side in zip(*ends, strict=True))
    return first_rows(components(len(one), left, right))
