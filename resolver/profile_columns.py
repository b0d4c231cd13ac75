"""A table with columns in anybody's spelling as a PROFILES frame; files are ``profile_file``'s business."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFrame
from resolver.model.frames import PROFILES, Attributes, conform
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, EMAILS, PREFERENCES, SCALARS
from resolver.profile_preferences import preferences_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NOT_LETTERS: Final = re.compile(r"[^a-z0-9]")

#: Columns that tell who is who in test data, in any spelling: never evidence, so never read.
LABEL_COLUMNS: Final = frozenset(
    {
        "entity", "entityid", "trueentity", "trueentityid", "cluster", "clusterid", "truecluster",
        "trueclusterid",        "trueid", "truth", "truthid", "goldid", "goldenid", "groundtruth",
    }
)  # fmt: skip

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
_SAMPLE: Final = 1000  # rows whose keys are tried first; a count tells whether there are others
_MARKS: Final = ('":', '":null', '": null')
_MOST_JSON_KEYS: Final = (
    200  # more keys than that are decoded row by row: a column for each would be mostly null
)


def plain_name(column: str) -> str:
    """The spelling that FirstName, first_name and "First Name" have in common."""
    return _NOT_LETTERS.sub("", column.lower())


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
                extra[name] = printed(table[name])
        except BadFrame as fault:
            faults.append(str(fault))
    faults += _id_faults(columns.get("profile_id"))
    if faults:
        raise BadFrame("; ".join(faults))
    if extra:
        columns["attributes"] = _with_extra(columns.get("attributes"), extra, table.height)
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
    if there.n_unique() < there.len():
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


def printed(series: pl.Series) -> pl.Series:
    """Any column as text: nested ones as JSON, whole floats without ``.0``, blank text null."""
    if series.dtype.is_nested():
        wrapped = pl.DataFrame({"v": series}).select(pl.struct("v").struct.json_encode().alias("v"))["v"]
        text = wrapped.str.strip_prefix('{"v":').str.strip_suffix("}")
        return pl.select(pl.when(series.is_not_null()).then(text)).to_series()
    if series.dtype.is_float() and bool(((series == series.round()) | series.is_null()).all()):
        series = series.cast(pl.Int64, strict=False)
    text = series.cast(pl.Binary).cast(pl.String) if series.dtype == pl.Binary else series.cast(pl.String)
    blank = text == ""
    return text.set(blank, None) if blank.any() else text


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
        return _block_from_text(series)
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


def _block_from_text(series: pl.Series) -> pl.Series:
    """JSON objects as blocks; other text is the first address line."""
    fields = dict.fromkeys(ADDRESS_PARTS.values(), pl.String)
    decoded: list[dict[str, str] | None] = []
    for row, text in enumerate(series, start=1):  # JSON of any shape and spelling: no expression reads it
        if text is None or not text.strip():
            decoded.append(None)
        elif text.lstrip().startswith("{"):
            items = _json_object(text, f"{series.name} of row {row}")
            decoded.append({_PARTS.get(plain_name(k), k): v for k, v in items.items()})
        else:
            decoded.append({"address1": text})
    return pl.Series(series.name, decoded, pl.Struct(fields), strict=False)


def attributes_of(series: pl.Series) -> pl.Series:
    """Attributes in any form as a list of key and value; null values and blank ones left out.

    Raises:
        BadFrame: another type, or JSON text that is no object (the row is named, from 1).
    """
    if series.dtype == pl.Null:
        return series.cast(Attributes)
    if series.dtype == pl.String:
        return _attributes_from_json(series)
    if isinstance(series.dtype, pl.Struct):
        columns = {f.name: printed(series.struct.field(f.name)) for f in series.dtype.fields}
        return _attributes_from_columns(columns, len(series))
    inner = series.dtype.inner if isinstance(series.dtype, pl.List) else None
    names = [f.name for f in inner.fields] if isinstance(inner, pl.Struct) else []
    if sorted(plain_name(n) for n in names) != ["key", "value"]:
        raise BadFrame(
            f"{series.name} is {series.dtype}, not JSON text, a struct, a map or a list of key and value"
        )
    key, value = sorted(names, key=plain_name)
    pairs = pl.struct(
        pl.element().struct.field(key).cast(pl.String).alias("key"),
        pl.element().struct.field(value).cast(pl.String).alias("value"),
    )
    listed = series.to_frame("a").select(pl.col("a").list.eval(pairs))["a"]
    return _without_blanks(listed)


def _without_blanks(listed: pl.Series) -> pl.Series:
    held = pl.element().struct.field("key").is_not_null() & (pl.element().struct.field("value") != "")
    kept = listed.to_frame("a").select(pl.col("a").list.eval(pl.element().filter(held)))["a"]
    return pl.select(pl.when(kept.list.len() > 0).then(kept)).to_series()


def _attributes_from_columns(columns: Mapping[str, pl.Series], height: int) -> pl.Series:
    """One key a column; null values left out."""
    rows = pl.int_range(height, dtype=pl.UInt32, eager=True).alias("row")
    every = rows.to_frame().with_columns(
        pl.lit(None, pl.String).alias("key"), pl.lit(None, pl.String).alias("value")
    )
    pairs = [
        pl.DataFrame({"row": rows, "value": series}).drop_nulls().insert_column(1, pl.lit(name).alias("key"))
        for name, series in columns.items()
    ]
    # Sorted groups are slices: twenty times faster than concat_list, and no join brings back the empty rows.
    return (
        pl.concat([every, *pairs])
        .sort("row", maintain_order=True)
        .lazy()
        .set_sorted("row")
        .group_by("row", maintain_order=True)
        .agg(pl.struct("key", "value").filter(pl.col("key").is_not_null()).alias("attributes"))
        .select(pl.when(pl.col("attributes").list.len() > 0).then("attributes"))
        .collect()["attributes"]
    )


def _attributes_from_json(texts: pl.Series) -> pl.Series:
    """Objects of plain values by expression; anything else row by row, which also finds the faulty row."""
    columns = _decoded(texts, _keys(texts.head(_SAMPLE)))
    values = sum(len(column) - column.null_count() for column in columns.values())
    if not columns or values != _count_of_values(texts):
        columns = _decoded(texts, _keys(texts))
    if columns:
        return _attributes_from_columns({key: printed(column) for key, column in columns.items()}, len(texts))
    rows = []
    for row, text in enumerate(texts, start=1):  # nested or faulty JSON: no expression reads it
        items = _json_object(text, f"{texts.name} of row {row}") if text and text.strip() else {}
        rows.append([{"key": k, "value": v} for k, v in items.items() if v] or None)
    return pl.Series("attributes", rows, Attributes)


def _keys(texts: pl.Series) -> list[str]:
    """All that looks like a key of a JSON object."""
    found = texts.str.extract_all(r'"(?:[^"\\]|\\.)*"\s*:').explode().drop_nulls().unique()
    return sorted({key.rstrip(": \t\r\n")[1:-1] for key in found})


def _count_of_values(texts: pl.Series) -> int:
    """How many values the objects hold, nulls left out, if they are written as programs write them."""
    count = {mark: int(texts.str.count_matches(mark, literal=True).sum()) for mark in _MARKS}
    return count['":'] - sum(count[mark] for mark in _MARKS if mark != '":')


def _decoded(texts: pl.Series, keys: Sequence[str]) -> dict[str, pl.Series]:
    """The values of each key; none where the keys are many, escaped, or the objects hold nested values."""
    if not keys or len(keys) > _MOST_JSON_KEYS or any("\\" in key for key in keys):
        return {}
    shape = pl.Struct(dict.fromkeys(keys, pl.String))
    half = len(texts) // 2
    try:
        with ThreadPoolExecutor(max_workers=2) as pool:  # Polars decodes on one thread and releases the lock
            halves = pool.map(lambda part: part.str.json_decode(shape), (texts[:half], texts[half:]))
            decoded = pl.concat(list(halves))
    except pl.exceptions.ComputeError:
        return {}
    return {key: decoded.struct.field(key) for key in keys}


def _json_object(text: str, where: str) -> dict[str, str]:
    """A JSON object with its values as text; nulls left out, nested values as JSON."""
    try:
        loaded = json.loads(text)
    except ValueError:
        raise BadFrame(f"{where} is not JSON") from None
    if not isinstance(loaded, dict):
        raise BadFrame(f"{where} is a JSON {type(loaded).__name__}, not an object")
    return {key: _json_text(value) for key, value in loaded.items() if value is not None}


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _with_extra(attributes: pl.Series | None, extra: Mapping[str, pl.Series], height: int) -> pl.Series:
    """The attributes and further columns behind them; a key already there keeps its own value."""
    added = _attributes_from_columns(extra, height)
    if attributes is None or attributes.dtype == pl.Null:
        return added
    both = pl.DataFrame({"own": attributes.cast(Attributes), "added": added})
    return both.select(
        pl.when(pl.col("own").is_null()).then("added").when(pl.col("added").is_null()).then("own")
        .otherwise(pl.concat_list("own", "added")).alias("attributes")
    )["attributes"]  # fmt: skip
