"""What changed in a domain between two readings, by the fingerprints of the profiles' contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.model.frames import Schema
from resolver.planning.fingerprint import fingerprint_rows
from resolver.profiles.harvest import mark

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

#: One row a profile that is not as it was. ``fingerprint`` is of its present content, null where it is gone.
CHANGES: Final = Schema(
    "changes",
    {"profile_id": pl.String, "change": pl.Enum(("new", "changed", "gone")), "fingerprint": pl.String},
)


def fingerprints_of(profiles: pl.DataFrame) -> pl.DataFrame:
    """``profile_id`` and ``fingerprint`` of each row of a PROFILES frame."""
    rows = pl.Series("fingerprint", fingerprint_rows(profiles), pl.String)
    return profiles.select("profile_id", rows)


def marks_of(fingerprints: pl.DataFrame) -> AbstractSet[int]:
    """The contents among which a harvest looks up what it finds."""
    return set(map(mark, fingerprints["fingerprint"]))


def compare(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The CHANGES between two frames of ``profile_id`` and ``fingerprint``, sorted by profile id."""
    both = before.rename({"fingerprint": "before"}).join(after, on="profile_id", how="full", coalesce=True)
    change = (
        pl.when(pl.col("before").is_null())
        .then(pl.lit("new"))
        .when(pl.col("fingerprint").is_null())
        .then(pl.lit("gone"))
        .when(pl.col("before") != pl.col("fingerprint"))
        .then(pl.lit("changed"))
    )
    told = both.with_columns(change.cast(CHANGES.columns["change"]).alias("change"))
    return told.drop_nulls("change").select(list(CHANGES.columns)).sort("profile_id")


def count(changes: pl.DataFrame) -> dict[str, int]:
    """How many profiles of each change."""
    return {kind: changes.filter(pl.col("change") == kind).height for kind in ("new", "changed", "gone")}
