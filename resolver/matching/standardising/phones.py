"""Phone numbers: E.164 where valid, national digits otherwise, the extension apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import phonenumbers
import polars as pl

from resolver.compiled import numbering
from resolver.compiled import texts as compiled
from resolver.matching.pair_index import grouped_pairs
from resolver.matching.standardising import plan_tables
from resolver.matching.standardising.coding import (
    Coded,
    code,
    encode,
    forget,
    placed,
    slots_of,
    stacked,
)
from resolver.matching.standardising.phone_expressions import NATIONAL_DIGITS, decided_by_expression
from resolver.matching.standardising.phone_patterns import CALLING_CODE
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_EXTENSION: Final = (
    r"(?i)[\s,;(]*(?:;ext=|ext(?:ension|n)?\.?|durchwahl|poste|anexo|x|#)[\s.:=]*0*([0-9]{1,7})\)?\s*$"
)
_HAS_EXTENSION: Final = re.compile(_EXTENSION)
#: What every way to write an extension holds one of: told in a fraction of the time.
_MAY_EXTEND: Final = "[#xXdDpP]"
_PUNCTUATION: Final = (" ", "-", ".", "(", ")", "/", "\u00a0")
_COMPACT: Final = re.compile("[" + re.escape("".join(_PUNCTUATION)) + "]")
_FEWEST_DIGITS: Final = 7
#: One or two different digits: 5555555555, 1212121212.
_MONOTONOUS: Final = "^(?:" + "|".join(f"[{a}{b}]+" for a in range(10) for b in range(a + 1, 10)) + ")$"


class CleanPhone(NamedTuple):
    """``number`` is E.164 with its plus where valid, else at most ten digits; under seven digits none."""

    number: str
    extension: str


def clean_phone(text: str, regions: Sequence[str]) -> CleanPhone:
    """One phone number, read in the first of the regions (ISO alpha-2) in which it is valid."""
    plain = unicodedata.normalize("NFKC", text).strip()
    extension = ""
    if m := _HAS_EXTENSION.search(plain):
        extension, plain = m[1], plain[: m.start()]
    plain = _COMPACT.sub("", plain)
    plain = "+" + plain[2:] if plain.startswith("00") else plain
    digits = "".join(c for c in plain if c in "0123456789")
    if len(digits) < _FEWEST_DIGITS:
        return CleanPhone("", "")
    for region in [None] if plain.startswith("+") else regions:
        number = _valid(plain, region)
        if number is not None:
            return CleanPhone(
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), extension
            )
    return CleanPhone(digits[-NATIONAL_DIGITS:], extension)


def _valid(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


@dataclass(frozen=True, slots=True)
class CleanedPhones:
    """``clean_phone`` of every row, and how many distinct texts phonenumbers itself had to parse.

    ``extended`` are the rows with an extension, ``whole`` the codes of their numbers with it (behind ``x``)
    among the texts of ``number``.
    """

    number: Coded
    extended: np.ndarray
    extension: pl.Series
    whole: np.ndarray
    parsed: int


def cleaned_phones(texts: pl.Series, regions: Coded) -> CleanedPhones:
    """``clean_phone`` of each text. ``regions`` holds those of its row as one text, separated by spaces."""
    numbers, decided, extended, before = _numbers(texts, regions)
    left = np.flatnonzero(~decided).astype(np.uint32)
    asked = pl.DataFrame(
        {"row": left, "text": texts.gather(left), "regions": regions.texts.gather(regions.codes[left])}
    )
    distinct = asked.select("text", "regions").unique()
    cleaned = [(text, own, *clean_phone(text, own.split())) for text, own in distinct.iter_rows()]
    schema = {"text": pl.String, "regions": pl.String, "number": pl.String, "extension": pl.String}
    answers = asked.join(pl.DataFrame(cleaned, schema=schema, orient="row"), on=["text", "regions"])
    behind = pl.concat(
        [
            pl.DataFrame(
                {
                    "row": extended.astype(np.uint32),
                    "number": before,
                    "extension": texts.gather(extended).str.extract(_EXTENSION, 1),
                }
            ).filter(decided[extended]),
            answers.select("row", "number", "extension"),
        ]
    )
    rows = behind["row"].to_numpy()
    whole = behind.filter((pl.col("number") != "") & (pl.col("extension") != ""))
    named = whole.select(pl.col("number") + "x" + pl.col("extension")).to_series()
    (codes, others, wholes), vocabulary = encode([numbers, behind["number"], named])
    codes[rows] = others
    return CleanedPhones(
        Coded(codes, vocabulary), whole["row"].to_numpy(), whole["extension"], wholes, len(cleaned)
    )


def _numbers(texts: pl.Series, regions: Coded) -> tuple[pl.Series, np.ndarray, np.ndarray, pl.Series]:
    """The number of each text that patterns decide, and which these are; extended rows, their numbers.

    What stands in a row with an extension, or in one that is not decided, is for nothing.
    """
    if compiled.taken(texts):
        made = plan_tables.numbers_of(texts, regions.texts, regions.codes)
        if made is not None:
            numbers, decided, may_extend = made
            extended = _extended(texts, np.flatnonzero(may_extend))
            bare = texts.gather(extended).str.replace(_EXTENSION, "")
            behind = plan_tables.numbers_of(bare, regions.texts, regions.codes[extended])
            if behind is not None:
                decided[extended] = behind[1]
                return numbers, decided, extended, behind[0]
    extended = _extended(texts, texts.str.contains(_MAY_EXTEND).arg_true().to_numpy())
    keys, tried, place = _distinct(code(_compact(texts, pl.Series(extended))), regions)
    distinct = decided_by_expression(pl.DataFrame({"compact": keys, "regions": regions.texts.gather(tried)}))
    numbers = distinct.gather(place)
    return numbers, numbers.is_not_null().to_numpy().copy(), extended, numbers.gather(extended)


def _extended(texts: pl.Series, rows: np.ndarray) -> np.ndarray:
    """Which of those rows have an extension."""
    return rows[texts.gather(rows).str.contains(_EXTENSION).to_numpy()]


def _compact(texts: pl.Series, extended: pl.Series) -> pl.Series:
    """The texts without punctuation and extensions (in the rows ``extended``), 00 as plus."""
    if len(extended):
        texts = placed(texts, extended, texts.gather(extended).str.replace(_EXTENSION, ""))
    compact = texts.str.replace_many(list(_PUNCTUATION), [""] * len(_PUNCTUATION))
    dialled = compact.str.starts_with("00").arg_true()
    if not len(dialled):
        return compact
    return placed(compact, dialled, "+" + compact.gather(dialled).str.slice(2))


def _distinct(compact: Coded, regions: Coded) -> tuple[pl.Series, np.ndarray, np.ndarray]:
    """The distinct pairs of text and (row of the) regions, and which of them stands at each place."""
    if (regions.codes != regions.codes[:1]).any():
        texts, tried, place = grouped_pairs(compact.codes, regions.codes)
        return compact.texts.gather(texts), tried, place.astype(np.intp)
    tried = np.full(len(compact.texts), regions.codes[0] if len(regions.codes) else 0, np.uint32)
    return compact.texts, tried, compact.codes.astype(np.intp)


def infer_region(columns: Sequence[pl.Series], countries: Coded, reference: Reference) -> str | None:
    """The region of most international numbers of the file, else its most frequent address country.

    None where neither is there: then numbers without a country code stay national digits.
    """
    times = np.sum([_dialled_abroad(texts) for texts in columns], axis=0)
    numbers = np.flatnonzero(times)
    code = ("+" + pl.Series(numbers).cast(pl.String)).str.extract(CALLING_CODE)
    dialled = code.replace_strict(reference.dial_regions, default=None, return_dtype=pl.String)
    counted = pl.DataFrame({"region": dialled, "count": times[numbers]}).drop_nulls()
    if counted.is_empty():
        places = np.bincount(countries.codes, minlength=len(countries.texts))
        counted = (
            pl.DataFrame({"region": countries.texts, "count": places}).slice(1).filter(pl.col("count") > 0)
        )
    if counted.is_empty():
        return None
    counted = counted.group_by("region").agg(pl.col("count").sum())
    return str(counted.sort(["count", "region"], descending=[True, False])["region"][0])


def _dialled_abroad(texts: pl.Series) -> np.ndarray:
    """How often the texts begin with each number of up to three digits behind + or 00; nulls do not."""
    if compiled.taken(texts, nulls=True):
        return compiled.dialled(texts)
    abroad = texts.filter(texts.str.contains(r"^\s*(?:\+|00)"))
    written = abroad.str.extract(r"^\s*(?:\+|00)\s*([1-9][0-9]{0,2})", 1).drop_nulls()
    return np.bincount(written.cast(pl.Int64).to_numpy(), minlength=compiled.DIALLED)


def standardise_phones(
    columns: Sequence[pl.Series], regions: Coded, reference: Reference
) -> StandardisedField:
    """The distinct numbers of all phone columns; ``regions`` are those to try for each profile.

    Placeholders and numbers of one or two different digits are unknown. Vocabulary: ``text`` (number, with
    ``x`` and the extension if there is one), ``extension``, ``national`` (at most ten digits without calling
    code), ``base`` (the row of the same number without extension).
    """
    shape = len(columns), len(columns[0])
    texts, places = stacked(columns)
    del columns  # a million texts each
    own = regions.of(places % max(1, shape[1]))
    cleaned = cleaned_phones(texts, own)
    vocabulary, monotonous = _vocabulary(cleaned)
    field = cleaned.number.codes
    field[cleaned.extended] = cleaned.whole
    unknown = sorted(reference.placeholders["phone"])
    listed = vocabulary.select(
        pl.col("national").is_in(unknown) | pl.col("text").str.strip_prefix("+").is_in(unknown)
    ).to_series()
    bad = listed | pl.Series(monotonous)
    return StandardisedField("phone", Kind.PHONE, slots_of(forget(field, bad), places, shape), vocabulary)


def regions_to_try(countries: Coded, default_region: str | None, inferred: str | None) -> Coded:
    """The regions to try for each profile, as one text: asked for, its own, that of the file.

    ``countries`` is the address country of each profile; ``infer_region`` gives the file's.
    """
    lists = []
    for country in countries.texts:
        tried = [r.lower() for r in (default_region, country, inferred) if r]
        lists.append(" ".join(dict.fromkeys(tried)))
    return countries.cleaned(pl.Series(lists, dtype=pl.String))


def _nationals(numbers: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The last ten digits of numbers without calling code; which are of one or two different digits."""
    if compiled.taken(numbers):
        return numbering.nationals(numbers, plan_tables.known_codes())
    national = numbers.str.replace(CALLING_CODE, "").str.tail(NATIONAL_DIGITS)
    return national, national.str.contains(_MONOTONOUS).to_numpy()


def _vocabulary(cleaned: CleanedPhones) -> tuple[pl.DataFrame, np.ndarray]:
    """The vocabulary of standardise_phones, and which of its numbers are monotonous."""
    texts, whole = cleaned.number.texts, cleaned.whole
    base = np.arange(len(texts), dtype=np.uint32)
    base[whole] = cleaned.number.codes[cleaned.extended]
    national, monotonous = _nationals(texts)
    extension = pl.repeat("", len(texts), eager=True, dtype=pl.String)
    if len(whole):
        national, monotonous = national.gather(base), monotonous[base]
        extension = placed(extension, pl.Series(whole), cleaned.extension)
    return pl.DataFrame(
        {"text": texts, "extension": extension, "national": national, "base": base}
    ), monotonous
