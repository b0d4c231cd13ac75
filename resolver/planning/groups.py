"""The groups of profiles that planning looks at: cores, whole clusters, and links only the store sees."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from resolver.errors import BadFrame
from resolver.model.frames import Schema
from resolver.planning.bands import BETWEEN_CORES, CLUSTER_DOUBTS
from resolver.planning.second_opinion import IGNORED, NO_RUN, has_run, known_groups, relations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.survivorship_policy import SecondOpinion


class Group(NamedTuple):
    """Profiles to be planned together, ids ascending; ``reasons`` already send it to review.

    ``main``, ``sources`` (field → profile) and ``kept`` (field, profile: that value becomes an attribute
    before it is given up) are what a person chose; rules choose the rest. Without an ``opinion`` nobody asked
    for a second one.
    """

    cluster_id: str
    profile_ids: tuple[str, ...]
    band: str
    flags: frozenset[str] = frozenset()
    opinion: str = IGNORED
    reasons: tuple[str, ...] = ()
    main: str | None = None
    sources: Mapping[str, str] = MappingProxyType({})
    kept: frozenset[tuple[str, str]] = frozenset()


#: The rule of a field that only one value ever claimed.
FILL: Final = "fill"

#: One row a group, in the order of the plans: profile ids ascending, ``whole`` where the row is a cluster of
#: several cores, ``golden`` on the last row of each cluster, ``reason`` (null: none) what already sends it to
#: review, and a column for each doubt.
GROUPS: Final = Schema(
    "groups",
    {
        "cluster_id": pl.String,
        "profile_ids": pl.List(pl.String),
        "band": pl.String,
        "whole": pl.Boolean,
        "golden": pl.Boolean,
        "opinion": pl.String,
        "reason": pl.String,
        **dict.fromkeys(CLUSTER_DOUBTS, pl.Boolean),
    },
)


def check_ids(profiles: pl.DataFrame, clusters: pl.DataFrame) -> None:
    """Refuse frames that name a profile twice, or a cluster's profile that is not there."""
    for name, frame in (("profiles", profiles), ("clusters", clusters)):
        repeated = frame.height - frame["profile_id"].n_unique()
        if repeated:
            raise BadFrame(f"{name}: {repeated} repeated profile ids among {frame.height}")
    strangers = clusters.join(profiles.select("profile_id"), on="profile_id", how="anti")
    if strangers.height:
        first = strangers["profile_id"].sort()[0]
        raise BadFrame(f"clusters: {strangers.height} profiles are not in the profiles frame, e.g. {first}")


def group_clusters(clusters: pl.DataFrame, facts: DomainFacts, rules: SecondOpinion) -> pl.DataFrame:
    """A GROUPS frame: of every cluster of several profiles its cores worth a plan, then the whole.

    A whole stands there only where the cluster has several cores. A cluster of one core has its profiles'
    band. In a cluster of several, each core of two or more is held together by evidence fit for an unattended
    merge (that is what a core is), whatever the whole cluster's band; doubts about the links between its
    cores are doubts about the whole only. A cluster that is ``distinct`` throughout gets no plan.
    """
    several = clusters.filter(pl.len().over("cluster_id") > 1).sort("cluster_id", "core_id", "profile_id")
    raised = [
        pl.col(name).fill_null(value=False).any() if name in clusters.columns else pl.lit(False).alias(name)  # noqa: FBT003
        for name in CLUSTER_DOUBTS
    ]
    cores = several.group_by("cluster_id", "core_id", maintain_order=True).agg(
        "profile_id",
        (pl.col("band") == "merge").all().alias("merge"),
        (pl.col("band") == "distinct").all().alias("distinct"),
        *raised,
    )
    cores = cores.with_columns(pl.len().over("cluster_id").alias("cores")).with_row_index("place")
    cores = cores.filter(~pl.col("distinct").all().over("cluster_id"))
    opinions, silence = _opinions(clusters, several, facts, rules)
    groups = pl.concat([_of_cores(cores), _of_wholes(cores)]).sort("place", "whole")
    spoken = groups.join(opinions, on="unit", how="left", maintain_order="left")
    last = (pl.col("cluster_id") != pl.col("cluster_id").shift(-1)).fill_null(value=True)
    told = spoken.with_columns(pl.col("opinion").fill_null(silence), last.alias("golden"))
    return told.select(list(GROUPS.columns))


def _of_cores(cores: pl.DataFrame) -> pl.DataFrame:
    """The cores of two or more."""
    alone = pl.col("cores") == 1
    return cores.filter(pl.col("profile_id").list.len() > 1).select(
        "place",
        "cluster_id",
        pl.col("profile_id").alias("profile_ids"),
        pl.when(alone & ~pl.col("merge")).then(pl.lit("review")).otherwise(pl.lit("merge")).alias("band"),
        pl.lit(value=False).alias("whole"),
        *[(pl.col(n) & alone) if n in BETWEEN_CORES else pl.col(n) for n in CLUSTER_DOUBTS],
        pl.lit(None, pl.String).alias("reason"),
        pl.concat_str(pl.lit("core "), "cluster_id", pl.lit(" "), "core_id").alias("unit"),
    )


def _of_wholes(cores: pl.DataFrame) -> pl.DataFrame:
    """The clusters of several cores."""
    reason = " parts of the cluster are not held together by evidence fit for an unattended merge"
    return (
        cores.filter(pl.col("cores") > 1)
        .group_by("cluster_id", maintain_order=True)
        .agg(
            pl.col("place").last(),
            pl.col("profile_id").explode().sort().alias("profile_ids"),
            pl.len(),
            *[pl.col(n).any() for n in CLUSTER_DOUBTS],
        )
        .select(
            "place",
            "cluster_id",
            "profile_ids",
            pl.lit("review").alias("band"),
            pl.lit(value=True).alias("whole"),
            *CLUSTER_DOUBTS,
            pl.concat_str("len", pl.lit(reason)).alias("reason"),
            pl.concat_str(pl.lit("cluster "), "cluster_id").alias("unit"),
        )
    )


def groups_of(table: pl.DataFrame) -> list[Group]:
    """The rows of a GROUPS frame as groups."""
    return [
        Group(
            cluster_id,
            tuple(profile_ids),
            band,
            frozenset(n for n, is_raised in zip(CLUSTER_DOUBTS, raised, strict=True) if is_raised),
            opinion,
            () if reason is None else (reason,),
        )
        for cluster_id, profile_ids, band, _, _, opinion, reason, *raised in table.iter_rows()
    ]


def group_links(table: pl.DataFrame, facts: DomainFacts, known: pl.Series) -> list[Group]:
    """Match groups of the SECOND_OPINION table that link profiles of different clusters, one group each."""
    wanted = (
        table.filter("new_links").select("match_id", "cluster_id", "relation").unique("match_id", keep="any")
    )
    if not wanted.height:
        return []
    rows = (
        known_groups(facts.match_groups, known)
        .join(wanted.select("match_id"), on="match_id", how="semi")
        .group_by("match_id")
        .agg(pl.col("profile_id").unique().sort(), pl.col("rule_level").max())
        .sort("match_id")
        .unique("profile_id", keep="first", maintain_order=True)
    )
    apart = set(wanted.filter(pl.col("cluster_id").is_null())["match_id"])
    return [
        Group(
            f"match:{m}",
            tuple(ids),
            "review",
            opinion="aws_only" if m in apart else "joined",
            reasons=(_linked_there(level),),
        )
        for m, ids, level in rows.iter_rows()
    ]


def _linked_there(level: int | None) -> str:
    who = "GetMatches" if level is None else f"a matching rule of the domain (level {level})"
    return f"{who} links these profiles, and matching here did not"


def _opinions(
    clusters: pl.DataFrame, several: pl.DataFrame, facts: DomainFacts, rules: SecondOpinion
) -> tuple[pl.DataFrame, str]:
    """What the second opinion says of each cluster and core, and what of those that it does not name."""
    nobody = pl.DataFrame(schema={"unit": pl.String, "opinion": pl.String})
    if rules.policy == "ignore":
        return nobody, IGNORED
    if not has_run(facts):
        return nobody, NO_RUN
    groups = known_groups(facts.match_groups, clusters["profile_id"])
    touched = several.join(groups, on="profile_id", how="semi")
    named = several.join(touched, on="cluster_id", how="semi")
    cluster = pl.concat_str(pl.lit("cluster "), "cluster_id").alias("unit")
    core = pl.concat_str(pl.lit("core "), "cluster_id", pl.lit(" "), "core_id").alias("unit")
    of_cores = named.filter(pl.len().over("cluster_id", "core_id") > 1)
    units = pl.concat([named.select(cluster, "profile_id"), of_cores.select(core, "profile_id")])
    return relations(units, groups).cast(pl.String).rename({"relation": "opinion"}), "ours_only"
