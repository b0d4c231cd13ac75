"""Phone numbers: E.164 where valid, national digits otherwise, the extension apart."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import phonenumbers
import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode, pack
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from resolver.model.reference import Reference

_EXTENSION: Final = re.compile(
    r"(?i)[\s,;(]*(?:x|ext|extn|extension|ext\.|#|;ext=|durchwahl|poste|anexo)[\s.:=]*(\d{1,7})\)?\s*$"
)
_NOT_DIGIT: Final = re.compile(r"\D")
_INTERNATIONAL: Final = re.compile(r"^\s*(?:\+|00)\s*[1-9]")
_FEWEST_DIGITS: Final = 7
_NATIONAL_DIGITS: Final = 10  # accuracy measured with the last ten; longer national numbers are rare
_FEWEST_DIFFERENT: Final = 3


class CleanPhone(NamedTuple):
    """``number`` is E.164 with its plus where valid, else national digits; empty where unknown."""

    number: str
    national: str
    extension: str


_UNKNOWN: Final = CleanPhone("", "", "")


def clean_phone(text: str | None, regions: Sequence[str], reference: Reference) -> CleanPhone:
    """One phone number, read in the first of the regions (ISO alpha-2) in which it is valid.

    Fewer than seven digits, one or two different digits, and placeholders are unknown.
    """
    plain = unicodedata.normalize("NFKC", text or "").strip()
    extension = ""
    if m := _EXTENSION.search(plain):
        extension, plain = m[1].lstrip("0"), plain[: m.start()]
    digits = "".join(str(unicodedata.digit(c)) for c in plain if c.isdecimal())
    if len(digits) < _FEWEST_DIGITS or len(set(digits)) < _FEWEST_DIFFERENT:
        return _UNKNOWN
    national = digits[-_NATIONAL_DIGITS:]
    if {digits, national} & reference.placeholders["phone"]:
        return _UNKNOWN
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    for region in [None, *regions] if plain.startswith("+") else regions:
        number = _valid(plain, region)
        if number is not None:
            significant = phonenumbers.national_significant_number(number)
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            return CleanPhone(e164, significant[-_NATIONAL_DIGITS:], extension)
    return CleanPhone(national, national, extension)


def _valid(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def infer_region(texts: Iterable[str | None], countries: pl.Series, reference: Reference) -> str | None:
    """The region of most international numbers of the file, else its most frequent address country.

    None where neither is there: then numbers without a country code stay national digits.
    """
    dialled: Counter[str] = Counter()
    for text in texts:
        if text and _INTERNATIONAL.match(text):
            digits = _NOT_DIGIT.sub("", text).removeprefix("00")
            code = next((digits[:n] for n in (3, 2, 1) if digits[:n] in reference.dial_regions), None)
            dialled[reference.dial_regions[code] if code else ""] += 1
    dialled.pop("", None)
    counted = dialled or Counter(c for c in countries.to_list() if c)
    return min(counted, key=lambda region: (-counted[region], region)) if counted else None


def standardise_phones(
    columns: Sequence[pl.Series], countries: pl.Series, reference: Reference, default_region: str | None
) -> StandardisedField:
    """The distinct numbers of all phone columns; ``countries`` is the address country of each profile.

    Vocabulary: ``text`` (number, with ``x`` and the extension if there is one), ``extension``, ``national``
    (at most ten digits without country code), ``base`` (the row of the same number without extension).
    """
    stacked = pl.concat([column.alias("text") for column in columns])
    inferred = infer_region(stacked.to_list(), countries, reference)
    asked = pl.DataFrame({"text": stacked, "country": pl.concat([countries] * len(columns))})
    fixed = [region for region in (default_region,) if region]

    def clean(text: str | None, country: str | None) -> CleanPhone:
        own = [*fixed, *([country] if country else []), *([inferred] if inferred else [])]
        return clean_phone(text, own, reference)

    numbers, cleaned = clean_distinct(asked, clean)
    texts = [c.number + (f"x{c.extension}" if c.extension else "") for c in cleaned]
    with_bases = pl.Series([*texts, *(c.number for c in cleaned)], dtype=pl.String)
    [codes], vocabulary = encode([with_bases])
    own, bases = codes[: len(texts)], codes[len(texts) :]
    base, national = np.zeros(len(vocabulary), np.uint32), [""] * len(vocabulary)
    extension = [""] * len(vocabulary)
    for code, base_code, phone in zip(own.tolist(), bases.tolist(), cleaned, strict=True):
        base[code], base[base_code] = base_code, base_code
        national[code] = national[base_code] = phone.national
        extension[code] = phone.extension
    table = pl.DataFrame({"text": vocabulary, "extension": extension, "national": national, "base": base})
    slots = own[numbers].reshape(len(columns), -1).T
    return StandardisedField("phone", Kind.PHONE, pack(np.ascontiguousarray(slots)), table)
