"""``likeness`` and validity of many values at once; a test holds both to the functions of one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.model.profile import EMAILS, PHONES
from resolver.planning.json_columns import CANONICAL, json_of_blocks
from resolver.planning.likeness import likeness
from resolver.planning.validity import (
    EMAIL_FORM,
    LENGTHS,
    RESERVED_DOMAINS,
    numbers_of,
    valid_digits,
    valid_email,
    valid_phone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Texts of these characters only are read by expressions: their letters have one case rule, and of blanks
#: there is but the space. All others go through the functions of one value.
_BEYOND_PLAIN: Final = r"[^\x20-\x7e]"
_DATE: Final = "BirthDate"
_ALL_ALIKE: Final = "^(?:" + "|".join(f"{digit}+" for digit in range(10)) + ")$"
_THREE_NUMBERS: Final = "^([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})$"


def likenesses(field: str, texts: pl.Series) -> pl.Series:
    """Texts that are equal where ``likeness`` of that scalar field is; null where a text is."""
    if field == _DATE:
        return _of_dates(texts)
    beyond = texts.str.contains(_BEYOND_PLAIN).fill_null(value=False)
    column = pl.col("t")
    if field in PHONES:
        like = column.str.replace_all("[^0-9]+", "")
    elif field in EMAILS:
        like = column.str.strip_chars(" ").str.to_lowercase()
    else:
        like = column.str.replace_all("[^0-9A-Za-z]+", " ").str.strip_chars(" ").str.to_lowercase()
    kept = pl.when(like == "").then(column).otherwise(like)
    made = texts.to_frame("t").select(like if field in EMAILS else kept).to_series()
    return _mended(made, texts, beyond, lambda text: _told(likeness(field, text)))


def likenesses_of_blocks(parts: Mapping[str, pl.Series]) -> pl.Series:
    """The same of address blocks by part."""
    return json_of_blocks({part: likenesses("", texts) for part, texts in parts.items()}, CANONICAL)


def valid_emails(texts: pl.Series) -> pl.Series:
    """``valid_email`` of each text."""
    address = pl.col("t").str.strip_chars(" ").str.to_lowercase()
    reserved = [address.str.ends_with(ending) for ending in RESERVED_DOMAINS]
    valid = address.str.contains(f"^(?:{EMAIL_FORM})$") & ~pl.any_horizontal(reserved)
    made = texts.to_frame("t").select(valid).to_series()
    return _mended(made, texts, texts.str.contains(_BEYOND_PLAIN), valid_email)


def valid_phones(texts: pl.Series, region: str | None) -> pl.Series:
    """``valid_phone`` of each text. Numbers are judged once for all the ways in which they are written."""
    text = pl.col("t")
    bare = text.str.strip_chars_start(" ")
    read = texts.to_frame("t").select(
        text.str.replace("(?i)(?:[x;#]|ext).*$", "").str.replace_all("[^0-9]+", "").alias("digits"),
        (bare.str.starts_with("+") | bare.str.starts_with("00") | bare.str.starts_with("(+")).alias("coded"),
    )
    numbers = read.unique()
    numbers = numbers.with_columns(_valid_numbers(numbers, region).alias("valid"))
    made = read.join(numbers, on=["digits", "coded"], how="left", maintain_order="left")["valid"]
    return _mended(made, texts, texts.str.contains(_BEYOND_PLAIN), lambda t: valid_phone(t, region))


def _valid_numbers(numbers: pl.DataFrame, region: str | None) -> pl.Series:
    """``valid_digits`` of each number; those of the region itself, mostly most, by its pattern."""
    digits = pl.col("digits")
    home = pl.lit(value=False)
    if known := numbers_of(region) if region else None:
        code, pattern = known
        abroad = digits.str.contains(f"^(?:00)?{code}(?:{pattern})$")
        home = pl.when("coded").then(abroad).otherwise(digits.str.contains(f"^(?:{pattern})$"))
        home &= digits.str.len_chars().is_between(LENGTHS[0], LENGTHS[-1])
        home &= ~digits.str.contains(_ALL_ALIKE)
    made = numbers.with_columns(home.alias("valid"))["valid"]
    rows = (~made).arg_true()
    asked = numbers[rows].iter_rows()
    valid = [valid_digits(digits, region, international=coded) for digits, coded in asked]
    return made.clone().scatter(rows, pl.Series(valid, dtype=pl.Boolean))


def _told(like: Any) -> str:
    """A date's numbers as a text that no words are."""
    return like if isinstance(like, str) else "\x00" + " ".join(map(str, like))


def _of_dates(texts: pl.Series) -> pl.Series:
    """The numbers of a date, ascending; three that nothing but a separator stands between need no more."""
    found = texts.str.extract_groups(_THREE_NUMBERS).struct.unnest()
    numbers = pl.concat_list([pl.col(name).cast(pl.Int64) for name in found.columns]).list.sort()
    made = found.select(
        pl.when(pl.col(found.columns[0]).is_not_null()).then(
            pl.concat_str(pl.lit("\x00"), numbers.cast(pl.List(pl.String)).list.join(" "))
        )
    ).to_series()
    others = made.is_null() & texts.is_not_null()
    return _mended(made, texts, others, lambda text: _told(likeness(_DATE, text)))


def _mended(made: pl.Series, texts: pl.Series, beyond: pl.Series, read: Callable[[str], Any]) -> pl.Series:
    """What expressions made of the texts, with the readings of those beyond them."""
    rows = beyond.arg_true()
    if not len(rows):
        return made
    return made.clone().scatter(rows, pl.Series(list(map(read, texts.gather(rows))), dtype=made.dtype))
