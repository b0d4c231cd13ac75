"""Clusters that keep their ids from run to run, and what became of each: frames in, frames out. Pure.

An id stays with the cluster that holds the most of its former members. Profiles that were merged count with
their survivor. A profile that was never with another one has no id of this kind: it is its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import polars as pl

#: What becomes of a cluster; ``docs/operating.md`` explains them. The first that holds is told.
CHANGES: Final = ("new", "joined", "split", "grown", "kept", "gone")

#: Former members: the id that the run before knew, the profile that holds its content today, and whether
#: that was in the domain when last looked.
FORMER: Final = pl.Schema(
    {"profile_id": pl.String, "today_id": pl.String, "persistent_id": pl.String, "present": pl.Boolean}
)


@dataclass(frozen=True, eq=False)
class Lineage:
    """``clusters``: a row a cluster, and one an id that is gone. ``members``: rows for the ledger.

    Columns of ``clusters``: ``persistent_id``, ``cluster_id`` (this run's; null where gone), ``change``,
    ``former_ids``, ``size``, ``newcomers`` (members that no cluster had before). ``members`` holds
    ``profile_id``, ``persistent_id`` and ``present`` of those that are not as they were.
    """

    clusters: pl.DataFrame
    members: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Clusters by what became of them."""
        found = dict(self.clusters.group_by("change").len().iter_rows())
        return {change: found.get(change, 0) for change in CHANGES}


def trace(former: pl.DataFrame, clusters: pl.DataFrame, run_id: str) -> Lineage:
    """Ids for today's clusters (``profile_id``, ``cluster_id``, each profile once) from FORMER members.

    Ties go to the cluster, then to the id, that sorts first. Same frames and run id, same answer, in any row
    order.
    """
    today = clusters.select("profile_id", "cluster_id")
    seats = former.join(today, left_on="today_id", right_on="profile_id", how="left")
    votes = seats.drop_nulls("cluster_id").group_by("persistent_id", "cluster_id").len("votes")
    tracked = _tracked(today, former, votes).join(_holders(votes), on="cluster_id", how="left")
    fresh = [fresh_id(run_id, name) for name in tracked["cluster_id"].to_list()]  # hashing is Python's
    named = tracked.with_columns(pl.col("persistent_id").fill_null(pl.Series(fresh, dtype=pl.String)))
    table = pl.concat([_told(named, votes), _gone(seats, votes)]).sort("persistent_id", "cluster_id")
    return Lineage(table, _moved(seats, today, named))


def fresh_id(run_id: str, cluster_id: str) -> str:
    """The id of a cluster that is first seen in a run: c and 15 hex digits."""
    return "c" + hashlib.sha256(f"{run_id} {cluster_id}".encode()).hexdigest()[:15]


def _holders(votes: pl.DataFrame) -> pl.DataFrame:
    """Which cluster keeps which id: each id asks for the cluster with most of it, which takes the largest."""
    asked = votes.sort(-pl.col("votes").cast(pl.Int64), "cluster_id").unique(
        "persistent_id", keep="first", maintain_order=True
    )
    kept = asked.sort(-pl.col("votes").cast(pl.Int64), "persistent_id").unique(
        "cluster_id", keep="first", maintain_order=True
    )
    return kept.select("cluster_id", "persistent_id")


def _tracked(today: pl.DataFrame, former: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    """Clusters of two or more, and single profiles that were in one; size and newcomers of each."""
    known = former.select(profile_id="today_id").unique()
    newcomer = today.join(known, on="profile_id", how="anti").group_by("cluster_id").len("newcomers")
    sized = today.group_by("cluster_id").len("size").join(newcomer, on="cluster_id", how="left")
    voted = pl.col("cluster_id").is_in(votes["cluster_id"].unique().implode())
    return sized.filter((pl.col("size") > 1) | voted).with_columns(pl.col("newcomers").fill_null(0))


def _told(named: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    places = votes.group_by("persistent_id").len("places")
    formers = (
        votes.join(places, on="persistent_id")
        .group_by("cluster_id")
        .agg(pl.col("persistent_id").sort().alias("former_ids"), (pl.col("places") > 1).any().alias("split"))
    )
    told = named.join(formers, on="cluster_id", how="left")
    change = (
        pl.when(pl.col("former_ids").is_null())
        .then(pl.lit("new"))
        .when(pl.col("former_ids").list.len() > 1)
        .then(pl.lit("joined"))
        .when("split")
        .then(pl.lit("split"))
        .when(pl.col("newcomers") > 0)
        .then(pl.lit("grown"))
        .otherwise(pl.lit("kept"))
    )
    return told.select(
        "persistent_id",
        "cluster_id",
        change.alias("change"),
        pl.col("former_ids").fill_null(pl.lit([], pl.List(pl.String))),
        pl.col("size").cast(pl.UInt32),
        pl.col("newcomers").cast(pl.UInt32),
    )


def _gone(seats: pl.DataFrame, votes: pl.DataFrame) -> pl.DataFrame:
    """Ids whose members were there and have all left the domain."""
    left = (
        seats.filter("present").select("persistent_id").unique().join(votes, on="persistent_id", how="anti")
    )
    return left.select(
        "persistent_id",
        pl.lit(None, pl.String).alias("cluster_id"),
        pl.lit("gone").alias("change"),
        pl.concat_list("persistent_id").alias("former_ids"),
        pl.lit(0, pl.UInt32).alias("size"),
        pl.lit(0, pl.UInt32).alias("newcomers"),
    )


def _moved(seats: pl.DataFrame, today: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Members whose id or presence is not as the ledger has it, the merged-away with their survivor's."""
    now = named.select("cluster_id", now_id="persistent_id")
    known = seats.join(now, on="cluster_id", how="left").select(
        "profile_id",
        pl.coalesce("now_id", "persistent_id").alias("persistent_id"),
        pl.col("cluster_id").is_not_null().alias("present"),
        (
            (pl.col("now_id") != pl.col("persistent_id")).fill_null(value=False)
            | (pl.col("cluster_id").is_not_null() != pl.col("present"))
        ).alias("differs"),
    )
    first = today.join(now, on="cluster_id").join(seats, on="profile_id", how="anti")
    rows = [
        known.filter("differs").drop("differs"),
        first.select("profile_id", persistent_id="now_id", present=pl.lit(value=True)),
    ]
    return pl.concat(rows).sort("profile_id")
