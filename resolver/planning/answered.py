"""Questions that people have answered: plans of the store's own matches that were decided against."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from resolver.planning.plans import Plans

#: How ``cluster_id`` begins where a plan comes from a match group of the store.
_OF_MATCHES = "match:"


def without_answered(planning: Plans, clusters: pl.DataFrame, decisions: pl.DataFrame) -> Plans:
    """The plans without those of match groups whose clusters people said are all different customers.

    ``decisions`` is a DECISIONS frame. A verdict on two profiles speaks of their clusters (CLUSTERS). A group
    with a pair of clusters that nobody decided is still asked about.
    """
    apart = decisions.filter(pl.col("verdict") == "non_match")
    asked = planning.table.filter(pl.col("cluster_id").str.starts_with(_OF_MATCHES))
    if apart.is_empty() or asked.is_empty():
        return planning
    cluster_of = dict(clusters.select("profile_id", "cluster_id").iter_rows())
    parted = {
        frozenset((cluster_of.get(left), cluster_of.get(right)))
        for left, right in apart.select("profile_id_left", "profile_id_right").iter_rows()
    }
    answered = []
    for plan_id, main, merged in asked.select("plan_id", "main_profile_id", "merged_profile_ids").iter_rows():
        together = sorted({cluster_of[profile_id] for profile_id in (main, *merged)})
        if all(frozenset(pair) in parted for pair in combinations(together, 2)):
            answered.append(plan_id)
    return replace(planning, table=planning.table.filter(~pl.col("plan_id").is_in(answered)))
