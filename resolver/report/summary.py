"""What one run concluded, as figures and examples: the content of report.json.

Figures hold no personal data. Examples do (they show whole profiles) and stand apart under ``examples``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.frames import BANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resolver.model.merge_plan import MergePlan

SCHEMA_VERSION = 1


def summarise_pairs(pairs: pl.DataFrame, profiles: int) -> dict[str, Any]:
    """Candidate pairs: how many, by band, and per profile."""
    return {
        "candidates": pairs.height,
        "per_profile": round(pairs.height / profiles, 2) if profiles else 0.0,
        "by_band": _by_band(pairs["band"]),
    }


def summarise_clusters(clusters: pl.DataFrame) -> dict[str, Any]:
    """Clusters of two or more profiles: how many, by band and by size."""
    shared = clusters.filter(pl.col("size") > 1)
    heads = shared.unique("cluster_id")
    sizes = heads.group_by("size").len().sort("size")
    return {
        "customers": clusters["cluster_id"].n_unique(),
        "of_two_or_more": heads.height,
        "profiles_in_them": shared.height,
        "by_band": _by_band(heads["band"]),
        "by_size": {str(size): count for size, count in sizes.iter_rows()},
    }


def summarise_plans(plans: Sequence[MergePlan]) -> dict[str, Any]:
    """Merge plans: how many by band, what they remove, what they give up, and why some need a person."""
    bands = Counter(plan.band for plan in plans)
    return {
        "merge": bands["merge"],
        "review": bands["review"],
        "profiles_merged_away": sum(len(p.merged_profile_ids) for p in plans if p.band == "merge"),
        "values_given_up": sum(len(p.given_up) for p in plans if p.band == "merge"),
        "review_reasons": dict(
            Counter(r for p in plans if p.band == "review" for r in p.reasons).most_common()
        ),
    }


def summarise_opinion(table: pl.DataFrame) -> dict[str, Any]:
    """Agreement with GetMatches: clusters (or, for aws_only, groups) by relation, groups, age in days."""
    units = table.with_columns(unit=pl.coalesce("cluster_id", "match_id")).unique(["unit", "relation"])
    ages = table["age_days"].drop_nulls()
    return {
        "groups": table["match_id"].drop_nulls().n_unique(),
        "relations": dict(units.group_by("relation").len().sort("relation").iter_rows()),
        "age_days": ages[0] if len(ages) else None,
    }


def pick_examples(plans: Sequence[MergePlan], how_many: int = 3) -> list[MergePlan]:
    """A few plans worth showing: different kinds first, then the larger, then by id.

    The kinds are a merge of three or more, a merge with values given up, a review, a company.
    """
    kinds: tuple[Callable[[MergePlan], bool], ...] = (
        lambda p: p.band == "merge" and len(p.profile_ids) > 2,  # noqa: PLR2004 - more than a pair
        lambda p: p.band == "review",
        lambda p: p.band == "merge" and "BusinessName" in p.predicted,
        lambda p: p.band == "merge",
    )
    picked: list[MergePlan] = []
    ordered = sorted(plans, key=lambda p: (abs(len(p.profile_ids) - 3), p.plan_id))
    for wanted in kinds:
        found = next((p for p in ordered if wanted(p) and p not in picked), None)
        if found is not None and len(picked) < how_many:
            picked.append(found)
    return picked


def _by_band(bands: pl.Series) -> dict[str, int]:
    counts = Counter(bands.to_list())
    return {band: counts[band] for band in reversed(BANDS) if counts[band] or band != "distinct"}
