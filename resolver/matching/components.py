"""Connected components of pairs, cut smaller where they grow beyond what can be compared in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from resolver.matching.values import Array

#: Bits by which the bar rises at a time, and the bar above which a component is one cluster as it stands.
BAR_STEP = 1.4
HIGHEST_BAR = 60.0


def components(profiles: int, left: Array, right: Array) -> Array:
    """A component number per profile, 0 up, in the order of first members."""
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(profiles, profiles))
    _, label = connected_components(graph, directed=False)
    return label


def bounded_components(
    profiles: int, pairs: tuple[Array, Array], weight: Array, limits: tuple[float, int]
) -> Array:
    """Components of pairs of at least ``limits[0]`` bits, none larger than ``limits[1]`` if possible.

    In a component that is too large the bar is raised step by step until it falls apart.
    """
    bar, largest = limits
    left, right = pairs
    use = weight >= bar
    label = components(profiles, left[use], right[use])
    while bar < HIGHEST_BAR:
        sizes = np.bincount(label)
        giant = sizes > largest
        if not giant.any():
            break
        bar += BAR_STEP
        use &= ~giant[label[left]] | (weight >= bar)
        label = components(profiles, left[use], right[use])
    return label


def first_rows(label: Array) -> Array:
    """The first row of each profile's group."""
    first = np.full(int(label.max(initial=-1)) + 1, len(label), np.int64)
    np.minimum.at(first, label, np.arange(len(label)))
    return first[label]


def joined(one: Array, other: Array) -> Array:
    """The finest grouping (first rows) in which both groupings' groups stay whole."""
    rows = np.arange(len(one))
    both = components(len(one), np.concatenate([rows, rows]), np.concatenate([one, other]))
    return first_rows(both)
