"""Attributes: which keys hold evidence, and of what sort."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.standardising.coding import encode, gathered
from resolver.matching.standardising.folding import folded, phrase, phrases
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.model.reference import Reference

_THREADS: Final = 2
_FEWEST_VALUES: Final = 5
_SHARE_OF_PROFILES: Final = 0.02
_ENOUGH_VALUES: Final = 1000  # that many values are evidence however large the file is
_MOST_FIELDS: Final = 64
_DISTINCT_SHARE: Final = 0.3
_SHARED_NUMBER: Final = 0.1  # of distinct values from which long numbers are a household's or a company's
_LONG_NUMBER: Final = r"^(?:\D*\d){6}"
_YEAR_FIRST: Final = r"^\D{0,3}(?:19|20)\d\d[-/. ]\d\d?[-/. ]\d\d?(?:\D|$)|^(?:19|20)\d{6}$"
_YEAR_LAST: Final = r"^\D{0,3}\d\d?[-/. ]\d\d?[-/. ](?:19|20)?\d\d(?:\D|$)"
_DATE: Final = f"{_YEAR_FIRST}|{_YEAR_LAST}"
_MEASURE: Final = r"^\s*[-+]?\d+[.,]\d+\s*$"  # a rate, an amount: no number that anybody was given
_MOSTLY: Final = 0.5
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def clean_key(key: str) -> str:
    """One spelling of a key: FullName, full-name and full_name are the same."""
    return "_".join(phrase(_CAMEL.sub(" ", key).replace("_", " ").replace("-", " ")).split())


def cleaned_identifiers(texts: pl.Series, reference: Reference) -> pl.Series:
    """Letters and digits only, folded; placeholders are empty."""
    plain = phrases(folded(texts))
    bare = plain.str.replace_all(" ", "", literal=True)
    unknown = bare.is_in(sorted(reference.placeholders["identifier"])) | plain.is_in(
        sorted(reference.placeholders["any"])
    )
    return bare.set(unknown, "")


def cleaned_categories(texts: pl.Series, reference: Reference) -> pl.Series:
    """Folded words; placeholders are empty."""
    plain = phrases(folded(texts), parting="_-")
    return plain.set(plain.is_in(sorted(reference.placeholders["any"])), "")


def attribute_values(attributes: pl.Series) -> pl.DataFrame:
    """One row an attribute: ``row`` (of the profile), ``key`` (one spelling), ``value``; blanks left out.

    Where one profile has a key twice, in two spellings, the alphabetically first value stands.
    """
    long = (
        pl.DataFrame({"attributes": attributes})
        .with_row_index("row")
        .explode("attributes", empty_as_null=False, keep_nulls=False)
        .unnest("attributes")
        .filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    )
    keys = long["key"].unique().drop_nulls().to_list()
    spelled = [clean_key(key) for key in keys]
    if spelled == keys:
        return long
    renamed = long.with_columns(pl.col("key").replace_strict(keys, spelled, return_dtype=pl.String))
    if len(set(spelled)) == len(keys):
        return renamed
    return renamed.group_by("row", "key").agg(pl.col("value").min()).sort("row", "key")


def attribute_kinds(long: pl.DataFrame, profiles: int) -> dict[str, Kind]:
    """The keys with enough values, and of what sort each is.

    A key is an identifier if most of its values have digits and are no decimals, and over 30 % are distinct;
    10 % will do where most are numbers of six digits or more and no dates: a household, a company shares its
    number. Else it is a category.

    ``long`` is what ``attribute_values`` returns, keys that feed other fields left out.
    """
    needed = max(_FEWEST_VALUES, min(_SHARE_OF_PROFILES * profiles, _ENOUGH_VALUES))
    counts = long["key"].value_counts().filter(pl.col("count") >= needed)
    keys = counts.sort(["count", "key"], descending=[True, False])["key"].head(_MOST_FIELDS)
    keys = keys.sort()
    with ThreadPoolExecutor(_THREADS) as pool:  # Polars releases the lock
        kinds = pool.map(lambda key: _kind_of(long.filter(pl.col("key") == key)["value"]), keys)
        return dict(zip(keys, kinds, strict=True))


def _kind_of(values: pl.Series) -> Kind:
    def mostly(held: pl.Series) -> bool:
        return bool(held.mean() > _MOSTLY)  # type: ignore[operator]

    distinct = values.n_unique() / len(values)
    if distinct <= _SHARED_NUMBER or not mostly(values.str.contains(r"\d") & ~values.str.contains(_MEASURE)):
        return Kind.CATEGORY
    shared = distinct <= _DISTINCT_SHARE
    if shared and not mostly(values.str.contains(_LONG_NUMBER) & ~values.str.contains(_DATE)):
        return Kind.CATEGORY
    return Kind.IDENTIFIER


def standardise_attributes(
    long: pl.DataFrame, profiles: int, kinds: Mapping[str, Kind], reference: Reference
) -> list[StandardisedField]:
    """One field ``attribute:<key>`` for each of ``kinds``; ``long`` is as for ``attribute_kinds``."""
    fields = []
    for key, kind in kinds.items():
        held = long.filter(pl.col("key") == key)
        [numbers], texts = encode([held["value"]])
        clean = cleaned_identifiers if kind is Kind.IDENTIFIER else cleaned_categories
        [codes], vocabulary = encode([clean(texts, reference)])
        column = np.zeros((profiles, 1), np.uint32)
        column[held["row"].to_numpy(), 0] = codes[numbers]
        fields.append(StandardisedField(f"attribute:{key}", kind, column, vocabulary.to_frame("text")))
    return fields


def standardise_plain(name: str, kind: Kind, column: pl.Series, reference: Reference) -> StandardisedField:
    """A field of identifiers or categories from one column of text."""
    clean = cleaned_identifiers if kind is Kind.IDENTIFIER else cleaned_categories
    [numbers], texts = encode([column])
    [codes], vocabulary = encode([clean(texts, reference)])
    return StandardisedField(name, kind, gathered(codes, numbers), vocabulary.to_frame("text"))
