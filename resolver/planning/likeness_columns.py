"""``likeness`` and validity of many values at once; a test holds both to the functions of one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from resolver.model.profile import EMAILS, PHONES
from resolver.planning.json_columns import CANONICAL, json_of_blocks
from resolver.planning.likeness import likeness
from resolver.planning.validity import (
    EMAIL_FORM,
    LENGTHS,
    RESERVED_DOMAINS,
    international_pattern,
    national_pattern,
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
_CODE: Final = "^(" + "|".join(map(str, COUNTRY_CODE_TO_REGION_CODE)) + ")"
#: So many numbers take as long one by one as their country's patterns take to be compiled.
_WORTH_A_PATTERN: Final = 2_000
_THREE_NUMBERS: Final = "^([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})$"


def likenesses(field: str, texts: pl.Series) -> pl.Series:
    """Texts that are equal where ``likeness`` of that scalar field is; null where a text is."""
    if field == _DATE:
        return _of_dates(texts)
    beyond = texts.str.contains(_BEYOND_PLAIN).fill_null(value=False)
    made = texts
    if field in EMAILS:
        made = texts.str.strip_chars(" ").str.to_lowercase()
    else:  # most texts hold nothing that must go
        other, blank = ("[^0-9]", "") if field in PHONES else ("[^0-9A-Za-z ]|  |^ | $", " ")
        rows = texts.str.contains(other).fill_null(value=False).arg_true()
        if len(rows):
            written = texts.gather(rows)
            like = written.str.replace_all("[^0-9]+" if field in PHONES else "[^0-9A-Za-z]+", blank)
            like = like.str.strip_chars(" ")
            kept = pl.select(pl.when(like == "").then(written).otherwise(like)).to_series()
            made = texts.clone().scatter(rows, kept)
        if field not in PHONES:
            made = made.str.to_lowercase()
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
    """``valid_digits`` of each number: those of the region and of frequent codes by patterns."""
    digits, coded = numbers["digits"], numbers["coded"]
    plausible = digits.str.len_chars().is_between(LENGTHS[0], LENGTHS[-1])
    plausible &= ~digits.str.contains(_ALL_ALIKE)
    if region is None:
        made = plausible & ~coded
    elif pattern := national_pattern(region):
        made = plausible & ~coded & digits.str.contains(pattern)
    else:
        made = plausible & False
    abroad = (plausible & ~made).arg_true()
    full = pl.select(pl.when(coded).then(digits.str.strip_prefix("00")).otherwise(digits)).to_series()
    codes = full.gather(abroad).str.extract(_CODE).alias("code")
    for code, count in codes.drop_nulls().value_counts().iter_rows():
        if count >= _WORTH_A_PATTERN:
            rows = abroad.filter((codes == code).fill_null(value=False))
            made = made.clone().scatter(
                rows, full.gather(rows).str.contains(international_pattern(int(code)))
            )
    rows = (plausible & ~made).arg_true()
    valid = [
        valid_digits(text, region, international=is_coded) for text, is_coded in numbers[rows].iter_rows()
    ]
    return made.clone().scatter(rows, pl.Series(valid, dtype=pl.Boolean))


def _told(like: Any) -> str:
    """A date's numbers as a text that no words are."""
    return like if isinstance(like, str) else "\x00" + " ".join(map(str, like))


def _of_dates(texts: pl.Series) -> pl.Series:
    """The numbers of each date, ascending; there are few different ones."""
    distinct = texts.alias("t").unique()
    like = pl.DataFrame({"t": distinct, "like": _of_distinct_dates(distinct)})
    return texts.to_frame("t").join(like, on="t", how="left", maintain_order="left", nulls_equal=True)["like"]


def _of_distinct_dates(texts: pl.Series) -> pl.Series:
    """Three numbers that nothing but a separator stands between need no more than expressions."""
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
