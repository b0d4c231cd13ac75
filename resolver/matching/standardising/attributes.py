"""Attributes: which keys hold evidence, and of what sort."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode
from resolver.matching.standardising.folding import phrase, words
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from resolver.model.reference import Reference

_FEWEST_VALUES: Final = 5
_SHARE_OF_PROFILES: Final = 0.02
_ENOUGH_VALUES: Final = 1000  # that many values are evidence however large the file is
_MOST_FIELDS: Final = 64
_DISTINCT_SHARE: Final = 0.3
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def clean_key(key: str) -> str:
    """One spelling of a key: FullName, full-name and full_name are the same."""
    return "_".join(phrase(_CAMEL.sub(" ", key).replace("_", " ").replace("-", " ")).split())


def clean_identifier(text: str | None, reference: Reference) -> str:
    """Letters and digits only; placeholders are unknown."""
    plain = "".join(words(text or ""))
    unknown = (
        plain in reference.placeholders["identifier"] or phrase(text or "") in reference.placeholders["any"]
    )
    return "" if unknown else plain


def clean_category(text: str | None, reference: Reference) -> str:
    """Folded words; placeholders are unknown."""
    plain = phrase((text or "").replace("_", " ").replace("-", " "))
    return "" if plain in reference.placeholders["any"] else plain


def attribute_values(attributes: pl.Series) -> pl.DataFrame:
    """One row an attribute: ``row`` (of the profile), ``key`` (one spelling), ``value``; blanks left out.

    Where one profile has two spellings of a key, the alphabetically first value stands.
    """
    long = (
        pl.DataFrame({"attributes": attributes})
        .with_row_index("row")
        .explode("attributes", empty_as_null=False, keep_nulls=False)
        .unnest("attributes")
        .filter(pl.col("value").is_not_null() & (pl.col("value").str.strip_chars() != ""))
    )
    keys = long["key"].unique().to_list()
    spelled = long.with_columns(
        pl.col("key").replace_strict(keys, [clean_key(k) for k in keys], return_dtype=pl.String)
    )
    return spelled.group_by("row", "key", maintain_order=True).agg(pl.col("value").min())


def standardise_attributes(
    long: pl.DataFrame, profiles: int, reference: Reference
) -> list[StandardisedField]:
    """One field ``attribute:<key>`` for each key with enough values, by key.

    A key is an identifier if most of its values have digits and over 30 % are distinct, else a category.
    ``long`` is what ``attribute_values`` returns, keys that feed other fields left out.
    """
    needed = max(_FEWEST_VALUES, min(_SHARE_OF_PROFILES * profiles, _ENOUGH_VALUES))
    counts = (
        long.group_by("key")
        .agg(
            pl.len().alias("count"),
            pl.col("value").n_unique().alias("distinct"),
            pl.col("value").str.contains(r"\d").mean().alias("digits"),
        )
        .filter(pl.col("count") >= needed)
        .sort(["count", "key"], descending=[True, False])
        .head(_MOST_FIELDS)
        .sort("key")
    )
    fields = []
    for key, count, distinct, digits in counts.iter_rows():
        kind = Kind.IDENTIFIER if digits > 0.5 and distinct > _DISTINCT_SHARE * count else Kind.CATEGORY  # noqa: PLR2004 - most
        held = long.filter(pl.col("key") == key)
        column = pl.DataFrame({"row": pl.int_range(profiles, dtype=pl.UInt32, eager=True)}).join(
            held.select(pl.col("row").cast(pl.UInt32), "value"), on="row", how="left", maintain_order="left"
        )["value"]
        fields.append(standardise_plain(f"attribute:{key}", kind, column, reference))
    return fields


def standardise_plain(name: str, kind: Kind, column: pl.Series, reference: Reference) -> StandardisedField:
    """A field of identifiers or categories from one column of text."""
    clean = clean_identifier if kind is Kind.IDENTIFIER else clean_category
    numbers, cleaned = clean_distinct(column.to_frame("text"), lambda text: clean(text, reference))
    [codes], texts = encode([pl.Series(cleaned, dtype=pl.String)])
    return StandardisedField(name, kind, codes[numbers].reshape(-1, 1), texts.to_frame("text"))
