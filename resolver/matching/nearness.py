"""What integers say of how far apart two texts are, so that most pairs of strings are never scored.

A bound never rules out a pair that a scorer would take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import comparing, library

if TYPE_CHECKING:
    from resolver.matching.sides import Sides
    from resolver.matching.values import Array, Values

#: Characters at the beginning for which Winkler adds to Jaro's similarity.
_PREFIX: Final = 4
#: What single precision may take off a similarity.
ROUNDING: Final = 1e-6


def near_by_edits(sides: Sides, limit: float) -> Array:
    """Which pairs may be so few edits apart."""
    if library.there():
        return comparing.near("edits", *_by_spelling(sides), limit)
    size_a, size_b, more, less = _extents(sides)
    near = np.abs(size_a - size_b) <= limit
    near &= np.maximum(more, less) <= limit
    return near


def near_by_winkler(sides: Sides, limit: float) -> Array:
    """Which pairs may have such a Jaro-Winkler similarity."""
    if library.there():
        return comparing.near("winkler", *_by_spelling(sides), limit - ROUNDING)
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    size_a, size_b, more, less = _extents(sides)
    return winkler_may_reach(limit, (size_a, size_b), (more, less), values.word[a] ^ values.word[b])


def near_by_ratio(sides: Sides, limit: float) -> Array:
    """Which pairs may have so large a share of characters in common and in order."""
    if library.there():
        return comparing.near("ratio", *_by_spelling(sides), limit)
    size_a, size_b, more, less = _extents(sides)
    near: Array = 2 * np.minimum(size_a - more, size_b - less) >= limit * (size_a + size_b)
    return near


def winkler_may_reach(
    limit: float, sizes: tuple[Array, Array], apart: tuple[Array, Array], starts: Array
) -> Array:
    """Which texts of so many characters, so many of them not in the other, can be as similar as that.

    ``starts`` are the bits in which their first eight bytes differ: Winkler adds a tenth of what is missing
    for each of the first four characters that are equal. A character is a byte at least.
    """
    size_a, size_b = sizes
    more, less = apart
    shared = np.minimum(size_a - more, size_b - less)
    jaro = (shared / np.maximum(size_a, 1) + shared / np.maximum(size_b, 1) + 1) / 3
    prefix = np.zeros(len(starts), np.uint8)
    for length in range(1, _PREFIX + 1):
        prefix += starts < np.uint64(1 << (64 - 8 * length))
    reached: Array = jaro + 0.1 * prefix * (1 - jaro) >= limit - ROUNDING
    return reached


def nearly_spelled(values: Values, a: Array, b: Array) -> Array:
    """Which pairs of texts are at most two letters apart each way: all that could be close, and some more."""
    more, less = letters_apart(values, a, b)
    return np.maximum(more, less) <= 2  # noqa: PLR2004 - see above


def letters_apart(values: Values, a: Array, b: Array) -> tuple[Array, Array]:
    """Letters of one side that the other lacks, both ways, each an edit. 0 where not ASCII."""
    x, y = values.letters[a], values.letters[b]
    plain = values.ascii[a] & values.ascii[b]
    return np.bitwise_count(x & ~y) * plain, np.bitwise_count(y & ~x) * plain


def _extents(sides: Sides) -> tuple[Array, ...]:
    """Characters of each side, and ``letters_apart``: looked up once for all tests of a comparison."""
    if "extents" not in sides.notes:
        (values,), (a,), (b,) = sides.values, sides.a, sides.b
        sides.notes["extents"] = values.length[a], values.length[b], *letters_apart(values, a, b)
    return sides.notes["extents"]


def _by_spelling(sides: Sides) -> tuple[Array, tuple[Array, Array]]:
    """What kernels ask of the one field of a comparison."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    return values.spelling, (a, b)
