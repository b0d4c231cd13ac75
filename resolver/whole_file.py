"""Output that is there whole or not at all: the one way in which this package writes files."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place to write to that becomes ``path`` when the block ends well, and nothing when it does not.

    The content is on the disk before the name is: a machine that loses power has the old file or the new one.
    What a killed process leaves behind is a hidden ``.<name>.partial``, which the next writer replaces.

    Raises:
        BadFile: the directory cannot be made or written to.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        with suppress(OSError):
            partial.unlink()


def check_directory(path: Path) -> None:
    """Nothing, where a directory is there that can be written to, or could be made.

    Raises:
        BadFile: a file is in the way, or who runs this may not write there.
    """
    try:
        there = next(p for p in (path, *path.absolute().parents) if p.exists() or p.is_symlink())
        directory = there.is_dir()
    except OSError as error:  # not even to be looked at, or no name of a file
        raise BadFile(f"{path}: cannot be written to ({error.strerror})") from None
    if not directory:
        what = "a link to nothing" if there.is_symlink() and not there.exists() else "a file"
        raise BadFile(f"{path}: cannot be made a directory ({there} is {what})")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadFile(f"{path}: cannot be written to ({there} is not writable)")


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """The frame as Parquet.

    Raises:
        BadFile: the place cannot be written to, or is full.
    """
    with whole(path) as partial:
        try:
            frame.write_parquet(partial, compression="lz4", statistics=False)
        except pl.exceptions.ComputeError as error:  # what Polars makes of a full disk
            reason = str(error).rpartition(": ")[2]
            raise BadFile(f"{path}: cannot be written ({reason})") from None


def write_json(data: Mapping[str, Any], path: Path) -> None:
    """The data as indented JSON text."""
    with whole(path) as partial:
        partial.write_text(
            json.dumps(data, indent=2, default=str, ensure_ascii=False) + "\n", encoding="utf-8"
        )
