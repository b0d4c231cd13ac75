"""Tests that need no string: digits, dates, and codes derived once per value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.compiled import comparing, library

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.matching.sides import Sides
    from resolver.matching.values import Array


def digit_distance(sides: Sides, limit: float) -> Array:
    """Equal count of digits, and at most ``limit`` of them off, or two neighbours exchanged."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    if library.there():
        return comparing.near_by_digits(values.digits, values.digit_count, (a, b), limit)
    x, y = values.digits[a], values.digits[b]
    gap = x ^ y
    some = gap | (gap >> np.uint64(1)) | (gap >> np.uint64(2)) | (gap >> np.uint64(3))
    places = some & np.uint64(0x1111111111111111)
    off = np.bitwise_count(places)
    low = places & (~places + np.uint64(1))  # the lowest place that differs, and its upper neighbour
    mask_low, mask_high = low * np.uint64(15), (low * np.uint64(15)) << np.uint64(4)
    exchanged = (off == 2) & (places == low | (low << np.uint64(4)))  # noqa: PLR2004
    exchanged &= ((x & mask_low) << np.uint64(4)) == (y & mask_high)
    exchanged &= ((y & mask_low) << np.uint64(4)) == (x & mask_high)
    same_count = (values.digit_count[a] == values.digit_count[b]) & (values.digit_count[a] > 0)
    return same_count & ((off <= limit) | exchanged)


def date_digit_distance(sides: Sides, limit: float) -> Array:
    """As digits, and both dates have a day: years alone are close to many others."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    return (values.days[a] >= 0) & (values.days[b] >= 0) & digit_distance(sides, limit)


def _date(sides: Sides) -> tuple[Array, Array, Array, Array, Array, Array]:
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    year, month, day = values.date_parts
    return year[a], month[a], day[a], year[b], month[b], day[b]


def day_month_swapped(sides: Sides, limit: float) -> Array:
    """Same year, day and month exchanged."""
    del limit
    y1, m1, d1, y2, m2, d2 = _date(sides)
    return (y1 > 0) & (y1 == y2) & (m1 > 0) & (d1 > 0) & (m1 == d2) & (d1 == m2)


def same_date_parts(sides: Sides, limit: float) -> Array:
    """At least so many of year, month and day are equal."""
    y1, m1, d1, y2, m2, d2 = _date(sides)
    same = ((y1 > 0) & (y1 == y2)).astype(np.int8)
    same += (m1 > 0) & (m1 == m2)
    same += (d1 > 0) & (d1 == d2)
    return same >= limit


def same_year(sides: Sides, limit: float) -> Array:
    """Same year."""
    del limit
    y1, _, _, y2, _, _ = _date(sides)
    return (y1 > 0) & (y1 == y2)


def same_month_day(sides: Sides, limit: float) -> Array:
    """Same month and day."""
    del limit
    _, m1, d1, _, m2, d2 = _date(sides)
    return (m1 > 0) & (m1 == m2) & (d1 > 0) & (d1 == d2)


def days_apart(sides: Sides, limit: float) -> Array:
    """At most so many days apart."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    x, y = values.days[a], values.days[b]
    return (x >= 0) & (y >= 0) & (np.abs(x - y) <= limit)


def same(table: str) -> Callable[[Sides, float], Array]:
    """Equality of one derived code per value, 0 unknown."""

    def holds(sides: Sides, limit: float) -> Array:
        del limit
        (values,), (a,), (b,) = sides.values, sides.a, sides.b
        code = getattr(values, table)
        if library.there():
            return comparing.same_entry(code, (a, b))
        return (code[a] > 0) & (code[a] == code[b])

    return holds
