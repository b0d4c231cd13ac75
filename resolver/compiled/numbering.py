"""Numbering plans by kernels: patterns over digits, and what numbers are by them.

Texts go in and out as in ``texts``; they must hold no nulls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled.texts import Made, called, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from resolver.compiled.texts import Array

#: Calling codes have at most three digits.
CODES: Final = 1_000


@dataclass(frozen=True, slots=True)
class PlanTables:
    """Plans as the kernels take them, those of one calling code behind each other, the main region's first.

    - ``patterns``: five for each plan: whole numbers, whole numbers of known types, what numbers begin with,
      national and international prefix; an empty one is not there;
    - ``codes``, ``rewriting``: the calling code of each plan, and the group of its national prefix that has
      numbers rewritten (0: none);
    - ``of_code``: where the plans of each calling code begin, CODES + 1 of them;
    - ``tried``: the plans that are tried for a number without calling code, in turn, -1 for none.
    """

    patterns: Sequence[str]
    codes: Sequence[int]
    rewriting: Sequence[int]
    of_code: Array
    tried: Sequence[Sequence[int]]


def matching(texts: pl.Series, pattern: str, *, whole: bool) -> Array | None:
    """Which texts a pattern of digits matches from their beginning, ``whole``: to their end.

    None where the pattern holds more than digits, sets of them, groups, alternatives and counts.
    """
    told, out = np.frombuffer(pattern.encode(), np.uint8), np.empty(len(texts), bool)
    try:
        called("matching", texts, told, len(told), int(whole), out)
    except ValueError:
        return None
    return out


def calling_codes(texts: pl.Series, known: Array) -> Array:
    """The calling codes, of those ``known`` (a mark for each number below CODES), that plain numbers have."""
    times = np.zeros(CODES, np.int64)
    called("codes_called", texts, known, times)
    return np.flatnonzero(times[1:]) + 1


def numbers_of(
    texts: pl.Series, known: Array, trying: Array, plans: PlanTables
) -> tuple[pl.Series, Array, Array] | None:
    """Numbers of texts as far as patterns decide, else empty; which are decided, which may have an extension.

    ``trying`` says which of ``plans.tried`` are tried for each. None where a pattern is not known.
    """
    made, decided, extending = Made(), np.empty(len(texts), bool), np.empty(len(texts), bool)
    tried = np.array([plan for plans_ in plans.tried for plan in plans_], np.int32)
    tried_ends = np.cumsum([0, *map(len, plans.tried)], dtype=np.int32)
    told = (
        *joined(plans.patterns),
        len(plans.codes),
        np.array(plans.codes, np.int32),
        np.array(plans.rewriting, np.int32),
        np.ascontiguousarray(plans.of_code, np.int32),
        tried,
        tried_ends,
    )
    row = np.ascontiguousarray(trying, np.uint32)
    try:
        called("numbers_of", texts, known, row, *told, decided, extending, made.schema, made.array)
    except ValueError:
        return None
    return made.column(), decided, extending


def nationals(texts: pl.Series, known: Array) -> tuple[pl.Series, Array]:
    """The last ten digits of numbers without calling code; which are of one or two different digits."""
    made, monotonous = Made(), np.empty(len(texts), bool)
    called("nationals", texts, known, monotonous, made.schema, made.array)
    return made.column(), monotonous
