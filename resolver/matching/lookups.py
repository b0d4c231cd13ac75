"""Looking up many numbers in a table: numpy takes three times as long where they are no machine words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.compiled import gathering, library

if TYPE_CHECKING:
    from resolver.matching.values import Array


def look_up(table: Array, index: Array) -> Array:
    """``table[index]``; the index holds whole numbers from 0 up."""
    if library.there():
        return gathering.looked_up(table, index)
    found: Array = table[index]
    return found


def of_one(number: Array, sides: tuple[Array, Array]) -> Array:
    """Which pairs of profiles have one number."""
    left, right = sides
    if library.there():
        return gathering.of_one(number, sides)
    same: Array = number[left] == number[right]
    return same
