"""A table with columns in anybody's spelling as a PROFILES frame; files are ``profile_file``'s business."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.attribute_columns import attributes_of, in_key_order, objects_of, printed, with_extra
from resolver.errors import BadFrame
from resolver.model.frames import PROFILES, conform
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, EMAILS, PREFERENCES, SCALARS
from resolver.model.spelling import LABEL_COLUMNS, plain_name
from resolver.profile_preferences import preferences_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: A flattened attribute, as exports of segments name their columns.
_ATTRIBUTE_PREFIX: Final = re.compile(r"^attributes[.](?=.)", re.IGNORECASE)

_ADDRESSES: Final = {name.lower(): column for name, column in ADDRESSES.items()}
_MEMBERS: Final = {
    **{name.lower(): column for name, column in (*SCALARS.items(), *PREFERENCES.items())},
    **_ADDRESSES,
}
_PARTS: Final = {name.lower(): column for name, column in ADDRESS_PARTS.items()}
#: What may stand before a flat address part: nothing or Address, Shipping, Mailing, Billing.
_PREFIXES: Final = {
    "": "address",
    **_ADDRESSES,
    **{name.removesuffix("address"): column for name, column in _ADDRESSES.items() if name != "address"},
}
_FLAT_PARTS: Final = {
    prefix + part: (block, column)
    for prefix, block in sorted(_PREFIXES.items(), reverse=True)
    for part, column in _PARTS.items()
}
#: Columns of words: a number there is another column under the wrong name. Telephones may be numbers.
WORDS: Final = frozenset(
    {"first_name", "middle_name", "last_name", "business_name", *(SCALARS[name] for name in EMAILS)}
)


def to_profiles(table: pl.DataFrame) -> pl.DataFrame:
    """The PROFILES frame of a table with the API's fields in either spelling.

    Address parts may be nested (struct, JSON text) or flat; attributes JSON text, struct, map or list of
    key and value. Further columns become attributes, as they print (whole floats without their ``.0``);
    columns that hold the truth of test data are left out. Blank texts are null.

    Raises:
        BadFrame: no ``profile_id``, null or repeated ids, two columns for one field, or a column that is no
            text; every fault at once, with what is there.
    """
    meanings, faults = _meanings(table.columns)
    if "profile_id" not in meanings.values():
        there = ", ".join(table.columns) or "nothing"
        raise BadFrame("; ".join([f"no column profile_id (columns there: {there})", *faults]))
    columns: dict[str, pl.Series] = {}
    extra: dict[str, pl.Series] = {}
    for name, meaning in meanings.items():
        try:
            if meaning:
                columns[meaning] = _column(table[name], meaning, extra)
            else:
                extra[_ATTRIBUTE_PREFIX.sub("", name)] = printed(table[name])
        except BadFrame as fault:
            faults.append(str(fault))
    faults += _id_faults(columns.get("profile_id"))
    if faults:
        raise BadFrame("; ".join(faults))
    if extra:
        columns["attributes"] = with_extra(columns.get("attributes"), extra, table.height)
    whole = {name: series.alias(name) for name, series in columns.items() if "." not in name}
    return conform(pl.DataFrame({**whole, **_blocks(columns)}), PROFILES)


def _column(series: pl.Series, meaning: str, extra: dict[str, pl.Series]) -> pl.Series:
    if meaning in ADDRESSES.values():
        return _block(series, extra)
    if meaning == "attributes":
        return attributes_of(series)
    if meaning in PREFERENCES.values():
        return preferences_of(printed(series))
    if meaning == "last_updated_at":
        return _instant(series)
    if meaning in WORDS and (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        raise BadFrame(f"{series.name} is {series.dtype}, not text")
    return _text(series)


def _blocks(columns: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    """The structs of flat address columns (``block.part``)."""
    parts: dict[str, dict[str, pl.Series]] = {}
    for name, series in columns.items():
        block, dot, part = name.partition(".")
        if dot:
            parts.setdefault(block, {})[part] = series
    return {block: pl.DataFrame(of).to_struct(block) for block, of in parts.items()}


def _meanings(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """What each column holds: a PROFILES column, ``block.part`` or, if empty, an attribute."""
    meanings: dict[str, str] = {}
    faults = []
    for name in names:
        meaning = _meaning(plain_name(name))
        if meaning is None:
            continue
        block, dot, _ = meaning.partition(".")
        for other, taken in meanings.items():
            if meaning and (taken == meaning or (dot and taken == block) or taken.startswith(f"{meaning}.")):
                faults.append(f"{other} and {name} are both {taken.split('.')[0] if dot else meaning}")
        meanings[name] = meaning
    return meanings, faults


def _meaning(plain: str) -> str | None:
    if plain in LABEL_COLUMNS:
        return None
    if plain in {"profileid", "attributes", "lastupdatedat", "source"}:
        return {"profileid": "profile_id", "lastupdatedat": "last_updated_at"}.get(plain, plain)
    if plain in _MEMBERS:
        return _MEMBERS[plain]
    if plain in _FLAT_PARTS:
        return ".".join(_FLAT_PARTS[plain])
    return ""


def _id_faults(ids: pl.Series | None) -> list[str]:
    if ids is None:
        return []
    faults = []
    if ids.null_count():
        first = int(ids.is_null().arg_max() or 0) + 1
        faults.append(f"profile_id is null in {ids.null_count()} rows, the first is row {first}")
    there = ids.drop_nulls()
    # ids are compared where hashes are equal only: no two ids are, as a rule
    if there.hash().n_unique() < there.len() and there.n_unique() < there.len():
        repeated = there.filter(there.is_duplicated())
        faults.append(f"{repeated.n_unique()} profile_id repeated, the first is {repeated[0]}")
    return faults


def _text(series: pl.Series) -> pl.Series:
    """A column of text; numbers, dates and booleans as they print.

    Raises:
        BadFrame: it is nested or binary.
    """
    if series.dtype.is_nested() or series.dtype in (pl.Binary, pl.Object):
        raise BadFrame(f"{series.name} is {series.dtype}, not text")
    return printed(series)


def _instant(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime):
        zoned = series if series.dtype.time_zone else series.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    try:
        text = _text(series)
        return text.str.to_datetime(time_unit="us", time_zone="UTC")
    except pl.exceptions.PolarsError:
        raise BadFrame(f"{series.name} is {series.dtype} that cannot be read as ISO 8601 times") from None


def _block(series: pl.Series, extra: dict[str, pl.Series]) -> pl.Series:
    """An address column as a struct of known parts; parts the API does not know go to ``extra``."""
    if series.dtype == pl.Null:
        return series
    if series.dtype == pl.String:
        return _block_from_text(series, extra)
    if not isinstance(series.dtype, pl.Struct):
        raise BadFrame(f"{series.name} is {series.dtype}, not an address")
    parts: dict[str, pl.Series] = {}
    for field in series.dtype.fields:
        known = _PARTS.get(plain_name(field.name))
        values = series.struct.field(field.name)
        if known:
            parts[known] = _text(values.alias(f"{series.name}.{field.name}"))
        else:
            extra[f"{series.name}.{field.name}"] = printed(values)
    empty = all(part.null_count() == part.len() for part in parts.values())
    return (
        pl.Series(series.name, [None] * series.len()) if empty else pl.DataFrame(parts).to_struct(series.name)
    )


def _block_from_text(series: pl.Series, extra: dict[str, pl.Series]) -> pl.Series:
    """JSON objects as blocks, parts the API does not know to ``extra``; other text is the first line."""
    blank = series.str.strip_chars() == ""
    is_json = series.str.strip_chars_start().str.starts_with("{").fill_null(value=False)
    lines = series.set(is_json | blank.fill_null(value=True), None)
    parts: dict[str, pl.Series] = {}
    for key, values in objects_of(series.set(~is_json, None)).items():
        part = _PARTS.get(plain_name(key))
        if part is None:
            extra[f"{series.name}.{key}"] = printed(values)
        else:
            parts[part] = printed(values).zip_with(values.is_not_null(), parts.get(part, values))
    parts["address1"] = lines.zip_with(lines.is_not_null(), parts.get("address1", lines))
    some = pl.any_horizontal(pl.all().is_not_null())
    block = pl.when(some).then(pl.struct(pl.all())).alias(series.name)
    return pl.DataFrame(parts).select(block).to_series()


def in_full(profiles: pl.DataFrame) -> pl.DataFrame:
    """A PROFILES frame with all columns, as the API's answers become one.

    Address blocks have all their parts, a block without any is null, attributes are sorted by key.
    """
    whole = profiles.select(
        _in_full(profiles.schema.get(name), name, dtype) for name, dtype in PROFILES.columns.items()
    )
    return whole.with_columns(in_key_order(whole["attributes"]).alias("attributes"))


def _in_full(there: pl.DataType | None, name: str, wanted: pl.DataType | type[pl.DataType]) -> pl.Expr:
    if there is None or there == pl.Null:
        return pl.lit(None, wanted).alias(name)
    if isinstance(wanted, pl.Struct) and isinstance(there, pl.Struct):
        held = {field.name for field in there.fields}
        parts = [
            (pl.col(name).struct.field(field.name).cast(pl.String) if field.name in held
             else pl.lit(None, pl.String)).alias(field.name)
            for field in wanted.fields
        ]  # fmt: skip
        some = pl.any_horizontal(part.is_not_null() for part in parts)
        return pl.when(some).then(pl.struct(parts)).alias(name)
    return pl.col(name).cast(wanted)
