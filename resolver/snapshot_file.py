"""EDGE: snapshots of a whole domain as AWS leaves them in S3: many files of profiles → one PROFILES frame.

Bulk exports through AppIntegrations and segment snapshots come as CSV, JSON lines, ORC or Parquet, in a
folder, often under names without a suffix. ``profile_columns`` says what their columns mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from glob import glob, has_magic
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

import polars as pl

from resolver.errors import BadFile, BadFrame
from resolver.model.spelling import plain_name
from resolver.profile_columns import in_full, to_profiles
from resolver.table_file import read_table, scan_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["csv", "jsonl", "parquet", "orc"]

#: Profiles turned into a frame at once: bounds what the steps between need of memory.
ROWS_AT_ONCE: Final = 100_000
_SUFFIXES: Final[dict[str, Kind]] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".orc": "orc",
}
_COMPRESSED: Final = (".gz", ".zst")
#: How the content of each kind begins.
_BEGINNINGS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"PAR1", "parquet"),
    (b"ORC", "orc"),
    (b"{", "jsonl"),
)


@dataclass(frozen=True, slots=True)
class SnapshotSource:
    """Where a snapshot lies: a file, a directory, a pattern or an ``s3://`` address, and what it is made of.

    ``kind`` may be left out where the names of the files tell it, or their first bytes (not in S3).
    """

    location: str
    kind: Kind | None = None


def read_snapshot(source: SnapshotSource) -> pl.DataFrame:
    """All profiles of a snapshot as a PROFILES frame ``in_full``, sorted by profile id.

    Of a profile that comes in several files the one with the latest ``last_updated_at`` counts, else the one
    in the last file by name: exports of time ranges follow each other so.

    Raises:
        BadFile: nothing there, of no known kind, or not readable; with the name of the file.
        BadFrame: a file has no ``profile_id``, null or repeated ids, or a column of the wrong type.
    """
    tables = _remote(source) if source.location.startswith("s3://") else _local(source)
    frames = list(chain.from_iterable(_profiles(name, table) for name, table in tables))
    if not frames:
        raise BadFile(f"{source.location}: no profiles in it")
    frame = pl.concat(frames, rechunk=False)
    del frames
    if frame["profile_id"].is_duplicated().any():
        frame = frame.sort("last_updated_at", nulls_last=False, maintain_order=True)
        frame = frame.unique("profile_id", keep="last", maintain_order=True)
    return frame.sort("profile_id")


def _profiles(name: str, table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The profiles of one table, some at a time; ids are checked over all of them."""
    try:
        for column in table.columns:
            if plain_name(column) == "profileid":
                to_profiles(table.select(column))
        for start in range(0, table.height, ROWS_AT_ONCE):
            yield in_full(to_profiles(table[start : start + ROWS_AT_ONCE]))
    except BadFrame as fault:
        raise BadFrame(f"{name}: {fault}") from None


def _local(source: SnapshotSource) -> Iterator[tuple[str, pl.DataFrame]]:
    for path in _paths(source.location):
        if path.stat().st_size:  # a range without changes leaves an empty file
            kind = source.kind or _kind_of_name(path.name) or _kind_of_content(path)
            if kind == "orc":
                yield from _orc(str(path))
            else:
                yield path.name, read_table(path, kind)


def _paths(location: str) -> list[Path]:
    """The files of a local snapshot by name; hidden ones and markers (``_SUCCESS``) left out."""
    path = Path(location)
    if path.is_dir():
        found = [p for p in path.rglob("*") if p.is_file()]
        # `_profile` is a folder of bulk exports, `_SUCCESS` a file of whoever copied one
        hidden = [
            p.name[0] == "_" or any(part[0] == "." for part in p.relative_to(path).parts) for p in found
        ]
        paths = [p for p, out in zip(found, hidden, strict=True) if not out]
    elif path.is_file():
        paths = [path]
    else:
        matches = glob(location, recursive=True) if has_magic(location) else []  # noqa: PTH207 - of any root
        paths = [Path(name) for name in matches if Path(name).is_file()]
    if not paths:
        raise BadFile(f"{location}: no such file, and no files of a snapshot in it")
    return sorted(paths)


def _kind_of_name(name: str) -> Kind | None:
    path = Path(name.lower())
    return _SUFFIXES.get(Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix)


def _kind_of_content(path: Path) -> Kind:
    """What a file without a telling name holds; text that is no JSON is CSV."""
    with path.open("rb") as file:
        beginning = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    known = next((kind for mark, kind in _BEGINNINGS if beginning.startswith(mark)), None)
    if known is None and b"\0" in beginning:
        raise BadFile(f"{path.name} is of no known kind: name it with --snapshot-kind")
    return known or "csv"


def _remote(source: SnapshotSource) -> Iterator[tuple[str, pl.DataFrame]]:
    """The tables at an ``s3://`` address, by AWS's own environment variables and files."""
    location = source.location
    kind = source.kind or _kind_of_name(location.rstrip("/*"))
    if kind is None:
        raise BadFile(f"{location}: its name does not tell what it is made of: give --snapshot-kind")
    try:
        if kind == "orc":
            yield from _orc(location)
        elif kind == "parquet":
            yield location, pl.scan_parquet(location).collect()  # refuses files of different columns
        else:
            yield from _texts(location, kind)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadFile(f"{location}: cannot be read as {kind} ({type(error).__name__})") from None


def _texts(location: str, kind: Kind) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each file by its own columns: Polars would take those of the first and silently lose the others."""
    lines = pl.scan_lines(location, include_file_paths="path").collect()
    for (path,), part in lines.group_by("path", maintain_order=True):
        text = part["line"].str.join("\n").item().encode()
        yield (
            str(path),
            pl.read_csv(text, infer_schema=False) if kind == "csv" else scan_jsonl(text).collect(),
        )


def _orc(location: str) -> Iterator[tuple[str, pl.DataFrame]]:
    try:
        from pyarrow import ArrowException, dataset  # noqa: PLC0415  # only who has ORC files needs it
    except ImportError:
        raise BadFile(f"{location}: ORC needs the package pyarrow: install resolver[orc]") from None
    try:
        whole = dataset.dataset(location, format="orc")
        for path in sorted(whole.files):
            table = dataset.dataset(path, format="orc", filesystem=whole.filesystem).to_table()
            yield Path(path).name, cast("pl.DataFrame", pl.from_arrow(table))
    except (ArrowException, OSError, ValueError) as error:
        raise BadFile(f"{location} is not readable ORC ({type(error).__name__})") from None
