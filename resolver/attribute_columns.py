"""Attributes and JSON objects in any form as columns; ``profile_columns`` says what the others are."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.compiled import texts as compiled
from resolver.errors import BadFrame
from resolver.model.frames import Attributes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SAMPLE: Final = 1000  # rows whose keys are tried first; a count tells whether there are others
_MARKS: Final = ('":', '":null', '": null')
_MOST_JSON_KEYS: Final = (
    200  # more keys than that are decoded row by row: a column for each would be mostly null
)


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
    if sorted(map(str.lower, names)) != ["key", "value"]:
        raise BadFrame(
            f"{series.name} is {series.dtype}, not JSON text, a struct, a map or a list of key and value"
        )
    key, value = sorted(names, key=str.lower)
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
    """One key a column, in the order of the keys; null values left out."""
    rows = pl.int_range(height, dtype=pl.UInt32, eager=True).alias("row")
    every = rows.to_frame().with_columns(
        pl.lit(None, pl.String).alias("key"), pl.lit(None, pl.String).alias("value")
    )
    pairs = [
        pl.DataFrame({"row": rows, "value": series}).drop_nulls().insert_column(1, pl.lit(name).alias("key"))
        for name, series in sorted(columns.items())
    ]
    # Sorted groups are slices: twenty times faster than concat_list, and no join brings back the empty rows.
    return _grouped(pl.concat([every, *pairs]).sort("row", maintain_order=True))


def _grouped(pairs: pl.DataFrame) -> pl.Series:
    """The lists of ``row``, ``key`` and ``value`` sorted by row; a row that has only a null key has none."""
    return (
        pairs.lazy()
        .set_sorted("row")
        .group_by("row", maintain_order=True)
        .agg(pl.struct("key", "value").filter(pl.col("key").is_not_null()).alias("attributes"))
        .select(pl.when(pl.col("attributes").list.len() > 0).then("attributes"))
        .collect()["attributes"]
    )


def _attributes_from_json(texts: pl.Series) -> pl.Series:
    keys = _keys(texts.head(_SAMPLE))
    if keys and _speakable(keys) and compiled.taken(texts, nulls=True):
        pairs = compiled.object_values(texts, keys)
        if pairs is not None:
            return _grouped(pairs)
    columns = _plain_objects(texts)
    if columns:
        return _attributes_from_columns({key: printed(column) for key, column in columns.items()}, len(texts))
    rows: list[list[dict[str, str]] | None] = [None] * len(texts)
    for row, items in _loose_objects(texts):
        rows[row] = [{"key": key, "value": value} for key, value in items.items() if value] or None
    return pl.Series("attributes", rows, Attributes)


def objects_of(texts: pl.Series) -> dict[str, pl.Series]:
    """The values of each key of JSON objects; null and blank texts have none, nested values are JSON.

    Raises:
        BadFrame: a text is no JSON object (the row is named, from 1).
    """
    columns = _plain_objects(texts)
    if columns:
        return columns
    values: dict[str, dict[int, str]] = {}
    for row, items in _loose_objects(texts):
        for key, value in items.items():
            values.setdefault(key, {})[row] = value
    return {key: pl.Series([of.get(row) for row in range(len(texts))]) for key, of in values.items()}


def _plain_objects(texts: pl.Series) -> dict[str, pl.Series]:
    """``objects_of`` by expression, for objects of plain values; none where only a loop reads them."""
    columns = _decoded(texts, _keys(texts.head(_SAMPLE)))
    values = sum(len(column) - column.null_count() for column in columns.values())
    if not columns or values != _count_of_values(texts):
        columns = _decoded(texts, _keys(texts))
    return columns


def _loose_objects(texts: pl.Series) -> Iterator[tuple[int, dict[str, str]]]:
    """Row and object, row by row: no expression reads nested JSON, and faulty JSON must be named."""
    for row, text in enumerate(texts):
        if text and text.strip():
            yield row, _json_object(text, f"{texts.name} of row {row + 1}")


def _keys(texts: pl.Series) -> list[str]:
    """All that looks like a key of a JSON object."""
    found = texts.str.extract_all(r'"(?:[^"\\]|\\.)*"\s*:').explode().drop_nulls().unique()
    return sorted({key.rstrip(": \t\r\n")[1:-1] for key in found})


def _count_of_values(texts: pl.Series) -> int:
    """How many values the objects hold, nulls left out, if they are written as programs write them."""
    text = texts.to_frame("text").lazy()  # in one query: the marks are counted side by side
    marks = [pl.col("text").str.count_matches(mark, literal=True).sum().alias(mark) for mark in _MARKS]
    count = text.select(marks).collect().row(0, named=True)
    return int(count['":']) - sum(int(count[mark]) for mark in _MARKS if mark != '":')


def _decoded(texts: pl.Series, keys: Sequence[str]) -> dict[str, pl.Series]:
    """The values of each key; none where the keys are many, escaped, or the objects hold nested values."""
    if not keys or not _speakable(keys):
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


def _speakable(keys: Sequence[str]) -> bool:
    """Whether the keys are few enough for a column each, and stand as they are written."""
    return len(keys) <= _MOST_JSON_KEYS and not any("\\" in key for key in keys)


def _json_object(text: str, where: str) -> dict[str, str]:
    """A JSON object with its values as text; nulls left out, nested values as JSON."""
    try:
        loaded = json.loads(text, strict=False)  # Polars prints control characters as they are
    except ValueError:
        raise BadFrame(f"{where} is not JSON") from None
    if not isinstance(loaded, dict):
        raise BadFrame(f"{where} is a JSON {type(loaded).__name__}, not an object")
    return {key: _json_text(value) for key, value in loaded.items() if value is not None}


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def in_key_order(attributes: pl.Series) -> pl.Series:
    """Each list sorted by key, then value. ``list.sort`` on structs takes fifty times as long."""
    rows = pl.int_range(len(attributes), dtype=pl.UInt32, eager=True).alias("row")
    pairs = pl.DataFrame([rows, attributes.alias("pair")]).explode("pair")
    flat = pairs.select("row", pl.col("pair").struct.unnest())
    same_row = pl.col("row") == pl.col("row").shift(1)
    if not flat.select((same_row & (pl.col("key") <= pl.col("key").shift(1))).any()).item():
        return attributes
    return _grouped(flat.sort("row", "key", "value"))


def with_extra(attributes: pl.Series | None, extra: Mapping[str, pl.Series], height: int) -> pl.Series:
    """The attributes and further columns behind them; a key already there keeps its own value."""
    added = _attributes_from_columns(extra, height)
    if attributes is None or attributes.dtype == pl.Null:
        return added
    both = pl.DataFrame({"own": attributes.cast(Attributes), "added": added})
    return both.select(
        pl.when(pl.col("own").is_null()).then("added").when(pl.col("added").is_null()).then("own")
        .otherwise(pl.concat_list("own", "added")).alias("attributes")
    )["attributes"]  # fmt: skip
