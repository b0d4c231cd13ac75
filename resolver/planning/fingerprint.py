"""What a profile's content hashes to, so that a change between planning and merging is seen."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.model.canonical import canonical_json
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, PREFERENCES, SCALARS, without_blanks

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What JSON must escape in a text: quote, backslash and control characters.
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", **{chr(n): json.dumps(chr(n))[1:-1] for n in range(32)}}
_SPECIAL: Final = r'["\\\x00-\x1f]'


def fingerprint_profile(profile: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the profile's canonical JSON without ``FoundByItems`` and blanks.

    A member that plans do not know counts too: a profile that has one never equals what was planned on, so
    its merge is refused rather than done blindly.
    """
    return _hash(canonical_json(without_blanks(profile)))


def fingerprint_rows(profiles: pl.DataFrame) -> list[str]:
    """``fingerprint_profile`` of each row of a PROFILES frame.

    The canonical JSON is written column by column: the encoder would take ten times longer.
    """
    members = {"ProfileId": _member("ProfileId", pl.col("profile_id"))}
    for name, column in SCALARS.items():
        if profiles.schema.get(column) == pl.String:
            members[name] = _member(name, pl.col(column))
    for name, column in ADDRESSES.items():
        dtype = profiles.schema.get(column)
        if isinstance(dtype, pl.Struct):
            there = {field.name for field in dtype.fields if field.dtype == pl.String}
            parts = [
                _member(part, pl.col(column).struct.field(field))
                for part, field in sorted(ADDRESS_PARTS.items())
                if field in there
            ]
            if parts:
                members[name] = _object(name, pl.concat_str(parts, separator=",", ignore_nulls=True))
    for name, column in PREFERENCES.items():
        if profiles.schema.get(column) == pl.String:
            filled = pl.when(pl.col(column).str.len_bytes() > 0).then(pl.col(column))
            members[name] = pl.concat_str(pl.lit(f'"{name}":'), filled)
    if isinstance(profiles.schema.get("attributes"), pl.List):
        profiles = profiles.with_columns(attributes=_attributes(profiles))
        members["Attributes"] = _object("Attributes", pl.col("attributes").fill_null(""))
    text = pl.concat_str([members[name] for name in sorted(members)], separator=",", ignore_nulls=True)
    return [_hash("{" + row + "}") for row in profiles.select(text).to_series()]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _quoted(text: pl.Expr) -> pl.Expr:
    escaped = text.str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))
    return pl.when(text.str.contains(_SPECIAL)).then(escaped).otherwise(text)


def _member(name: str, text: pl.Expr) -> pl.Expr:
    """``"name":"text"``, null where the text is blank."""
    filled = pl.when(text.str.len_bytes() > 0).then(_quoted(text))
    return pl.concat_str(pl.lit(f'"{name}":"'), filled, pl.lit('"'))


def _object(name: str, members: pl.Expr) -> pl.Expr:
    """``"name":{members}``, null where there are none."""
    filled = pl.when(members.str.len_bytes() > 0).then(members)
    return pl.concat_str(pl.lit(f'"{name}":{{'), filled, pl.lit("}"))


def _attributes(profiles: pl.DataFrame) -> pl.Series:
    """The members of each row's Attributes object; of a key that comes twice the last one counts."""
    rows = profiles.select(pl.int_range(pl.len()).alias("row"), "attributes")
    entries = rows.explode("attributes").drop_nulls("attributes").unnest("attributes").drop_nulls("key")
    entries = entries.unique(["row", "key"], keep="last", maintain_order=True)
    entries = entries.filter(pl.col("value").str.len_bytes() > 0).sort("row", "key")
    quote = pl.lit('"')
    text = pl.concat_str(quote, _quoted(pl.col("key")), pl.lit('":"'), _quoted(pl.col("value")), quote)
    joined = entries.group_by("row").agg(text.str.join(",").alias("text"))
    return rows.select("row").join(joined, on="row", how="left", maintain_order="left")["text"]
