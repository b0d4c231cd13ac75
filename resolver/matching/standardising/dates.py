"""Dates in any common notation to eight digits; the ambiguity of day and month is kept."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode
from resolver.matching.standardising.folding import fold, phrase
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.model.reference import Reference

_TIME: Final = re.compile(r"[t ]\s*\d{1,2}:\d{2}.*$")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})")
_EIGHT: Final = re.compile(r"\d{8}")
_DAY_NAME: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})[-/., ]*(\d{4}|\d{2})")
_NAME_DAY: Final = re.compile(r"([a-z]{3,9})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d{2})")
_YEAR_NAME: Final = re.compile(r"(\d{4})[-/. ]*([a-z]{3,9})[-/. ]*(\d{1,2})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LAST_MONTH: Final = 12
_LAST_DAY: Final = 31
_CENTURY_TURN: Final = 30  # two-digit years up to 29 are of this century: nobody in a file is 97 or unborn


class CleanDate(NamedTuple):
    """Eight digits, or the text as it was where no notation fits; empty where unknown."""

    text: str
    ambiguous: bool = False


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1 if name[:3] in _MONTHS else 0


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004 - two digits
        return year
    return year + (2000 if year < _CENTURY_TURN else 1900)


def _digits(year: int, month: int, day: int) -> str:
    return f"{year:04d}{month:02d}{day:02d}"


def _undecided(year: int, parts: tuple[int, int], *, day_first: bool) -> CleanDate:
    """A date whose first two numbers may be month and day or day and month."""
    first, second = parts
    month, day = (second, first) if day_first else (first, second)
    if month > _LAST_MONTH >= day:
        month, day = day, month
    return CleanDate(_digits(year, month, day), max(first, second) <= _LAST_MONTH and first != second)


def clean_date(text: str | None, day_first: Mapping[str, bool], reference: Reference) -> CleanDate:
    """One date. ``day_first`` tells by separator what the first of two small numbers is.

    Impossible dates keep their digits (19800231). A month over 12 changes places with the day.
    """
    plain = _TIME.sub("", fold((text or "").strip())).strip()
    if not plain or phrase(plain) in reference.placeholders["any"] or plain in reference.placeholders["date"]:
        return CleanDate("")
    return _not_placeholder(_parsed(plain, day_first), reference)


def _not_placeholder(date: CleanDate, reference: Reference) -> CleanDate:
    return CleanDate("") if date.text in reference.placeholders["date"] else date


def _parsed(plain: str, day_first: Mapping[str, bool]) -> CleanDate:
    if m := _YEAR_FIRST.fullmatch(plain):
        year, month, day = int(m[1]), int(m[3]), int(m[4])
        month, day = (day, month) if month > _LAST_MONTH >= day else (month, day)
        return CleanDate(_digits(year, month, day))
    if m := _YEAR_LAST.fullmatch(plain):
        return _undecided(_year(m[4]), (int(m[1]), int(m[3])), day_first=day_first[m[2]])
    if _EIGHT.fullmatch(plain):
        return _eight(plain, day_first)
    for pattern, (y, mo, d) in ((_DAY_NAME, (3, 2, 1)), (_NAME_DAY, (3, 1, 2)), (_YEAR_NAME, (1, 2, 3))):
        if (m := pattern.fullmatch(plain)) and _month(m[mo]):
            return CleanDate(_digits(_year(m[y]), _month(m[mo]), int(m[d])))
    return CleanDate(phrase(plain))


def _eight(digits: str, day_first: Mapping[str, bool]) -> CleanDate:
    """Yyyymmdd where the front is a year of the last centuries, else mmddyyyy or ddmmyyyy."""
    if digits[:2] in {"17", "18", "19", "20"} and int(digits[4:6]) <= _LAST_DAY:
        month, day = int(digits[4:6]), int(digits[6:])
        month, day = (day, month) if month > _LAST_MONTH >= day else (month, day)
        return CleanDate(_digits(int(digits[:4]), month, day))
    if digits[4:6] in {"17", "18", "19", "20"}:
        return _undecided(int(digits[4:]), (int(digits[:2]), int(digits[2:4])), day_first=day_first[""])
    return CleanDate(digits)


def infer_day_first(texts: Iterable[str | None]) -> dict[str, bool]:
    """By separator, whether the file writes the day before the month: as most of its clear dates do.

    Without clear dates, dots mean day first (as most of Europe writes), the others month first.
    """
    votes: Counter[str] = Counter()
    for text in texts:
        m = _YEAR_LAST.fullmatch((text or "").strip())
        if m and (int(m[1]) > _LAST_MONTH) != (int(m[3]) > _LAST_MONTH):
            votes[m[2]] += 1 if int(m[1]) > _LAST_MONTH else -1
    slash = votes["/"] + votes["-"] > 0
    return {".": votes["."] >= 0, "/": votes["/"] > 0, "-": votes["-"] > 0, " ": votes[" "] > 0, "": slash}


def standardise_dates(dates: pl.Series, reference: Reference) -> StandardisedField:
    """birth_date. ``ambiguous`` marks dates that some profile wrote with day and month exchangeable."""
    day_first = infer_day_first(dates.unique().to_list())
    numbers, cleaned = clean_distinct(
        dates.to_frame("text"), lambda text: clean_date(text, day_first, reference)
    )
    parts = pl.DataFrame(cleaned, schema={"text": pl.String, "ambiguous": pl.Boolean}, orient="row")
    [codes], texts = encode([parts["text"]])
    unclear = parts.filter("ambiguous")["text"].unique()
    vocabulary = texts.to_frame("text").with_columns(
        pl.col("text").is_in(unclear.implode()).alias("ambiguous")
    )
    return StandardisedField("birth_date", Kind.DATE, codes[numbers].reshape(-1, 1), vocabulary)
