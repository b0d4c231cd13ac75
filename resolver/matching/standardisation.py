"""Profiles as written to profiles as comparable: every field cleaned, coded, and its text dropped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.standardising.address_columns import BLOCK_PARTS, standardise_addresses
from resolver.matching.standardising.addresses import clean_country
from resolver.matching.standardising.attributes import (
    attribute_kinds,
    attribute_values,
    standardise_attributes,
    standardise_plain,
)
from resolver.matching.standardising.businesses import standardise_businesses
from resolver.matching.standardising.coding import Coded, code, filled, placed
from resolver.matching.standardising.context import Context
from resolver.matching.standardising.dates import infer_day_first, standardise_dates
from resolver.matching.standardising.emails import standardise_emails
from resolver.matching.standardising.genders import standardise_gender
from resolver.matching.standardising.name_columns import NAME_COLUMNS, standardise_names
from resolver.matching.standardising.phones import infer_region, regions_to_try, standardise_phones
from resolver.model.profile import ADDRESSES, EMAILS, PHONES, SCALARS
from resolver.model.standardised import Kind, Standardised, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.model.reference import Reference


_THREADS: Final = 2
#: Rows that tell of most fields whether they hold anything.
_SOON: Final = 4_096


def _context_of(profiles: pl.DataFrame, known: tuple[_Attributes, Coded], reference: Reference) -> Context:
    """What a PROFILES frame as a whole says of how its values are to be read.

    ``known`` are its attributes, and the country of each profile.
    """
    attributes, countries = known

    def region() -> str | None:
        return infer_region(_Texts(profiles).columns(PHONES), countries, reference)

    with ThreadPoolExecutor(1) as pool:  # Polars releases the lock
        inferred = pool.submit(region)
        day_first = infer_day_first(code(_column(profiles, "birth_date")).texts)
        kinds = attribute_kinds(attributes.others, profiles.height)
        return Context(inferred.result(), day_first, kinds)


def standardise(
    profiles: pl.DataFrame, reference: Reference, default_region: str | None, context: Context | None = None
) -> Standardised:
    """Every field of a PROFILES frame that holds any value, cleaned and coded.

    ``default_region`` (ISO alpha-2) is where phone numbers without country code are dialled; without it the
    country of the profile's address counts, then what the file's international numbers and countries say.
    ``context`` is that of the file, or of a larger one that these profiles are from: then fields that hold no
    value are there, too.
    """
    handed_on = [profiles]
    del profiles
    if context is None:
        return standardise_whole(handed_on.pop(), reference, default_region)[0]
    regions = regions_to_try(_countries(handed_on[0], reference), default_region, context.region)
    known = _attributes(handed_on[0], reference), regions
    return _standardise(handed_on.pop(), known, reference, context)


def standardise_whole(
    profiles: pl.DataFrame, reference: Reference, default_region: str | None
) -> tuple[Standardised, Context]:
    """``standardise`` of a whole file, and its context."""
    handed_on = [profiles]
    del profiles
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(_countries, handed_on[0], reference)
        attributes, countries = _attributes(handed_on[0], reference), beside.result()
    del beside
    context = _context_of(handed_on[0], (attributes, countries), reference)
    known = attributes, regions_to_try(countries, default_region, context.region)
    del countries
    return with_values(_standardise(handed_on.pop(), known, reference, context)), context


def _standardise(
    profiles: pl.DataFrame,
    known: tuple[_Attributes, Coded],
    reference: Reference,
    context: Context,
) -> Standardised:
    """``standardise``; ``known`` are the attributes, and the regions to try for each profile."""
    attributes, regions = known
    height, texts = profiles.height, _Texts(profiles)
    blocks = texts.blocks()
    del profiles  # from here on a text is held by whoever took it
    addresses = standardise_addresses(blocks, reference)  # most texts: they are gone when the others begin
    blocks.clear()
    # the longest first, but not the two with the most texts at once
    jobs: list[Callable[[], list[StandardisedField]]] = [
        lambda: [standardise_phones(texts.columns(PHONES), regions, reference)],
        lambda: standardise_names(_name_columns(texts, attributes.named, reference), reference),
        lambda: standardise_attributes(attributes.others, height, context.attributes, reference),
        lambda: [standardise_emails(texts.columns(EMAILS), reference)],
        lambda: [standardise_dates(texts.take("birth_date"), reference, context.day_first)],
        lambda: [standardise_businesses(texts.take("business_name"), reference)],
        lambda: [
            standardise_plain("account_number", Kind.IDENTIFIER, texts.take("account_number"), reference)
        ],
        lambda: [standardise_gender(texts.first_of("gender", "gender_string"), reference)],
        lambda: [
            standardise_plain(
                "party_type", Kind.CATEGORY, texts.first_of("party_type", "party_type_string"), reference
            )
        ],
    ]
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:  # Polars and numpy release the lock
        phones, *others = pool.map(lambda job: job(), jobs)
    fields = [field for done in (phones, addresses, *others) for field in done]
    return Standardised(height, {field.name: field for field in fields})


def with_values(standardised: Standardised) -> Standardised:
    """Without the fields that no profile has."""
    held = {name: field for name, field in standardised.fields.items() if _any(field.codes)}
    return Standardised(standardised.profiles, held)


def _any(codes: np.ndarray) -> bool:
    """Whether a code is there; most fields show one soon."""
    return bool(codes[:_SOON].any() or codes[_SOON:].any())


def _column(profiles: pl.DataFrame, name: str) -> pl.Series:
    if name in profiles.columns:
        return profiles[name].cast(pl.String)
    return _nothing(profiles.height).alias(name)


class _Texts:
    """The columns of a PROFILES frame, each to be taken once: then whoever took it alone holds its texts."""

    def __init__(self, profiles: pl.DataFrame) -> None:
        names = [name for name in profiles.columns if name in SCALARS.values()]
        self._held = {name: _column(profiles, name) for name in names}
        self._blocks = [_block(profiles, name) for name in _present_blocks(profiles)]
        self.height = profiles.height

    def take(self, name: str) -> pl.Series:
        """A column; nulls where there is none."""
        texts = self._held.pop(name, None)
        return _nothing(self.height).alias(name) if texts is None else texts

    def columns(self, members: tuple[str, ...]) -> list[pl.Series]:
        """Those of the members' columns that are there; one of nulls where none is."""
        names = [SCALARS[member] for member in members]
        return [self.take(name) for name in names if name in self._held] or [self.take(names[0])]

    def first_of(self, name: str, other: str) -> pl.Series:
        """The first column's values; the second's where the first is null or empty."""
        pair = pl.DataFrame({"a": self.take(name), "b": self.take(other)})
        return pair.select(pl.when(pl.col("a") != "").then("a").otherwise("b").alias(name)).to_series()

    def blocks(self) -> list[dict[str, pl.Series]]:
        """The parts of the addresses."""
        taken, self._blocks = self._blocks, []
        return taken


def _nothing(height: int) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.String, eager=True)


@dataclass(frozen=True, slots=True)
class _Attributes:
    """Attributes one by one (``attribute_values``): those that feed other fields, and the others."""

    named: pl.DataFrame
    others: pl.DataFrame


def _attributes(profiles: pl.DataFrame, reference: Reference) -> _Attributes:
    if "attributes" not in profiles.columns or profiles["attributes"].dtype == pl.Null:
        nothing = pl.DataFrame(schema={"row": pl.UInt32, "key": pl.String, "value": pl.String})
        return _Attributes(nothing, nothing)
    long = attribute_values(profiles["attributes"])
    feeding = long["key"].is_in(sorted(reference.attribute_fields))
    return _Attributes(long.filter(feeding), long.filter(~feeding))


def _name_columns(texts: _Texts, long: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """The NAME_COLUMNS, those that the API has no member for from the attributes."""
    columns = {}
    for name in NAME_COLUMNS:
        if name in SCALARS.values():
            columns[name] = texts.take(name)
            continue
        keys = sorted(key for key, field in reference.attribute_fields.items() if field == name)
        held = long.filter(pl.col("key").is_in(keys)).sort("row", "key").unique("row", keep="first")
        columns[name] = placed(_nothing(texts.height), held["row"], held["value"])
    return pl.DataFrame(columns)


def _present_blocks(profiles: pl.DataFrame) -> list[str]:
    return [
        name for name in ADDRESSES.values() if name in profiles.columns and profiles[name].dtype != pl.Null
    ]


def _block(profiles: pl.DataFrame, name: str) -> dict[str, pl.Series]:
    """The parts of an address column that hold anything."""
    there = profiles[name].struct
    parts = {part: there.field(part) for part in BLOCK_PARTS if part in there.fields}
    return {part: texts.cast(pl.String) for part, texts in parts.items() if texts.null_count() < len(texts)}


def _countries(profiles: pl.DataFrame, reference: Reference) -> Coded:
    """ISO alpha-2 of the first address country of each profile that is one, else empty."""
    country = code(_nothing(profiles.height))
    known = set(reference.countries.values())
    for name in _present_blocks(profiles):
        texts = _block(profiles, name).get("country")
        if texts is None:
            continue
        written = code(texts)
        cleaned = [clean_country(text, reference) for text in written.texts]
        found = written.cleaned(
            pl.Series([text if text in known else "" for text in cleaned], dtype=pl.String)
        )
        rows = np.flatnonzero((country.codes == 0) & (found.codes != 0))
        country = filled(country, rows, found.of(rows)) if country.codes.any() else found
    return country
