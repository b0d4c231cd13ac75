"""EDGE: tables in files, Parquet, CSV or JSONL; their columns as they are spelled there.

Nothing but Polars is loaded with it: a large file can be read while the rest of the program is.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from resolver.errors import BadFile
from resolver.model.spelling import LABEL_COLUMNS, plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NEEDS_ESCAPE: Final = re.compile(r'["\\\x00-\x1f]')
_DELIMITERS: Final = (",", ";", "\t", "|")


def read_table(path: Path, kind: str | None = None) -> pl.DataFrame:
    """The table in a file, its columns as they are spelled there; Attributes of JSONL as JSON text.

    ``kind`` (``parquet``, ``csv``, ``jsonl``) is for files whose names do not tell.

    Raises:
        BadFile: as for ``read_profiles``.
    """
    if path.is_dir():
        raise BadFile(f"{path.name} is a directory, not a file of profiles")
    if not path.exists():
        raise BadFile(f"{path.name} does not exist")
    if path.stat().st_size == 0:
        raise BadFile(f"{path.name} is empty")
    table = (_READERS[f".{kind}"] if kind else _reader(path))(path)
    if table.columns and not table.height and "profileid" in map(plain_name, table.columns):
        raise BadFile(f"{path.name} holds no profiles, only column names")
    return table


def _reader(path: Path) -> Callable[[Path], pl.DataFrame]:
    name = path.name.lower()
    for compressed in (".gz", ".zst"):
        if name.endswith(".csv" + compressed):
            return _read_csv
    reader = _READERS.get(Path(name).suffix)
    if reader is None:
        raise BadFile(f"{path.name} is of no known kind (known: {', '.join(_READERS)}, .csv.gz, .csv.zst)")
    return reader


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        columns = [c for c in pl.read_parquet_schema(path) if plain_name(c) not in LABEL_COLUMNS]
        return pl.read_parquet(path, columns=columns)
    except pl.exceptions.PolarsError as error:
        raise BadFile(f"{path.name} is not Parquet, though named so") from error


def _read_jsonl(path: Path) -> pl.DataFrame:
    try:
        return scan_jsonl(path).collect()
    except pl.exceptions.PolarsError as error:
        raise BadFile(f"{path.name}{_bad_json_line(path)}") from error


def scan_jsonl(source: Path | bytes) -> pl.LazyFrame:
    """JSON lines, with Attributes as JSON text: as a struct they would be a column for every key there is.

    Raises:
        PolarsError: the source cannot be read, or is something else.
    """
    schema = pl.scan_ndjson(source, infer_schema_length=None).collect_schema()
    nested = [name for name, kind in schema.items() if kind.is_nested() and plain_name(name) == "attributes"]
    if not nested or _holds_a_backslash(source):
        return pl.scan_ndjson(source, schema=schema)
    as_text = {name: pl.String() for name in nested if _has_plain_keys(schema[name])}
    return pl.scan_ndjson(source, schema={**schema, **as_text})


def _holds_a_backslash(source: Path | bytes) -> bool:
    """Whether any value may be written with an escape: Polars gives nested values as text without it."""
    if isinstance(source, bytes):
        return b"\\" in source
    if not source.stat().st_size:
        return False
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as held:
        return held.find(b"\\") >= 0


def _has_plain_keys(dtype: pl.DataType) -> bool:
    """Whether no key needs an escape in JSON: Polars gives nested values as text without one."""
    if isinstance(dtype, pl.List):
        return dtype.inner is None or _has_plain_keys(cast("pl.DataType", dtype.inner))
    fields = dtype.fields if isinstance(dtype, pl.Struct) else []
    return not any(
        _NEEDS_ESCAPE.search(field.name) or not _has_plain_keys(cast("pl.DataType", field.dtype))
        for field in fields
    )


def _bad_json_line(path: Path) -> str:
    """What is wrong with the first bad line, or that the lines do not fit each other."""
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    loaded = json.loads(line)
                    if not isinstance(loaded, dict):
                        return f":{number}: a JSON {type(loaded).__name__}, not an object"
    except UnicodeDecodeError:
        return " is not UTF-8"
    except ValueError:
        return f":{number}: not JSON"
    return " has a field of several types"


def _read_csv(path: Path) -> pl.DataFrame:
    """All columns as text, after a check that no line is short, long or of another encoding."""
    try:
        header = next(_csv_lines(path), "")
    except UnicodeDecodeError:
        raise BadFile(f"{path.name} is not UTF-8") from None
    except (OSError, EOFError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path.name} is not {path.suffix.removeprefix('.')}, though named so") from error
    delimiter = max(_DELIMITERS, key=lambda mark: (header.count(mark), -_DELIMITERS.index(mark)))
    names = next(csv.reader([header], delimiter=delimiter), [])
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BadFile(f"{path.name}:1: column {', '.join(repeated)} stands twice")
    try:
        table = pl.read_csv(path, infer_schema=False, separator=delimiter)
    except pl.exceptions.PolarsError as error:
        fault = _bad_csv_line(path, delimiter) or " is not CSV in UTF-8"
        raise BadFile(f"{path.name}{fault}") from error
    # Polars fills a short line with nulls, so only a null in the last column can hide one.
    if table.width > 1 and table[:, -1].null_count() and (fault := _bad_csv_line(path, delimiter)):
        raise BadFile(f"{path.name}{fault}")
    return table


def _bad_csv_line(path: Path, delimiter: str) -> str:
    """The first line that has another number of cells than the header, empty where all are right."""
    lines = csv.reader(_csv_lines(path), delimiter=delimiter, strict=True)
    width = 0
    try:
        for cells in lines:
            width = width or len(cells)
            if cells and len(cells) != width:
                return f":{lines.line_num}: {len(cells)} cells, not {width}"
    except UnicodeDecodeError:
        return " is not UTF-8"
    except csv.Error as error:
        return f":{lines.line_num}: {error}"
    return ""


def _csv_lines(path: Path) -> Iterator[str]:
    """The raw lines, decompressed."""
    if path.suffix == ".zst":  # Python reads it from 3.14 on; Polars does now
        raw = pl.read_csv(path, has_header=False, infer_schema=False, separator="\x01", quote_char=None)
        yield from (f"{line or ''}\n" for line in raw[:, 0])
        return
    with (
        gzip.open(path, "rt", encoding="utf-8-sig")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8-sig") as lines
    ):
        yield from lines


_READERS: Final[dict[str, Callable[[Path], pl.DataFrame]]] = {
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
}
