"""GoldenMatch, as its README's first example: no configuration at all.

https://github.com/benseverndev-oss/goldenmatch: ``goldenmatch.dedupe_df(frame)``. It refuses a file where it
is not sure of the configuration that it worked out; that is then its answer.
"""

from __future__ import annotations

import goldenmatch
import polars as pl
from records import Given, run


def cluster(task: Given) -> pl.DataFrame:
    """Its zero-config run; rows are numbered in the order of the frame."""
    return members(
        goldenmatch.dedupe_df(task.records.drop("profile_id")), task.records["profile_id"].to_list()
    )


def members(result: goldenmatch.DedupeResult, ids: list[str]) -> pl.DataFrame:
    """profile_id and cluster_id of its clusters of two or more."""
    rows = [(ids[row], str(name)) for name, one in result.clusters.items() for row in one["members"]]
    return pl.DataFrame(rows, schema=["profile_id", "cluster_id"], orient="row")


if __name__ == "__main__":
    run(cluster)
