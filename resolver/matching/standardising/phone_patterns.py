"""The numbering plans of phonenumbers as patterns over whole columns.

``phonenumbers`` itself takes about 20 µs a number. Its metadata are regular expressions, so the same
decisions (national prefix off, calling code off, valid or not) are made here for columns of plain digits.
Where its parser would do more (carrier codes, international prefixes, rewriting), the answer is "undecided".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata

from resolver.compiled import numbering
from resolver.compiled.texts import taken
from resolver.matching.standardising.coding import placed

_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost",
    "personal_number", "voip", "pager", "uan", "voicemail",
)  # fmt: skip
_NOWHERE: Final = "001"  # phonenumbers' region of calling codes that belong to no country
_NANP: Final = "1"
#: So many numbers take no longer without Polars than Polars takes to compile a large pattern.
_FEW: Final = 4_096

#: Matches the calling code of an E.164 number (no code is the beginning of another).
CALLING_CODE: Final = r"^\+(" + "|".join(str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE)) + ")"


@dataclass(frozen=True, slots=True)
class Plan:
    """One region's numbering plan; patterns match whole national numbers, ``leading`` their beginning."""

    calling_code: str
    general: str
    types: str
    leading: str | None
    prefix: str | None
    prefix_groups: int
    rewrites: bool
    international: str | None


@cache
def plan(region: str, calling_code: int = 0) -> Plan | None:
    """The plan of a region (ISO alpha-2 in capitals), None where phonenumbers knows none."""
    if region == _NOWHERE:
        metadata = PhoneMetadata.metadata_for_nongeo_region(calling_code)
    else:
        metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    described = [getattr(metadata, name) for name in _TYPES]
    general = metadata.general_desc
    patterns = [d.national_number_pattern for d in described if d is not None]
    prefix = metadata.national_prefix_for_parsing
    return Plan(
        calling_code=str(metadata.country_code),
        general=f"^(?:{general.national_number_pattern if general else ''})$",
        types=f"^(?:{'|'.join(p for p in patterns if p)})$",
        leading=f"^(?:{metadata.leading_digits})" if metadata.leading_digits else None,
        prefix=f"^(?:{prefix})" if prefix else None,
        prefix_groups=re.compile(prefix).groups if prefix else 0,
        rewrites=bool(metadata.national_prefix_transform_rule),
        international=f"^(?:{metadata.international_prefix})" if metadata.international_prefix else None,
    )


@cache
def plans_of(calling_code: str) -> tuple[Plan, ...]:
    """All plans of a calling code, the main region's first."""
    code = int(calling_code)
    found = (plan(region, code) for region in COUNTRY_CODE_TO_REGION_CODE[code])
    return tuple(one for one in found if one is not None)


def valid(nationals: pl.Series, calling_code: str) -> pl.Series:
    """Whether each national number is valid in the first plan of the calling code that claims it."""
    answer = pl.Series([False] * len(nationals), dtype=pl.Boolean)
    rows = pl.int_range(len(nationals), dtype=pl.UInt32, eager=True)
    for one in plans_of(calling_code):
        if not len(rows):
            break
        claimed = _matching(nationals, one.leading or one.types)
        mine = rows.filter(claimed)
        if one.leading and len(mine):
            mine = mine.filter(_matching(nationals.filter(claimed), one.types))
        answer = placed(answer, mine, values=True)
        nationals, rows = nationals.filter(~claimed), rows.filter(~claimed)
    return answer


def _matching(digits: pl.Series, pattern: str) -> pl.Series:
    """Which texts of digits the pattern, which begins with ^, matches.

    Polars compiles a pattern anew for every column, some of these for 7 ms: few texts are matched without it.
    """
    if taken(digits):
        whole = pattern.endswith("$")
        matched = numbering.matching(digits, pattern[1:-1] if whole else pattern[1:], whole=whole)
        if matched is not None:
            return pl.Series(matched)
    if len(digits) > _FEW:
        return digits.str.contains(pattern)
    search = _compiled(pattern).search
    return pl.Series([search(text) is not None for text in digits], dtype=pl.Boolean)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def decide(digits: pl.Series, one: Plan, *, international: bool) -> pl.DataFrame:
    """What phonenumbers makes of plain digits, behind ``+`` and the calling code or dialled in the region.

    Columns: ``national``, the national significant number; ``verdict``, true where it is valid, false where
    the number is not, null where undecided.
    """
    if not international and one.calling_code == _NANP:
        coded = _matching(digits, r"^1[2-9]\d{9}$").arg_true()
        national = placed(digits, coded, digits.gather(coded).str.slice(1))
        return _judged(national, valid(national, _NANP), _matching(digits, r"^(?:0\d*|1|1[01]\d*|13\d{6})$"))
    national, unclear = _without_prefix(digits, one)
    good = valid(national, one.calling_code)
    changed = national != digits
    short = (~good & changed).arg_true()
    if len(short):  # too short behind the prefix, phonenumbers would put it back
        unclear = placed(
            unclear, short, unclear.gather(short) | valid(digits.gather(short), one.calling_code)
        )
    if not international:
        coded = digits.str.starts_with(one.calling_code) & ~_matching(digits, one.general)
        rows = coded.arg_true()
        if len(rows):
            rest, rest_unclear = _without_prefix(digits.gather(rows).str.strip_prefix(one.calling_code), one)
            rest_good = valid(rest, one.calling_code)
            # valid, but in another region of the code
            rest_unclear |= rest_good & ~_matching(rest, one.general)
            unclear = placed(unclear, rows, rest_unclear | good.gather(rows) | unclear.gather(rows))
            national, good = placed(national, rows, rest), placed(good, rows, rest_good)
        if one.international:
            unclear |= _matching(digits, one.international)
    return _judged(national, good, unclear)


def _judged(national: pl.Series, good: pl.Series, unclear: pl.Series) -> pl.DataFrame:
    frame = pl.DataFrame({"national": national, "good": good, "unclear": unclear})
    return frame.select("national", pl.when(~pl.col("unclear")).then("good").alias("verdict"))


def _without_prefix(digits: pl.Series, one: Plan) -> tuple[pl.Series, pl.Series]:
    """The digits without national prefix, and where the parser would rewrite them."""
    nothing = pl.Series([False] * len(digits), dtype=pl.Boolean)
    if one.prefix is None:
        return digits, nothing
    prefixed = _matching(digits, one.prefix)
    if not prefixed.any():
        return digits, nothing
    rows = prefixed.arg_true()
    before = digits.gather(rows)
    after = before.str.replace(one.prefix, "")
    worse = _matching(before, one.general) & ~_matching(after, one.general)
    kept = pl.select(pl.when(worse).then(before).otherwise(after)).to_series()
    unclear = nothing
    if one.rewrites and one.prefix_groups:
        rewritten = before.str.extract(one.prefix, one.prefix_groups).is_not_null()
        unclear = placed(nothing, rows, rewritten)
    return placed(digits, rows, kept), unclear
