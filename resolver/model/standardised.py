"""Profiles made comparable: integer codes per field, with one vocabulary each.

Text is stored once per distinct value; whatever looks at pairs compares codes first. Code 0 is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import polars as pl


class Kind(StrEnum):
    """What sort of value a field holds; decides how it is cleaned, blocked and compared."""

    NAME = "name"
    DATE = "date"
    PHONE = "phone"
    EMAIL = "email"
    BUSINESS = "business"
    HOUSE_NUMBER = "house_number"
    STREET = "street"
    UNIT = "unit"
    PLACE = "place"
    IDENTIFIER = "identifier"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class StandardisedField:
    """One field of all profiles.

    ``codes`` is a UInt32 array of shape (profiles, slots): rows of ``vocabulary``, 0 = unknown. Phones and
    e-mails are sets (distinct within a row, packed to the left); slots of the address fields belong together
    (slot 1 of the street and slot 1 of the city are one address). ``vocabulary`` has a column ``text`` (row 0
    is the empty string) and columns of its kind. ``first_name``, ``middle_name`` and ``last_name`` share one
    vocabulary, so that a swapped name is an integer comparison.
    """

    name: str
    kind: Kind
    codes: np.ndarray
    vocabulary: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Standardised:
    """All fields that hold any value, by name; row i is row i of the PROFILES frame."""

    profiles: int
    fields: Mapping[str, StandardisedField]
