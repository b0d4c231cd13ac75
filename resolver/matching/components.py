"""Connected components of pairs, cut smaller where they grow beyond what can be compared in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.matching.values import Array

#: Bits by which the bar rises at a time, and the bar above which a component is one cluster as it stands.
BAR_STEP = 1.4
HIGHEST_BAR = 60.0


def components(profiles: int, left: Array, right: Array) -> Array:
    """A component number per profile, 0 up, in the order of first members.

    Most profiles have no pair: the graph is one of those that have.
    """
    paired = np.zeros(profiles, bool)
    paired[left] = True
    paired[right] = True
    nodes = np.flatnonzero(paired)
    first = np.arange(profiles)
    if len(nodes):
        place = np.empty(profiles, np.int32)
        place[nodes] = np.arange(len(nodes), dtype=np.int32)
        ends = (place[left], place[right])
        graph = coo_array((np.ones(len(left), bool), ends), shape=(len(nodes), len(nodes)))
        _, label = connected_components(graph, directed=False)
        smallest = np.empty(len(nodes), np.int64)
        smallest[label[::-1]] = nodes[::-1]  # the last to be written stays
        first[nodes] = smallest[label]
    return numbered(first)


def numbered(first: Array) -> Array:
    """Groups given by the first row of each profile's, as numbers from 0 up in the order of first rows."""
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
    first = np.full(int(label.max(initial=-1)) + 1, len(label), np.int64)
    first[label[::-1]] = np.arange(len(label))[::-1]  # the last to be written stays
    return first[label]


def joined(one: Array, other: Array) -> Array:
    """The finest grouping (first rows) in which both groupings' groups stay whole."""
    rows = np.arange(len(one))
    ends = [(rows[group != rows], group[group != rows]) for group in (one, other)]
    left, right = (np.concatenate(side) for side in zip(*ends, strict=True))
    return first_rows(components(len(one), left, right))
