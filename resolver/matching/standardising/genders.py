"""Gender as one letter where the word is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from resolver.matching.standardising.attributes import clean_category
from resolver.matching.standardising.coding import clean_distinct, encode
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from resolver.model.reference import Reference


def clean_gender(text: str | None, reference: Reference) -> str:
    """m, f or x by the table of words; else the folded words; empty where unspecified."""
    plain = clean_category(text, reference)
    return reference.genders.get(plain, plain)


def standardise_gender(column: pl.Series, reference: Reference) -> StandardisedField:
    """The field gender."""
    numbers, cleaned = clean_distinct(column.to_frame("text"), lambda text: clean_gender(text, reference))
    [codes], texts = encode([pl.Series(cleaned, dtype=pl.String)])
    return StandardisedField("gender", Kind.CATEGORY, codes[numbers].reshape(-1, 1), texts.to_frame("text"))
