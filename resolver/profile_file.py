"""EDGE: profiles in files: Parquet, CSV, JSONL in anybody's spelling → PROFILES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.errors import BadFrame
from resolver.profile_columns import to_profiles
from resolver.table_file import read_table

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def read_profiles(path: Path) -> pl.DataFrame:
    """The PROFILES frame of a ``.parquet``, ``.csv``, ``.csv.gz``, ``.csv.zst``, ``.jsonl`` or ``.ndjson``.

    Columns may be spelled as the API does or in snake case; see ``to_profiles``.

    Raises:
        BadFile: missing, a directory, empty, of an unknown kind, or not what its name says; with the line
            where one is to blame.
        BadFrame: no ``profile_id``, ids null or repeated, or a column of the wrong type.
    """
    return profiles_of(read_table(path), path)


def profiles_of(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    """``read_profiles`` of a table that was read from that file.

    Raises:
        BadFrame: as there.
    """
    try:
        return to_profiles(table)
    except BadFrame as fault:
        raise BadFrame(f"{path.name}: {fault}") from None
