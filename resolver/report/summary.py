"""What one run concluded, as figures: the content of report.json. No personal data."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.frames import BANDS

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    heads = shared.filter(pl.col("profile_id") == pl.col("cluster_id"))  # the smallest id of its members
    sizes = heads.group_by("size").len().sort("size")
    return {
        "customers": heads.height + clusters.height - shared.height,
        "of_two_or_more": heads.height,
        "profiles_in_them": shared.height,
        "by_band": _by_band(heads["band"]),
        "by_size": {str(size): count for size, count in sizes.iter_rows()},
    }


def summarise_plans(plans: pl.DataFrame) -> dict[str, Any]:
    """Merge plans (PLANS): how many by band, what they remove and give up, why some need a person."""
    bands = Counter(plans["band"].to_list())
    ready = plans.filter(pl.col("band") == "merge")
    held = plans.filter(pl.col("band") == "review")
    return {
        "merge": bands["merge"],
        "review": bands["review"],
        "profiles_merged_away": int(ready["merged_profile_ids"].list.len().sum()),
        "values_given_up": int(ready["given_up"].sum()),
        "review_reasons": dict(Counter(held["reasons"].explode().drop_nulls().to_list()).most_common()),
    }


def summarise_opinion(table: pl.DataFrame) -> dict[str, Any]:
    """Agreement with the store's own matches: clusters (or, for aws_only, groups) by relation, age in days.

    ``groups`` counts those of its model and of its rules, ``by_rules`` the latter; the age is the model's.
    """
    units = table.with_columns(unit=pl.coalesce("cluster_id", "match_id")).unique(["unit", "relation"])
    ages = table["age_days"].drop_nulls()
    return {
        "groups": table["match_id"].drop_nulls().n_unique(),
        "by_rules": table.filter(pl.col("rule_level").is_not_null())["match_id"].n_unique(),
        "relations": dict(units.group_by("relation").len().sort("relation").iter_rows()),
        "age_days": ages[0] if len(ages) else None,
    }


def pick_examples(plans: pl.DataFrame, how_many: int = 3) -> list[tuple[str, str]]:
    """A few plans (PLANS) worth showing, as (plan id, cluster id).

    Different kinds first, then near to three profiles, then by id. The kinds are a merge of three or more, a
    review, a company, any merge.
    """
    size = pl.col("merged_profile_ids").list.len().cast(pl.Int64) + 1
    ordered = plans.select("plan_id", "cluster_id", "band", "predicted", size.alias("size")).sort(
        (pl.col("size") - 3).abs(), "plan_id"
    )
    merges = ordered.filter(pl.col("band") == "merge")
    companies = merges.filter(pl.col("predicted").str.contains('"BusinessName":', literal=True))
    kinds: tuple[Iterable[dict[str, Any]], ...] = (
        merges.filter(pl.col("size") > 2).iter_rows(named=True),  # noqa: PLR2004 - more than a pair
        ordered.filter(pl.col("band") == "review").iter_rows(named=True),
        (row for row in companies.iter_rows(named=True) if "BusinessName" in json.loads(row["predicted"])),
        merges.iter_rows(named=True),
    )
    picked: list[tuple[str, str]] = []
    for rows in kinds:
        names = ((row["plan_id"], row["cluster_id"]) for row in rows)
        found = next((name for name in names if name not in picked), None)
        if found is not None and len(picked) < how_many:
            picked.append(found)
    return picked


def _by_band(bands: pl.Series) -> dict[str, int]:
    counts: Counter[str] = Counter(dict(bands.value_counts().iter_rows()))
    return {band: counts[band] for band in reversed(BANDS) if counts[band] or band != "distinct"}
