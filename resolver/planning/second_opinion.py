"""Our clusters beside the match groups of the store's own Identity Resolution: where they agree or not.

Groups of its weekly model (GetMatches) and of the domain's own matching rules, where these are on, count
alike: what any of them links, the store links; what none links, it does not. A group's confidence score
belongs to the group and is relative: it is shown, never used as a probability. Neither side is the truth; the
table is for triage and trust.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.model.frames import Schema

if TYPE_CHECKING:
    from datetime import datetime

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.survivorship_policy import SecondOpinion

#: What the two sides say of the same profiles.
RELATIONS: Final = (
    "same",  # one group, the same profiles
    "ours_only",  # no group links any two of the cluster's profiles
    "aws_only",  # the group's profiles are all in different clusters of ours
    "split",  # the groups link fewer of the cluster's profiles, and no others
    "joined",  # the group holds the whole cluster and further profiles
    "differently",  # each side links what the other does not
)
NO_RUN: Final = "no_run"
IGNORED: Final = "ignored"
Relation = pl.Enum(RELATIONS)

#: One row for each cluster of several profiles and group that share a profile, for each such cluster without
#: a group (``match_id`` null) and for each group without such a cluster (``cluster_id`` null). ``relation``
#: is the cluster's view of all its groups where there is a cluster. ``new_links`` marks groups that link
#: profiles of different clusters.
SECOND_OPINION: Final = Schema(
    "second opinion",
    {
        "cluster_id": pl.String,
        "match_id": pl.String,
        "relation": Relation,
        "size_ours": pl.UInt32,
        "size_aws": pl.UInt32,
        "size_shared": pl.UInt32,
        "confidence_score": pl.Float64,
        "rule_level": pl.UInt8,
        "new_links": pl.Boolean,
        "age_days": pl.Float64,
    },
)


def compare_with_matches(clusters: pl.DataFrame, facts: DomainFacts) -> pl.DataFrame:
    """The SECOND_OPINION table of all clusters and groups, sorted by cluster, then group."""
    groups = known_groups(facts.match_groups, clusters["profile_id"])
    units = clusters.select(pl.col("cluster_id").alias("unit"), "profile_id")
    of_group = groups.join(units, on="profile_id", how="left")
    new_links = of_group.group_by("match_id").agg((pl.col("unit").n_unique() > 1).alias("new_links"))
    units = units.filter(pl.len().over("unit") > 1)
    pairs = _overlaps(units, groups)
    scores = groups.group_by("match_id").agg(
        pl.col("confidence_score").max(), pl.col("rule_level").max(), pl.len().alias("size_aws")
    )
    ours = (
        pairs.join(scores.drop("size_aws"), on="match_id", how="left")
        .join(relations(units, groups), on="unit", how="left")
        .rename({"unit": "cluster_id"})
    )
    alone = scores.join(pairs, on="match_id", how="anti").with_columns(relation=pl.lit("aws_only", Relation))
    table = pl.concat([ours, alone], how="diagonal").join(new_links, on="match_id", how="left")
    of_model = pl.col("rule_level").is_null() & pl.col("match_id").is_not_null()
    table = table.with_columns(
        age_days=pl.when(of_model).then(pl.lit(age_days(facts), pl.Float64)),
        size_shared=pl.col("size_shared").fill_null(0),
    )
    return table.select(pl.col(name).cast(dtype) for name, dtype in SECOND_OPINION.columns.items()).sort(
        "cluster_id", "match_id", nulls_last=True
    )


def known_groups(groups: pl.DataFrame, profile_ids: pl.Series) -> pl.DataFrame:
    """Groups reduced to profiles that we hold; those left with fewer than two say nothing.

    Stale groups still list profiles that were merged away since.
    """
    if "rule_level" not in groups.columns:
        groups = groups.with_columns(rule_level=pl.lit(None, pl.UInt8))
    known = groups.filter(pl.col("profile_id").is_in(profile_ids.implode())).unique(
        ["match_id", "profile_id"]
    )
    return known.filter(pl.len().over("match_id") > 1)


def relations(units: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """What the groups say of each unit (columns unit, profile_id; two profiles or more): unit, relation."""
    pairs = _overlaps(units, groups)
    views = pairs.group_by("unit").agg(
        pl.col("size_ours").first(),
        pl.col("size_shared").max().alias("linked"),
        (pl.col("size_aws") > pl.col("size_shared")).any().alias("others"),
        pl.col("match_id").null_count().alias("none"),
    )
    whole = pl.col("linked") == pl.col("size_ours")
    relation = (
        pl.when((pl.col("none") > 0) | ((pl.col("linked") < 2) & ~pl.col("others")))  # noqa: PLR2004 - a link has two ends
        .then(pl.lit("ours_only"))
        .when(whole)
        .then(pl.when("others").then(pl.lit("joined")).otherwise(pl.lit("same")))
        .when("others")
        .then(pl.lit("differently"))
        .otherwise(pl.lit("split"))
    )
    return views.select("unit", relation.cast(Relation).alias("relation"))


def has_run(facts: DomainFacts) -> bool:
    """Whether there is a second opinion at all."""
    return facts.matches_generated_at is not None or facts.rule_matching or facts.match_groups.height > 0


def age_days(facts: DomainFacts) -> float | None:
    """Days between the matching run and the reading of the facts; None when either time is unknown."""
    if facts.matches_generated_at is None or facts.read_at is None:
        return None
    return _days(facts.matches_generated_at, facts.read_at)


def objection(relation: str, facts: DomainFacts, rules: SecondOpinion) -> str | None:
    """Why the second opinion keeps a plan from running unattended, in words; None when it does not.

    What rules find is as of now: an age is asked of the model's run, where there was one.
    """
    if rules.policy != "require_agreement":
        return None
    age = age_days(facts)
    if relation == NO_RUN:
        return "agreement with GetMatches is required, and it holds no run"
    by_rules_alone = facts.rule_matching and facts.matches_generated_at is None
    if not by_rules_alone and (age is None or age > rules.max_age_days):
        limit = f"{rules.max_age_days:g} days old or less"
        return f"agreement with GetMatches is required, and its run is not known to be {limit}"
    if relation in ("same", "joined"):
        return None
    who = "the domain's matching rules" if by_rules_alone else "GetMatches"
    return f"agreement with {who} is required, and it says: {relation}"


def _days(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds() / 86_400


def _overlaps(units: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """unit, match_id, size_ours, size_aws, size_shared: every overlap, and a null group for units without."""
    sized = units.with_columns(pl.len().over("unit").alias("size_ours"))
    aws = groups.select("match_id", "profile_id", pl.len().over("match_id").alias("size_aws"))
    joined = sized.join(aws, on="profile_id", how="left")
    pairs = joined.group_by("unit", "match_id").agg(
        pl.col("size_ours").first(), pl.col("size_aws").first(), pl.len().alias("size_shared")
    )
    met = pl.col("match_id").is_not_null()
    alone = ~met.any().over("unit")
    return pairs.filter(met | alone).with_columns(
        pl.when(met).then("size_shared").otherwise(0).alias("size_shared")
    )
