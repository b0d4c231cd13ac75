"""Phone numbers: E.164 where valid, national digits otherwise, the extension apart."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import phonenumbers
import polars as pl

from resolver.matching.standardising.coding import encode, forget, pack
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


def cleaned_phones(texts: pl.Series, regions: pl.Series) -> tuple[pl.DataFrame, int]:
    """``clean_phone`` of each text, and how many distinct ones phonenumbers had to parse.

    ``regions`` holds the regions of each row as one text, separated by spaces. The frame has ``number`` and
    ``extension``, empty where there is none.
    """
    extended = texts.str.contains(_EXTENSION)
    rows = extended.arg_true()
    plain, extension = texts, pl.repeat("", len(texts), eager=True)
    if len(rows):
        those = texts.gather(rows)
        extension = extension.scatter(rows, those.str.extract(_EXTENSION, 1))
        plain = plain.scatter(rows, those.str.replace(_EXTENSION, ""))
    compact = plain.str.replace_many(list(_PUNCTUATION), [""] * len(_PUNCTUATION))
    frame = pl.DataFrame(
        {
            "row": pl.int_range(len(texts), dtype=pl.UInt32, eager=True),
            "compact": compact.str.replace("^00", "+"),
            "regions": regions,
        }
    )
    short = frame.filter(
        ~pl.col("compact").str.contains(r"\d.*\d.*\d.*\d.*\d.*\d.*\d"), ascii_only(frame["compact"])
    )
    usual = frame.filter(pl.col("compact").str.contains(r"^\+?[0-9]{7,15}$"))
    decided = [short.select("row", pl.lit("").alias("number")), *_decided(usual)]
    done = pl.concat(decided)
    left = frame.join(done, on="row", how="anti").select("row", "regions")
    asked = pl.DataFrame({"row": left["row"], "text": texts.gather(left["row"]), "regions": left["regions"]})
    distinct = asked.select("text", "regions").unique()
    cleaned = [(t, r, *clean_phone(t, r.split())) for t, r in distinct.iter_rows()]
    schema = {"text": pl.String, "regions": pl.String, "number": pl.String, "by_hand": pl.String}
    answers = asked.join(pl.DataFrame(cleaned, schema=schema, orient="row"), on=["text", "regions"])
    numbers = pl.repeat("", len(texts), eager=True)
    numbers = numbers.scatter(done["row"], done["number"]).scatter(answers["row"], answers["number"])
    extension = extension.scatter(answers["row"], answers["by_hand"])
    result = pl.DataFrame({"number": numbers, "extension": extension})
    return result.with_columns(
        pl.when(pl.col("number") != "").then("extension").otherwise(pl.lit("")).alias("extension")
    ), len(cleaned)


def ascii_only(texts: pl.Series) -> pl.Series:
    """Whether each text is ASCII."""
    return texts.str.len_bytes() == texts.str.len_chars()


def _decided(usual: pl.DataFrame) -> list[pl.DataFrame]:
    """``row`` and ``number`` of the plain numbers that the patterns decide."""
    plus = pl.col("compact").str.starts_with("+")
    answers: list[pl.DataFrame] = []
    abroad = usual.filter(plus).with_columns(pl.col("compact").str.extract(CALLING_CODE).alias("code"))
    for group in abroad.partition_by("code", maintain_order=False) if abroad.height else []:
        code = group["code"][0]
        if code is None:
            answers.append(group.select("row", _last_digits(pl.col("compact")).alias("number")))
            continue
        judged = decide(group["compact"].str.slice(1 + len(code)), plans_of(code)[0], international=True)
        group = group.hstack(judged)  # noqa: PLW2901 - the same rows with their verdict
        answers.append(_numbers(group.filter(pl.col("verdict").is_not_null()), code))
    home = usual.filter(~plus)
    for group in home.partition_by("regions", maintain_order=False) if home.height else []:
        answers += _dialled(group, group["regions"][0].split())
    return answers


def _dialled(rows: pl.DataFrame, regions: Sequence[str]) -> list[pl.DataFrame]:
    """Numbers without ``+``: the first region in which each is valid; undecided ones are left out."""
    answers = []
    for region in regions:
        one = plan(region.upper())
        if one is None:
            continue
        judged = rows.select("row", "compact").hstack(decide(rows["compact"], one, international=False))
        answers.append(_numbers(judged.filter("verdict"), one.calling_code))
        rows = rows.filter(~judged["verdict"].fill_null(value=True))
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
    written = texts.filter(texts.str.contains(r"^\s*(?:\+|00)\s*[1-9]"))
    code = ("+" + written.str.replace_all("[^0-9]", "").str.strip_prefix("00")).str.extract(CALLING_CODE)
    dialled = code.replace_strict(reference.dial_regions, default=None, return_dtype=pl.String).drop_nulls()
    counted = dialled if len(dialled) else countries.drop_nulls()
    if not len(counted):
        return None
    most = counted.alias("region").value_counts().sort(["count", "region"], descending=[True, False])
    return str(most["region"][0])


def standardise_phones(
    columns: Sequence[pl.Series], countries: pl.Series, reference: Reference, default_region: str | None
) -> StandardisedField:
    """The distinct numbers of all phone columns; ``countries`` is the address country of each profile.

    Placeholders and numbers of one or two different digits are unknown. Vocabulary: ``text`` (number, with
    ``x`` and the extension if there is one), ``extension``, ``national`` (at most ten digits without calling
    code), ``base`` (the row of the same number without extension).
    """
    stacked = pl.concat([column.alias("text") for column in columns], rechunk=True)
    rows = stacked.is_not_null().arg_true()
    texts = stacked.gather(rows)
    inferred = infer_region(texts, countries, reference)
    own = _region_lists(countries, default_region, inferred).gather(rows % max(1, len(countries)))
    cleaned, _ = cleaned_phones(texts, own)
    field, vocabulary = _coded(cleaned)
    unknown = sorted(reference.placeholders["phone"])
    bad = vocabulary.select(
        pl.col("national").is_in(unknown)
        | pl.col("text").str.strip_prefix("+").is_in(unknown)
        | pl.col("national").str.contains(_MONOTONOUS)
    ).to_series()
    slots = np.zeros(len(stacked), np.uint32)
    slots[rows.to_numpy()] = forget(field, bad)
    packed = pack(slots.reshape(len(columns), -1).T)
    return StandardisedField("phone", Kind.PHONE, packed, vocabulary)


def _region_lists(countries: pl.Series, default_region: str | None, inferred: str | None) -> pl.Series:
    """The regions to try for each profile, as one text: asked for, its own, inferred."""
    distinct = countries.unique()
    lists = []
    for country in distinct:
        tried = [r.lower() for r in (default_region, country, inferred) if r]
        lists.append(" ".join(dict.fromkeys(tried)))
    return countries.replace_strict(distinct, pl.Series(lists, dtype=pl.String), return_dtype=pl.String)


def _coded(cleaned: pl.DataFrame) -> tuple[np.ndarray, pl.DataFrame]:
    """Codes of the numbers with their extensions, and the vocabulary of standardise_phones."""
    rows = (cleaned["extension"] != "").arg_true()
    extended = cleaned[rows]
    texts = cleaned["number"].scatter(rows, extended["number"] + "x" + extended["extension"])
    (codes, bases), vocabulary = encode([texts, extended["number"]])
    base = np.arange(len(vocabulary), dtype=np.uint32)
    base[codes[rows.to_numpy()]] = bases
    split = pl.col("text").str.splitn("x", 2).struct
    frame = (
        vocabulary.to_frame("text")
        .with_columns(
            split.field("field_0").alias("bare"), split.field("field_1").fill_null("").alias("extension")
        )
        .select(
            "text",
            "extension",
            pl.col("bare").str.replace(CALLING_CODE, "").str.tail(_NATIONAL_DIGITS).alias("national"),
            pl.Series("base", base),
        )
    )
    return codes, frame
