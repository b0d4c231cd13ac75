"""Gender as one letter where the word is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.matching.standardising.attributes import cleaned_categories
from resolver.matching.standardising.coding import encode, gathered
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    import polars as pl

    from resolver.model.reference import Reference


def standardise_gender(column: pl.Series, reference: Reference) -> StandardisedField:
    """The field gender: m, f or x by the table of words, else the folded words; unknown where not said."""
    [numbers], texts = encode([column])
    [codes], vocabulary = encode([cleaned_categories(texts, reference).replace(dict(reference.genders))])
    return StandardisedField("gender", Kind.CATEGORY, gathered(codes, numbers), vocabulary.to_frame("text"))
