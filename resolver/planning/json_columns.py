"""Values of many profiles as JSON text, a column for each member: what the encoder writes, but faster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.model.canonical import canonical_json
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, PREFERENCES, SCALARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What JSON must escape in a text: quote, backslash and control characters.
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", **{chr(n): json.dumps(chr(n))[1:-1] for n in range(32)}}
_SPECIAL: Final = r'["\\\x00-\x1f]'
#: Between parts, and between a key and its value: canonical JSON, and the one that ``json.dumps`` writes.
CANONICAL: Final = (",", ":")
SPACED: Final = (", ", ": ")


def quoted(texts: pl.Series) -> pl.Series:
    """Each text as a JSON string; null stays null."""
    return between('"', escaped(texts), '"')


def escaped(texts: pl.Series) -> pl.Series:
    """Each text as it stands between the quotes of a JSON string; null stays null."""
    special = texts.str.contains(_SPECIAL)
    if not special.any():
        return texts
    rows = special.fill_null(value=False).arg_true()
    written = texts.gather(rows).str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))
    return texts.clone().scatter(rows, written)  # scatter writes in place


def between(before: str, texts: pl.Series, after: str) -> pl.Series:
    """Each text between two others; null stays null."""
    return texts.to_frame("t").select(pl.concat_str(pl.lit(before), "t", pl.lit(after))).to_series()


def filled(texts: pl.Series) -> pl.Series:
    """The texts, null where blank."""
    blank = texts.str.len_bytes() == 0
    return texts.set(blank.fill_null(value=False), None) if blank.any() else texts


def json_of_members(profiles: pl.DataFrame) -> dict[str, pl.Series]:
    """Canonical JSON of every member of a PROFILES frame but ``ProfileId`` and ``Attributes``.

    By API name, in no order; null where the profile has no value. A member that no profile fills is absent.
    """
    members: dict[str, pl.Series] = {}
    for name, column in SCALARS.items():
        if profiles.schema.get(column) == pl.String:
            members[name] = quoted(filled(profiles[column]))
    for name in ADDRESSES:
        parts = address_parts(profiles, name)
        if parts:
            members[name] = json_of_blocks(parts, CANONICAL)
    for name, column in PREFERENCES.items():
        if profiles.schema.get(column) == pl.String:
            members[name] = filled(profiles[column])
    return {name: values for name, values in members.items() if values.null_count() < len(values)}


def address_parts(profiles: pl.DataFrame, name: str) -> dict[str, pl.Series]:
    """The texts of an address block by part, in canonical order, null where blank.

    Parts that nobody fills are left out.
    """
    column = ADDRESSES[name]
    dtype = profiles.schema.get(column)
    if not isinstance(dtype, pl.Struct):
        return {}
    there = {field.name for field in dtype.fields if field.dtype == pl.String}
    wanted = [(part, field) for part, field in sorted(ADDRESS_PARTS.items()) if field in there]
    parts = {part: filled(profiles[column].struct.field(field)) for part, field in wanted}
    return {part: texts for part, texts in parts.items() if texts.null_count() < len(texts)}


def json_of_blocks(parts: Mapping[str, pl.Series], separators: tuple[str, str]) -> pl.Series:
    """The blocks of those parts as JSON objects; null where no part is filled."""
    return _objects({part: escaped(texts) for part, texts in parts.items()}, separators, '"')


def json_of_objects(members: Mapping[str, pl.Series], separators: tuple[str, str]) -> pl.Series:
    """Objects of those members (JSON values by key, in order); null where all are null."""
    return _objects(members, separators, "")


def _objects(members: Mapping[str, pl.Series], separators: tuple[str, str], quote: str) -> pl.Series:
    """Objects of members that ``quote`` stands before and after."""
    comma, colon = separators
    parts = [
        pl.concat_str(pl.lit(canonical_json(key) + colon + quote), pl.col(key), pl.lit(quote))
        for key in members
    ]
    text = pl.DataFrame(members).select(pl.concat_str(parts, separator=comma, ignore_nulls=True)).to_series()
    return between("{", filled(text), "}")


def attribute_entries(profiles: pl.DataFrame) -> pl.DataFrame:
    """The attributes of a PROFILES frame: row, key, value, sorted by row and key.

    Of a key that comes twice the last one counts; blank values are left out.
    """
    if not isinstance(profiles.schema.get("attributes"), pl.List):
        return pl.DataFrame(schema={"row": pl.Int64, "key": pl.String, "value": pl.String})
    rows = profiles.select(pl.int_range(pl.len()).alias("row"), "attributes")
    entries = rows.explode("attributes").drop_nulls("attributes").unnest("attributes").drop_nulls("key")
    entries = entries.unique(["row", "key"], keep="last", maintain_order=True)
    return entries.filter(pl.col("value").str.len_bytes() > 0).sort("row", "key")


def json_of_attributes(entries: pl.DataFrame, rows: int) -> pl.Series:
    """The ``Attributes`` object of each of so many rows (entries sorted by row and key); null without any."""
    keys, values = quoted(entries["key"]), quoted(entries["value"])
    text = pl.DataFrame({"key": keys, "value": values}).select(pl.concat_str("key", "value", separator=":"))
    return between("{", join_texts(text.to_series(), entries["row"], rows, ","), "}")


def join_texts(texts: pl.Series, group: pl.Series, groups: int, separator: str) -> pl.Series:
    """The texts of each of so many groups, joined; null where a group has none. ``group`` is ascending."""
    lists = (
        pl.DataFrame({"group": group.cast(pl.Int64).set_sorted(), "text": texts})
        .group_by("group", maintain_order=True)
        .agg("text")
    )
    joined = lists.select("group", pl.col("text").list.join(separator))
    if joined.height == groups:
        return joined["text"]
    return (
        pl.Series("text", [None], pl.String)
        .new_from_index(0, groups)
        .scatter(joined["group"], joined["text"])
    )


def spell(texts: Iterable[str | pl.Series], rows: int) -> pl.Series:
    """Texts and columns of texts put together, row by row; a null in any column makes the whole null."""
    columns: dict[str, pl.Series] = {}
    pieces: list[pl.Expr] = []
    for number, text in enumerate(texts):
        if isinstance(text, str):
            pieces.append(pl.lit(text))
        else:
            columns[str(number)] = text
            pieces.append(pl.col(str(number)))
    frame = pl.DataFrame(columns)
    if not columns or frame.height != rows:
        raise ValueError(f"columns of {frame.height} texts, and {rows} are wanted")
    return frame.select(pl.concat_str(pieces)).to_series()
