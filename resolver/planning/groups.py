"""The groups of profiles that planning looks at: cores, whole clusters, and links only the store sees."""

from __future__ import annotations

from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from resolver.errors import BadFrame
from resolver.planning.bands import BETWEEN_CORES, CLUSTER_DOUBTS
from resolver.planning.second_opinion import IGNORED, NO_RUN, has_run, known_groups, relations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.survivorship_policy import SecondOpinion


class Group(NamedTuple):
    """Profiles to be planned together, ids ascending; ``reasons`` already send it to review.

    ``main`` and ``sources`` (field → profile) are what a person chose; rules choose the rest. Without an
    ``opinion`` nobody asked for a second one.
    """

    cluster_id: str
    profile_ids: tuple[str, ...]
    band: str
    flags: frozenset[str] = frozenset()
    opinion: str = IGNORED
    reasons: tuple[str, ...] = ()
    main: str | None = None
    sources: Mapping[str, str] = MappingProxyType({})


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


def group_clusters(
    clusters: pl.DataFrame, facts: DomainFacts, rules: SecondOpinion
) -> Iterator[tuple[list[Group], Group | None]]:
    """Every cluster of several profiles: its cores worth a plan, and the whole where it has several cores.

    A cluster of one core has its profiles' band. In a cluster of several, each core of two or more is held
    together by evidence fit for an unattended merge (that is what a core is), whatever the whole cluster's
    band; doubts about the links between its cores are doubts about the whole only. A cluster that is
    ``distinct`` throughout gets no plan.
    """
    flags = [name for name in CLUSTER_DOUBTS if name in clusters.columns]
    several = clusters.filter(pl.len().over("cluster_id") > 1).sort("cluster_id", "core_id", "profile_id")
    cores = several.group_by("cluster_id", "core_id", maintain_order=True).agg(
        "profile_id",
        (pl.col("band") == "merge").all().alias("merge"),
        (pl.col("band") == "distinct").all().alias("distinct"),
        *[pl.col(name).fill_null(value=False).any() for name in flags],
    )
    opinions, silence = _opinions(clusters, several, facts, rules)
    plain: frozenset[str] = frozenset()
    for cluster_id, rows in groupby(cores.iter_rows(), key=lambda row: row[0]):
        of_cores, everyone, together = [], [], plain
        only_distinct = True
        count = 0
        for _, core_id, profile_ids, merge, distinct, *raised in rows:
            doubts = (
                frozenset(n for n, is_raised in zip(flags, raised, strict=True) if is_raised)
                if any(raised)
                else plain
            )
            count += 1
            only_distinct = only_distinct and distinct
            everyone += profile_ids
            together = together | doubts
            if len(profile_ids) > 1:
                opinion = opinions.get(f"core {cluster_id} {core_id}", silence)
                band = "merge" if merge else "review"
                of_cores.append(Group(cluster_id, tuple(profile_ids), band, doubts, opinion))
        if only_distinct:
            continue
        if count == 1:
            yield of_cores, None
            continue
        opinion = opinions.get(f"cluster {cluster_id}", silence)
        reason = f"{count} parts of the cluster are not held together by evidence fit for an unattended merge"
        whole = Group(cluster_id, tuple(sorted(everyone)), "review", together, opinion, (reason,))
        yield [g._replace(band="merge", flags=g.flags - BETWEEN_CORES) for g in of_cores], whole


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
        .agg(pl.col("profile_id").unique().sort())
        .sort("match_id")
        .unique("profile_id", keep="first", maintain_order=True)
    )
    apart = set(wanted.filter(pl.col("cluster_id").is_null())["match_id"])
    reason = "GetMatches links these profiles, and matching here did not"
    return [
        Group(
            f"match:{m}",
            tuple(ids),
            "review",
            opinion="aws_only" if m in apart else "joined",
            reasons=(reason,),
        )
        for m, ids in rows.iter_rows()
    ]


def _opinions(
    clusters: pl.DataFrame, several: pl.DataFrame, facts: DomainFacts, rules: SecondOpinion
) -> tuple[dict[str, str], str]:
    """What the second opinion says of each cluster and core, and what of those that it does not name."""
    if rules.policy == "ignore":
        return {}, IGNORED
    if not has_run(facts):
        return {}, NO_RUN
    groups = known_groups(facts.match_groups, clusters["profile_id"])
    touched = several.join(groups, on="profile_id", how="semi")
    named = several.join(touched, on="cluster_id", how="semi")
    cluster = pl.concat_str(pl.lit("cluster "), "cluster_id").alias("unit")
    core = pl.concat_str(pl.lit("core "), "cluster_id", pl.lit(" "), "core_id").alias("unit")
    of_cores = named.filter(pl.len().over("cluster_id", "core_id") > 1)
    units = pl.concat([named.select(cluster, "profile_id"), of_cores.select(core, "profile_id")])
    return dict(relations(units, groups).cast(pl.String).iter_rows()), "ours_only"
