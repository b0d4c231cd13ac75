"""Use case: resolve profiles that lie where Spark reads, such as S3, in a Glue or EMR job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.app.matching import MatchOptions, match_profiles
from resolver.app.progress import Listener, Stopwatch
from resolver.errors import BadFile, BadFrame
from resolver.profile_columns import to_profiles
from resolver.profile_file import read_profiles
from resolver.table_file import read_table

if TYPE_CHECKING:
    from resolver.spark.store import Store

#: What is Spark's own in a directory of its parts.
_HIDDEN = ("_", ".")


@dataclass(frozen=True, slots=True)
class Places:
    """Where profiles are read and results written: ``s3://``, ``s3a://``, ``hdfs://``, ``file://`` or a path.

    ``source`` is a file that `match` takes, or a directory of Parquet files, as Spark writes them.
    """

    source: str
    out: str


def match_places(places: Places, options: MatchOptions, listener: Listener) -> dict[str, Any]:
    """As ``match_profiles`` with a Spark cluster (``options.cluster``), from one place to another.

    ``options.out`` is not looked at. Results are those of `match`, and ``stages/`` beside them.

    Raises:
        BadInput: Spark cannot start, or the profiles or the rule set cannot be used; nothing was written.
    """
    from resolver.spark.session import session  # noqa: PLC0415 - an extra that no one else needs
    from resolver.spark.store import Store, address_of  # noqa: PLC0415 - as above

    spark = session(options.cluster or None)
    target = Store(spark, places.out)
    with TemporaryDirectory() as directory:
        here = Path(directory)
        (here / "out").mkdir()
        local = replace(
            options, cluster=options.cluster or "", out=here / "out", stages=target.under("stages")
        )
        address = address_of(places.source)
        parent, _, name = address.rpartition("/")
        source = Store(spark, parent)
        report = match_profiles(lambda: _fetched(source, name, here), local, Stopwatch(listener))
        for file in sorted(local.out.iterdir()):
            target.put(file, file.name)
    return report


def _fetched(source: Store, name: str, here: Path) -> pl.DataFrame:
    if not source.exists(name):
        raise BadFile(f"{source.under(name)} does not exist")
    copy = here / name
    source.fetch(name, copy)
    return read_profiles(copy) if copy.is_file() else _read_parts(copy)


def _read_parts(directory: Path) -> pl.DataFrame:
    """The PROFILES frame of a directory of Parquet files."""
    files = [f for f in sorted(directory.rglob("*.parquet")) if not f.name.startswith(_HIDDEN)]
    if not files:
        raise BadFile(f"{directory.name} holds no Parquet files")
    try:
        return to_profiles(pl.concat([read_table(file) for file in files], how="diagonal"))
    except (BadFrame, pl.exceptions.PolarsError) as fault:
        raise BadFrame(f"{directory.name}: {fault}") from None
