"""Dates in any common notation to eight digits; the ambiguity of day and month is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from resolver.compiled import texts as compiled
from resolver.matching.standardising.coding import encode, forget, gathered, placed
from resolver.matching.standardising.folding import fold, folded, phrase
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.model.reference import Reference

_TIME: Final = re.compile(r"[t ]\s*\d{1,2}:\d{2}.*$")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})")
_EIGHT: Final = re.compile(r"\d{8}")
_DAY_NAME: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([a-z]{3,9})[-/., ]*(\d{4}|\d{2})")
_NAME_DAY: Final = re.compile(r"([a-z]{3,9})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4}|\d{2})")
_YEAR_NAME: Final = re.compile(r"(\d{4})[-/. ]*([a-z]{3,9})[-/. ]*(\d{1,2})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SEPARATORS: Final = ("-", "/", ".", " ")
_CENTURIES: Final = frozenset({"17", "18", "19", "20"})
_LAST_MONTH: Final = 12
_LAST_DAY: Final = 31
_CENTURY_TURN: Final = 30  # two-digit years up to 29 are of this century: few customers are older than 96


class CleanDate(NamedTuple):
    """Eight digits, or the words as they were where no notation fits; empty where blank."""

    text: str
    ambiguous: bool = False


def _month(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1 if name[:3] in _MONTHS else 0


def _year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004 - two digits
        return year
    return year + (2000 if year < _CENTURY_TURN else 1900)


def _digits(year: int, month: int, day: int) -> CleanDate:
    """A month over 12 changes places with the day."""
    if month > _LAST_MONTH >= day:
        month, day = day, month
    return CleanDate(f"{year:04d}{month:02d}{day:02d}")


def _undecided(year: int, parts: tuple[int, int], *, day_first: bool) -> CleanDate:
    """A date whose first two numbers may be month and day or day and month."""
    first, second = parts
    month, day = (second, first) if day_first else (first, second)
    return CleanDate(_digits(year, month, day).text, max(parts) <= _LAST_MONTH and first != second)


def clean_date(text: str, day_first: Mapping[str, bool]) -> CleanDate:
    """One date. ``day_first`` tells by separator what the first of two small numbers is.

    Impossible dates keep their digits (19800231).
    """
    plain = _TIME.sub("", fold(text).strip()).strip()
    if m := _YEAR_FIRST.fullmatch(plain):
        return _digits(int(m[1]), int(m[3]), int(m[4]))
    if m := _YEAR_LAST.fullmatch(plain):
        return _undecided(_year(m[4]), (int(m[1]), int(m[3])), day_first=day_first[m[2]])
    if _EIGHT.fullmatch(plain):
        return _eight(plain, day_first)
    for pattern, (y, mo, d) in ((_DAY_NAME, (3, 2, 1)), (_NAME_DAY, (3, 1, 2)), (_YEAR_NAME, (1, 2, 3))):
        if (m := pattern.fullmatch(plain)) and _month(m[mo]):
            return _digits(_year(m[y]), _month(m[mo]), int(m[d]))
    return CleanDate(phrase(plain))


def _eight(digits: str, day_first: Mapping[str, bool]) -> CleanDate:
    """Yyyymmdd where the front is a year of the last centuries, else mmddyyyy or ddmmyyyy."""
    if digits[:2] in _CENTURIES and int(digits[4:6]) <= _LAST_DAY:
        return _digits(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if digits[4:6] in _CENTURIES:
        return _undecided(int(digits[4:]), (int(digits[:2]), int(digits[2:4])), day_first=day_first[""])
    return CleanDate(digits)


def infer_day_first(texts: pl.Series) -> dict[str, bool]:
    """By separator, whether the file writes the day before the month: as most of its clear dates do.

    Without clear dates, dots mean day first (as most of Europe writes), the others month first.
    """
    answer = {}
    clear = 0
    for separator, votes in zip(_SEPARATORS, _days_first(texts), strict=True):
        answer[separator] = votes > 0 or (votes == 0 and separator == ".")
        clear += votes if separator in "-/" else 0
    return {**answer, "": clear > 0}


def _days_first(texts: pl.Series) -> list[int]:
    """By separator, how many more texts clearly begin with the day than with the month."""
    if compiled.taken(texts, nulls=True):
        return [int(votes) for votes in compiled.days_first(texts)]
    found = []
    for separator in _SEPARATORS:
        mark = re.escape(separator)
        parts = texts.str.extract_groups(
            rf"^\s*([0-9]{{1,2}}){mark}([0-9]{{1,2}}){mark}(?:[0-9]{{4}}|[0-9]{{2}})(?:\s|$)"
        )
        first, second = (parts.struct.field(n).cast(pl.Int8, strict=False) > _LAST_MONTH for n in ("1", "2"))
        found.append(int((first & ~second).sum()) - int((second & ~first).sum()))
    return found


def cleaned_dates(texts: pl.Series, day_first: Mapping[str, bool]) -> pl.DataFrame:
    """``clean_date`` of each text: columns ``text`` and ``ambiguous``. The usual notations all at once."""
    if not compiled.taken(texts):
        return _by_expression(texts, day_first)
    text, ambiguous, read = compiled.dates_of(texts, [day_first[separator] for separator in _SEPARATORS])
    rows = np.flatnonzero(~read)
    if len(rows):
        left = _by_expression(texts.gather(rows), day_first)
        text = placed(text, pl.Series(rows), left["text"])
        ambiguous[rows] = left["ambiguous"].to_numpy()
    return pl.DataFrame({"text": text, "ambiguous": ambiguous})


def _by_expression(texts: pl.Series, day_first: Mapping[str, bool]) -> pl.DataFrame:
    plain = (
        folded(texts)
        .str.strip_chars(" ")
        .str.replace(r"(?:t| +)\d{1,2}:\d{2}[0-9:.z+ -]*$", "")
        .rename("plain")
    )
    separated = [
        (rf"^(\d{{4}}){mark}(\d{{1,2}}){mark}(\d{{1,2}})$", "ymd", False)
        for mark in map(re.escape, _SEPARATORS)
    ] + [
        (
            rf"^(\d{{1,2}}){re.escape(s)}(\d{{1,2}}){re.escape(s)}(\d{{4}}|\d{{2}})$",
            "dmy" if day_first[s] else "mdy",
            True,
        )
        for s in _SEPARATORS
    ]
    months = "|".join(_MONTHS)
    named = [
        (
            rf"^(\d{{1,2}})(?:st|nd|rd|th)?[-/. ]+({months})[a-z]{{0,6}}[-/., ]+(\d{{4}}|\d{{2}})$",
            "dmy",
            False,
        ),
        (
            rf"^({months})[a-z]{{0,6}}[-/. ]+(\d{{1,2}})(?:st|nd|rd|th)?[-/., ]+(\d{{4}}|\d{{2}})$",
            "mdy",
            False,
        ),
    ]
    packed = [(r"^((?:17|18|19|20)\d\d)([0-2]\d|3[01])(\d\d)$", "ymd", False)]
    frame = plain.to_frame().with_row_index("row")
    done: list[pl.DataFrame] = []
    for pattern, order, open_ in [*packed, *separated, *named]:
        matched = pl.col("plain").str.contains(pattern)
        rows = frame.filter(matched)
        if rows.height:
            frame = frame.filter(~matched)
            done.append(_read(rows, pattern, order, undecided=open_))
    by_hand = [(row, *clean_date(text, day_first)) for row, text in frame.iter_rows()]
    schema = {"row": pl.UInt32, "text": pl.String, "ambiguous": pl.Boolean}
    done.append(pl.DataFrame(by_hand, schema=schema, orient="row"))
    return pl.concat(done).sort("row").drop("row")


def _read(rows: pl.DataFrame, pattern: str, order: str, *, undecided: bool) -> pl.DataFrame:
    """The dates of rows that match a pattern with three groups in that order."""
    groups = pl.col("plain").str.extract_groups(pattern).struct
    part = {letter: groups.field(str(place)) for place, letter in enumerate(order, start=1)}
    numbers = dict(zip(_MONTHS, range(1, 13), strict=True))
    year = part["y"].cast(pl.Int32)
    short = part["y"].str.len_bytes() == 2  # noqa: PLR2004 - two digits
    month = part["m"].replace(numbers).cast(pl.Int32)
    day = part["d"].cast(pl.Int32)
    century = pl.when(year < _CENTURY_TURN).then(2000).otherwise(1900)
    return (
        rows.select(
            "row",
            pl.when(short).then(year + century).otherwise(year).alias("y"),
            month.alias("m"),
            day.alias("d"),
        )
        .with_columns(swapped=(pl.col("m") > _LAST_MONTH) & (pl.col("d") <= _LAST_MONTH))
        .select(
            "row",
            pl.concat_str(
                pl.col("y").cast(pl.String).str.zfill(4),
                pl.when("swapped").then("d").otherwise("m").cast(pl.String).str.zfill(2),
                pl.when("swapped").then("m").otherwise("d").cast(pl.String).str.zfill(2),
            ).alias("text"),
            (
                pl.lit(undecided)
                & (pl.max_horizontal("m", "d") <= _LAST_MONTH)
                & (pl.col("m") != pl.col("d"))
            ).alias("ambiguous"),
        )
    )


def standardise_dates(
    dates: pl.Series, reference: Reference, day_first: Mapping[str, bool]
) -> StandardisedField:
    """birth_date; placeholders are unknown. ``day_first`` is what ``infer_day_first`` says of the file.

    ``ambiguous`` marks dates that some profile wrote in a notation that leaves day and month open.
    """
    [numbers], texts = encode([dates])
    cleaned = cleaned_dates(texts, day_first)
    [codes], vocabulary = encode([cleaned["text"]])
    unclear = cleaned.filter("ambiguous")["text"].unique()
    frame = vocabulary.to_frame("text").with_columns(
        pl.col("text").is_in(unclear.implode()).alias("ambiguous")
    )
    codes = forget(codes, vocabulary.is_in(sorted(reference.placeholders["date"])))
    return StandardisedField("birth_date", Kind.DATE, gathered(codes, numbers), frame)
