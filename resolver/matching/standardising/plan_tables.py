"""The numbering plans that a file's numbers need, as the kernels take them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from resolver.compiled import numbering
from resolver.matching.standardising.phone_patterns import plan, plans_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from resolver.matching.standardising.phone_patterns import Plan


@cache
def known_codes() -> np.ndarray:
    """A mark for each number that is a calling code."""
    known = np.zeros(numbering.CODES, bool)
    known[list(COUNTRY_CODE_TO_REGION_CODE)] = True
    return known


def numbers_of(
    texts: pl.Series, regions: pl.Series, trying: np.ndarray
) -> tuple[pl.Series, np.ndarray, np.ndarray] | None:
    """The number of each text as far as patterns decide, else empty; which are decided, which may be longer.

    ``regions`` are lists of regions as one text each, ``trying`` says which of them each text tries. A text
    may be longer by an extension. None where a pattern holds more than kernels know.
    """
    known = known_codes()
    tables = _tables([int(code) for code in numbering.calling_codes(texts, known)], regions.to_list())
    return numbering.numbers_of(texts, known, trying, tables)


def _tables(abroad: Sequence[int], regions: Sequence[str]) -> numbering.PlanTables:
    """The plans of the calling codes ``abroad``, and of the regions."""
    own = {region: plan(region.upper()) for text in regions for region in text.split()}
    codes = {*abroad, *(int(one.calling_code) for one in own.values() if one is not None)}
    plans: list[Plan] = []
    of_code = np.zeros(numbering.CODES + 1, np.int32)
    for code in sorted(codes):
        plans += plans_of(str(code))
        of_code[code + 1 :] = len(plans)
    place = {region: -1 if one is None else plans.index(one) for region, one in own.items()}
    return numbering.PlanTables(
        patterns=[_bare(pattern) for one in plans for pattern in _patterns(one)],
        codes=[int(one.calling_code) for one in plans],
        rewriting=[one.prefix_groups if one.rewrites else 0 for one in plans],
        of_code=of_code,
        tried=[[place[region] for region in text.split()] for text in regions],
    )


def _patterns(one: Plan) -> tuple[str, str, str | None, str | None, str | None]:
    """In the order that PlanTables tells."""
    return one.general, one.types, one.leading, one.prefix, one.international


def _bare(pattern: str | None) -> str:
    """Without what holds it to the beginning, and to the end."""
    return "" if pattern is None else pattern.removeprefix("^").removesuffix("$")
