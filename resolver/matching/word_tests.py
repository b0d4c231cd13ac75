"""Tests of the words of texts, which need no string."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from resolver.matching.sides import Sides
    from resolver.matching.values import Array, Values


def same_nickname(sides: Sides, limit: float) -> Array:
    """Both may be short for one full name."""
    del limit
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    names = values.full_names
    short = np.diff(names.start) > 1  # a name that is short for none shares none with another such name
    at = np.flatnonzero(short[a] | short[b])
    out = np.zeros(len(a), bool)
    out[at] = names.shared(a[at], b[at]) > 0
    return out


def shared_words(sides: Sides, limit: float) -> Array:
    """The overlap of their words (by weight) is at least ``limit``."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    return _jaccard(values, a, b) >= limit


def words_contained(sides: Sides, limit: float) -> Array:
    """Every word of one side (by weight) stands in the other, and the overlap is at least ``limit``."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    shared = values.tokens.shared(a, b)
    smaller = np.minimum(values.tokens.total[a], values.tokens.total[b])
    return (smaller > 0) & (shared >= 0.95 * smaller) & (_jaccard(values, a, b) >= limit)


def _jaccard(values: Values, a: Array, b: Array) -> Array:
    tokens = values.tokens
    shared = tokens.shared(a, b)
    return shared / np.maximum(tokens.total[a] + tokens.total[b] - shared, 1e-9)
