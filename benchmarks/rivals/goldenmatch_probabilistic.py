"""GoldenMatch's probabilistic matching with the configuration that it works out itself.

Its documentation's ``auto_configure_probabilistic_df``: blocking and a Fellegi-Sunter match key from a look
at the columns, m and u by EM as it runs. No labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import goldenmatch
from goldenmatch_auto import members
from records import Given, run

if TYPE_CHECKING:
    import polars as pl


def cluster(task: Given) -> pl.DataFrame:
    """Its configuration, then its run."""
    frame = task.records.drop("profile_id")
    config = goldenmatch.auto_configure_probabilistic_df(frame)
    return members(goldenmatch.dedupe_df(frame, config=config), task.records["profile_id"].to_list())


if __name__ == "__main__":
    run(cluster)
