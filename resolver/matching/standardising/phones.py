"""Phone numbers: E.164 where valid, national digits otherwise, the extension apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import phonenumbers
import polars as pl

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
from resolver.matching.standardising.phone_patterns import CALLING_CODE, decide, plan, plans_of
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_EXTENSION: Final = (
    r"(?i)[\s,;(]*(?:;ext=|ext(?:ension|n)?\.?|durchwahl|poste|anexo|x|#)[\s.:=]*0*([0-9]{1,7})\)?\s*$"
)
_HAS_EXTENSION: Final = re.compile(_EXTENSION)
_PUNCTUATION: Final = (" ", "-", ".", "(", ")", "/", "\u00a0")
_COMPACT: Final = re.compile("[" + re.escape("".join(_PUNCTUATION)) + "]")
_FEWEST_DIGITS: Final = 7
_NATIONAL_DIGITS: Final = 10  # accuracy was measured with the last ten; longer national numbers are rare
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
    return CleanPhone(digits[-_NATIONAL_DIGITS:], extension)


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


def cleaned_phones(texts: pl.Series, regions: pl.Series) -> CleanedPhones:
    """``clean_phone`` of each text. ``regions`` holds those of its row as one text, separated by spaces."""
    extended = texts.str.contains(_EXTENSION).arg_true()
    those = texts.gather(extended)
    plain = placed(texts, extended, those.str.replace(_EXTENSION, "")) if len(extended) else texts
    compact = plain.str.replace_many(list(_PUNCTUATION), [""] * len(_PUNCTUATION))
    if compact.str.starts_with("00").any():
        compact = compact.str.replace("^00", "+")
    several = regions.n_unique() > 1
    keyed = code(regions + "|" + compact if several else compact)
    one = pl.repeat("" if several or not len(regions) else regions[0], len(keyed.texts), eager=True)
    keys = keyed.texts.str.splitn("|", 2).struct
    numbers = _decided(
        pl.DataFrame(
            {
                "row": pl.int_range(len(keyed.texts), dtype=pl.UInt32, eager=True),
                "compact": keys.field("field_1").fill_null("") if several else keyed.texts,
                "regions": keys.field("field_0") if several else one,
            }
        )
    )
    number = keyed.cleaned(numbers)
    blank = Coded(np.zeros(len(texts), np.uint32), pl.Series("text", [""], pl.String))
    extension = filled(blank, extended.to_numpy(), code(those.str.extract(_EXTENSION, 1)))
    left = pl.Series(numbers.is_null().to_numpy()[keyed.codes]).arg_true()
    asked = pl.DataFrame({"row": left, "text": texts.gather(left), "regions": regions.gather(left)})
    distinct = asked.select("text", "regions").unique()
    cleaned = [(text, own, *clean_phone(text, own.split())) for text, own in distinct.iter_rows()]
    schema = {"text": pl.String, "regions": pl.String, "number": pl.String, "extension": pl.String}
    answers = asked.join(pl.DataFrame(cleaned, schema=schema, orient="row"), on=["text", "regions"])
    number = filled(number, answers["row"].to_numpy(), code(answers["number"]))
    extension = filled(extension, answers["row"].to_numpy(), code(answers["extension"]))
    none = np.where(number.codes == 0, 0, extension.codes)
    return CleanedPhones(number, Coded(none, extension.texts), len(cleaned))


def _decided(asked: pl.DataFrame) -> pl.Series:
    """The number of each ``compact`` text that the patterns decide, null for others."""
    usual = asked.filter(pl.col("compact").str.contains(r"^\+?[0-9]{7,15}$"))
    answers = _usual(usual)
    found = pl.concat([pl.DataFrame(schema={"row": pl.UInt32, "number": pl.String}), *answers])
    numbers = placed(
        pl.repeat(None, asked.height, dtype=pl.String, eager=True), found["row"], found["number"]
    )
    short = asked.filter(pl.col("compact").str.contains(r"^\+?[0-9]{0,6}$"))
    return placed(numbers, short["row"], "")


def _usual(usual: pl.DataFrame) -> list[pl.DataFrame]:
    """``row`` and ``number`` of the plain numbers that the patterns decide."""
    plus = pl.col("compact").str.starts_with("+")
    answers: list[pl.DataFrame] = []
    abroad = usual.filter(plus).with_columns(pl.col("compact").str.extract(CALLING_CODE).alias("code"))
    for group in abroad.partition_by("code", maintain_order=False) if abroad.height else []:
        calling = group["code"][0]
        if calling is None:
            answers.append(group.select("row", _last_digits(pl.col("compact")).alias("number")))
            continue
        national = group["compact"].str.slice(1 + len(calling))
        judged = group.hstack(decide(national, plans_of(calling)[0], international=True))
        answers.append(_numbers(judged.filter(pl.col("verdict").is_not_null()), calling))
    return answers + _dialled(usual.filter(~plus))


def _dialled(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Numbers without ``+``: the first of its regions in which each is valid; undecided ones are left out.

    All that try a region next are judged together: a plan's patterns cost more than the numbers.
    """
    answers = []
    tried = {text: text.split() for text in rows["regions"].unique()}
    for turn in range(max(map(len, tried.values()), default=0)):
        nexts = {text: own[turn] if turn < len(own) else None for text, own in tried.items()}
        rows = rows.with_columns(region=pl.col("regions").replace_strict(nexts, return_dtype=pl.String))
        left = []
        for group in rows.partition_by("region", maintain_order=False):
            region = group["region"][0]
            one = plan(region.upper()) if region else None
            if one is not None:
                verdict = decide(group["compact"], one, international=False)
                judged = group.select("row", "compact").hstack(verdict)
                answers.append(_numbers(judged.filter("verdict"), one.calling_code))
                group = group.filter(~judged["verdict"].fill_null(value=True))  # noqa: PLW2901 - what is left of it
            left.append(group)
        rows = pl.concat(left) if left else rows
    answers.append(rows.select("row", _last_digits(pl.col("compact")).alias("number")))
    return answers


def _numbers(judged: pl.DataFrame, code: str) -> pl.DataFrame:
    e164 = pl.concat_str(pl.lit(f"+{code}"), pl.col("national"))
    return judged.select(
        "row", pl.when("verdict").then(e164).otherwise(_last_digits(pl.col("compact"))).alias("number")
    )


def _last_digits(compact: pl.Expr) -> pl.Expr:
    return compact.str.strip_prefix("+").str.tail(_NATIONAL_DIGITS)


def infer_region(texts: pl.Series, countries: pl.Series, reference: Reference) -> str | None:
    """The region of most international numbers of the file, else its most frequent address country.

    None where neither is there: then numbers without a country code stay national digits.
    """
    written = texts.str.extract(r"^\s*(?:\+|00)\s*([1-9][0-9]{0,2})", 1).drop_nulls()
    code = ("+" + written).str.extract(CALLING_CODE)
    dialled = code.replace_strict(reference.dial_regions, default=None, return_dtype=pl.String).drop_nulls()
    counted = dialled if len(dialled) else countries.drop_nulls()
    if not len(counted):
        return None
    most = counted.alias("region").value_counts().sort(["count", "region"], descending=[True, False])
    return str(most["region"][0])


def standardise_phones(
    columns: Sequence[pl.Series],
    countries: pl.Series,
    reference: Reference,
    regions: tuple[str | None, str | None],
) -> StandardisedField:
    """The distinct numbers of all phone columns; ``countries`` is the address country of each profile.

    ``regions`` are tried before and behind it: the one asked for, and that of the file (``infer_region``).

    Placeholders and numbers of one or two different digits are unknown. Vocabulary: ``text`` (number, with
    ``x`` and the extension if there is one), ``extension``, ``national`` (at most ten digits without calling
    code), ``base`` (the row of the same number without extension).
    """
    texts, places = stacked(columns)
    own = _region_lists(countries, *regions).gather(places % max(1, len(countries)))
    field, vocabulary = _coded(cleaned_phones(texts, own))
    unknown = sorted(reference.placeholders["phone"])
    bad = vocabulary.select(
        pl.col("national").is_in(unknown)
        | pl.col("text").str.strip_prefix("+").is_in(unknown)
        | pl.col("national").str.contains(_MONOTONOUS)
    ).to_series()
    return StandardisedField("phone", Kind.PHONE, slots_of(forget(field, bad), places, columns), vocabulary)


def _region_lists(countries: pl.Series, default_region: str | None, inferred: str | None) -> pl.Series:
    """The regions to try for each profile, as one text: asked for, its own, inferred."""
    distinct = countries.unique()
    lists = []
    for country in distinct:
        tried = [r.lower() for r in (default_region, country, inferred) if r]
        lists.append(" ".join(dict.fromkeys(tried)))
    return countries.replace_strict(distinct, pl.Series(lists, dtype=pl.String), return_dtype=pl.String)


def _coded(cleaned: CleanedPhones) -> tuple[np.ndarray, pl.DataFrame]:
    """Codes of the numbers with their extensions, and the vocabulary of standardise_phones."""
    number, extension = cleaned.number, cleaned.extension
    rows = np.flatnonzero(extension.codes)
    bare, behind = number.of(rows), extension.of(rows)
    whole = bare.texts.gather(bare.codes) + "x" + behind.texts.gather(behind.codes)
    both = code(whole)
    (codes, bases, extended), vocabulary = together([number, bare, both])
    codes = codes.copy()
    codes[rows] = extended
    base = np.arange(len(vocabulary), dtype=np.uint32)
    base[extended] = bases
    national = vocabulary.str.replace(CALLING_CODE, "").str.tail(_NATIONAL_DIGITS).gather(base)
    nothing = pl.repeat("", len(vocabulary), eager=True, dtype=pl.String)
    frame = pl.DataFrame(
        {
            "text": vocabulary,
            "extension": placed(nothing, pl.Series(extended), behind.texts.gather(behind.codes)),
            "national": national,
            "base": base,
        }
    )
    return codes, frame
