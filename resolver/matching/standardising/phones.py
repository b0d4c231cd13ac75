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
    filled,
    forget,
    placed,
    slots_of,
    stacked,
    together,
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
    """``clean_phone`` of every row, and how many distinct texts phonenumbers itself had to parse."""

    number: Coded
    extension: Coded
    parsed: int


def cleaned_phones(texts: pl.Series, regions: Coded) -> CleanedPhones:
    """``clean_phone`` of each text. ``regions`` holds those of its row as one text, separated by spaces."""
    compact, extended = _compacted(texts)
    those = texts.gather(extended)
    keys, tried, asked_as = _distinct(code(compact), regions)
    del compact
    numbers, decided = _decided(keys, regions.texts, tried)
    del keys  # as many texts as there are numbers
    number = code(numbers).of(asked_as)
    blank = Coded(np.zeros(len(texts), np.uint32), pl.Series("text", [""], pl.String))
    extension = filled(blank, extended.to_numpy(), code(those.str.extract(_EXTENSION, 1)))
    left = pl.Series(np.flatnonzero(~decided[asked_as]))
    asked = pl.DataFrame(
        {
            "row": left,
            "text": texts.gather(left),
            "regions": regions.texts.gather(regions.codes[left.to_numpy()]),
        }
    )
    distinct = asked.select("text", "regions").unique()
    cleaned = [(text, own, *clean_phone(text, own.split())) for text, own in distinct.iter_rows()]
    schema = {"text": pl.String, "regions": pl.String, "number": pl.String, "extension": pl.String}
    answers = asked.join(pl.DataFrame(cleaned, schema=schema, orient="row"), on=["text", "regions"])
    number = filled(number, answers["row"].to_numpy(), code(answers["number"]))
    extension = filled(extension, answers["row"].to_numpy(), code(answers["extension"]))
    none = np.where(number.codes == 0, 0, extension.codes)
    return CleanedPhones(number, Coded(none, extension.texts), len(cleaned))


def _compacted(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """``_compact`` of each text, and the rows of those with an extension."""
    quick = None
    if compiled.taken(texts):
        quick, may_extend = compiled.compacted(texts)
        extended = pl.Series(may_extend).arg_true()
    else:
        extended = texts.str.contains(_MAY_EXTEND).arg_true()
    extended = extended.filter(texts.gather(extended).str.contains(_EXTENSION))
    if quick is None:
        return _compact(texts, extended), extended
    own = texts.gather(extended)
    return placed(quick, extended, _compact(own, pl.int_range(len(own), eager=True))), extended


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


def _decided(compact: pl.Series, regions: pl.Series, tried: np.ndarray) -> tuple[pl.Series, np.ndarray]:
    """The number of each compact text that the patterns decide, and which these are.

    ``tried`` are the rows of ``regions`` whose regions are tried for each.
    """
    if compiled.taken(compact):
        found = plan_tables.numbers_of(compact, regions, tried)
        if found is not None:
            return found
    numbers = decided_by_expression(pl.DataFrame({"compact": compact, "regions": regions.gather(tried)}))
    return numbers, numbers.is_not_null().to_numpy()


def infer_region(texts: pl.Series, countries: pl.Series, reference: Reference) -> str | None:
    """The region of most international numbers of the file, else its most frequent address country.

    None where neither is there: then numbers without a country code stay national digits.
    """
    begins = _dialled_abroad(texts)
    code = ("+" + begins["begin"]).str.extract(CALLING_CODE)
    dialled = code.replace_strict(reference.dial_regions, default=None, return_dtype=pl.String)
    counted = begins.select(region=dialled, count="count").drop_nulls()
    if counted.is_empty():
        counted = countries.drop_nulls().alias("region").value_counts()
    if counted.is_empty():
        return None
    counted = counted.group_by("region").agg(pl.col("count").sum())
    return str(counted.sort(["count", "region"], descending=[True, False])["region"][0])


def _dialled_abroad(texts: pl.Series) -> pl.DataFrame:
    """How often (``count``) the texts begin with each number of up to three digits behind + or 00."""
    if compiled.taken(texts):
        times = compiled.dialled(texts)
        numbers = np.flatnonzero(times)
        return pl.DataFrame({"begin": pl.Series(numbers).cast(pl.String), "count": times[numbers]})
    abroad = texts.filter(texts.str.contains(r"^\s*(?:\+|00)"))
    written = abroad.str.extract(r"^\s*(?:\+|00)\s*([1-9][0-9]{0,2})", 1).drop_nulls()
    return written.alias("begin").value_counts()  # at most 999 of them


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
    field, vocabulary, monotonous = _coded(cleaned_phones(texts, own))
    unknown = sorted(reference.placeholders["phone"])
    listed = vocabulary.select(
        pl.col("national").is_in(unknown) | pl.col("text").str.strip_prefix("+").is_in(unknown)
    ).to_series()
    bad = listed | pl.Series(monotonous)
    return StandardisedField("phone", Kind.PHONE, slots_of(forget(field, bad), places, shape), vocabulary)


def regions_to_try(countries: pl.Series, default_region: str | None, inferred: str | None) -> Coded:
    """The regions to try for each profile, as one text: asked for, its own, that of the file.

    ``countries`` is the address country of each profile; ``infer_region`` gives the file's.
    """
    distinct = countries.unique()
    lists = []
    for country in distinct:
        tried = [r.lower() for r in (default_region, country, inferred) if r]
        lists.append(" ".join(dict.fromkeys(tried)))
    known = code(pl.Series(lists, dtype=pl.String))
    return Coded(
        countries.replace_strict(distinct, known.codes, return_dtype=pl.UInt32).to_numpy(), known.texts
    )


def _nationals(numbers: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The last ten digits of numbers without calling code; which are of one or two different digits."""
    if compiled.taken(numbers):
        return numbering.nationals(numbers, plan_tables.known_codes())
    national = numbers.str.replace(CALLING_CODE, "").str.tail(NATIONAL_DIGITS)
    return national, national.str.contains(_MONOTONOUS).to_numpy()


def _coded(cleaned: CleanedPhones) -> tuple[np.ndarray, pl.DataFrame, np.ndarray]:
    """Codes of the numbers with their extensions, the vocabulary of standardise_phones, which are monotonous."""
    number, extension = cleaned.number, cleaned.extension
    rows = np.flatnonzero(extension.codes)
    behind = extension.of(rows)
    whole = number.texts.gather(number.codes[rows]) + "x" + behind.texts.gather(behind.codes)
    (codes, extended), vocabulary = together([number, code(whole)])
    bases, codes = codes[rows], codes.copy()
    codes[rows] = extended
    base = np.arange(len(vocabulary), dtype=np.uint32)
    base[extended] = bases
    national, monotonous = _nationals(vocabulary)
    if len(extended):
        national, monotonous = national.gather(base), monotonous[base]
    nothing = pl.repeat("", len(vocabulary), eager=True, dtype=pl.String)
    frame = pl.DataFrame(
        {
            "text": vocabulary,
            "extension": placed(nothing, pl.Series(extended), behind.texts.gather(behind.codes)),
            "national": national,
            "base": base,
        }
    )
    return codes, frame, monotonous
