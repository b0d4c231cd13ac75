"""Why a run joined the profiles of its examples, and why it did not join what only GetMatches does."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.matching.explanation import explain_cluster, explain_pair
from resolver.report.summary import pick_examples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.running import Concluded
    from resolver.planning.plans import Plans

#: Links of an example that are put into words, the strongest first.
EXPLAINED_LINKS: Final = 3
#: Cluster ids of plans that rest on a match group alone begin so; so many of them are explained.
MATCH_GROUP: Final = "match:"
EXPLAINED_GROUPS: Final = 200


def ids_to_explain(clusters: pl.DataFrame, planning: Plans) -> set[str]:
    """The profiles that ``explain_examples`` and ``explain_aws_only`` speak of, and some more."""
    known = clusters.select("cluster_id").unique()
    table = planning.table.join(known, on="cluster_id", how="semi", maintain_order="left")
    shown = [cluster_id for _, cluster_id in pick_examples(table)]
    ids = set(clusters.filter(pl.col("cluster_id").is_in(shown))["profile_id"])
    groups = planning.table.filter(pl.col("cluster_id").str.starts_with(MATCH_GROUP))
    for plan in planning.read(groups.head(EXPLAINED_GROUPS)):
        ids.update(plan.profile_ids)
    return ids


def explain_examples(concluded: Concluded) -> list[dict[str, Any]]:
    """A few plans of different kinds and why their profiles were joined: weights, no values."""
    known = concluded.linkage.clusters.select("cluster_id").unique()
    examples = []
    for plan_id, cluster_id in pick_examples(
        concluded.planning.table.join(known, on="cluster_id", how="semi", maintain_order="left")
    ):
        cluster = explain_cluster(concluded.linkage, concluded.profiles, cluster_id)
        links = [
            {
                "left": left,
                "right": right,
                "why": explain_pair(concluded.linkage, concluded.profiles, (left, right)).sentence,
            }
            for left, right, _ in cluster.links[:EXPLAINED_LINKS]
        ]
        examples.append({"plan_id": plan_id, "held_together": cluster.sentence, "links": links})
    return examples


def explain_aws_only(concluded: Concluded) -> list[dict[str, Any]]:
    """Why matching did not link what only GetMatches links: weights, no values.

    Of each group one pair for every two of our clusters that it would join, ids ascending.
    """
    told: list[dict[str, Any]] = []
    if concluded.linkage.answer is None:
        return told  # nothing was compared: no weights to tell
    cluster_of = dict(concluded.linkage.clusters.select("profile_id", "cluster_id").iter_rows())
    table = concluded.planning.table
    for plan in concluded.planning.read(table.filter(pl.col("cluster_id").str.starts_with(MATCH_GROUP))):
        if len(told) < EXPLAINED_GROUPS:
            for left, right in pairs_between(plan.profile_ids, cluster_of):
                explained = explain_pair(concluded.linkage, concluded.profiles, (left, right))
                told.append(
                    {"plan_id": plan.plan_id, "left": left, "right": right, "why_not": explained.sentence}
                )
    return told


def pairs_between(profile_ids: Sequence[str], cluster_of: Mapping[str, str]) -> list[tuple[str, str]]:
    """The smallest member of each of our clusters in the group, paired with that of every other."""
    heads: dict[str, str] = {}
    for profile_id in sorted(profile_ids):
        heads.setdefault(cluster_of[profile_id], profile_id)
    return list(combinations(heads.values(), 2))
