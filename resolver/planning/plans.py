"""Clusters to merge plans: what would be asked of the store, what would be left, and who may say go."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from resolver.model.frames import CLUSTERS, FIELD_CHOICES, PROFILES, conform, empty
from resolver.planning.bands import CLUSTER_DOUBTS
from resolver.planning.collecting import without_collector
from resolver.planning.group_plan import Planner, PlanningRules, plan_group
from resolver.planning.groups import FILL, Group, check_ids, group_clusters, group_links, groups_of
from resolver.planning.members import Member, gather
from resolver.planning.plan_columns import BATCH, plan_columns, takes_columns
from resolver.planning.plan_table import PLANS, plan_from_row, plans_to_frame
from resolver.planning.preferences import references
from resolver.planning.second_opinion import SECOND_OPINION, compare_with_matches, has_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.merge_plan import MergePlan
    from resolver.model.survivorship_policy import Survivorship
    from resolver.planning.sheet import Ints

#: So few groups are planned one by one: columns have a price of their own.
FEW: Final = 100
_THREADS: Final = 2


@dataclass(frozen=True)
class Plans:
    """All that planning concluded.

    ``table`` is a PLANS frame. ``field_choices`` is a FIELD_CHOICES frame of the fields that a golden record
    does not simply have from its main profile: disputed ones and filled blanks, for each whole cluster.
    ``second_opinion`` is a SECOND_OPINION frame.
    """

    table: pl.DataFrame
    field_choices: pl.DataFrame
    second_opinion: pl.DataFrame

    @cached_property
    def plans(self) -> tuple[MergePlan, ...]:
        """Every plan, read from the table when first asked for: a large run needs few of them."""
        return tuple(self.read(self.table))

    def of_band(self, band: str) -> tuple[MergePlan, ...]:
        """The plans of one band."""
        return tuple(self.read(self.table.filter(pl.col("band") == band)))

    @staticmethod
    @without_collector()
    def read(rows: pl.DataFrame) -> list[MergePlan]:
        """The plans of some rows of the table."""
        return [plan_from_row(row) for row in rows.iter_rows(named=True)]


@without_collector()
def plan_merges(
    profiles: pl.DataFrame, clusters: pl.DataFrame, rules: PlanningRules, facts: DomainFacts
) -> Plans:
    """One ``merge`` plan for every core of two or more whose band allows, ``review`` plans for the rest.

    A cluster of several cores also gets a review plan of all its profiles, after the plans of its cores. A
    plan goes to review with its reason when the rules do not allow its doubts. With the second opinion as
    evidence, match groups that link profiles of different clusters become review plans too
    (``cluster_id`` is then ``match:<MatchId>``). Same input, same plans, in any row order.

    ``profiles`` is a PROFILES frame, ``clusters`` a CLUSTERS frame, which may also carry the boolean columns
    ``bridge_held`` and ``shared_contact_only``.

    Raises:
        BadFrame: a column is missing, a profile is named twice, or a cluster names an unknown profile.
    """
    profiles, clusters = conformed(profiles, clusters)
    with ThreadPoolExecutor(1) as pool:
        check = pool.submit(check_ids, profiles, clusters)
        try:
            planner, groups = prepared(profiles, clusters, rules, facts)
        finally:
            check.result()  # what is wrong with the frames is to be told first
    opinion = rules.second_opinion
    asked = opinion.policy != "ignore" and has_run(facts)
    table = compare_with_matches(clusters, facts) if asked else empty(SECOND_OPINION)
    links = group_links(table, facts, profiles["profile_id"]) if opinion.policy == "evidence" else []
    plans, choices = plan_groups(planner, profiles, groups, few=FEW)
    of_links = _plans_of_links(with_members(planner, profiles, links), links, plans)
    return Plans(pl.concat([plans, plans_to_frame(of_links)]), choices, table)


def checked(profiles: pl.DataFrame, clusters: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two frames of ``plan_merges``, with the columns that planning reads.

    Raises:
        BadFrame: as there.
    """
    profiles, clusters = conformed(profiles, clusters)
    check_ids(profiles, clusters)
    return profiles, clusters


def conformed(profiles: pl.DataFrame, clusters: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same, but for what their ids are checked for."""
    flags = [name for name in CLUSTER_DOUBTS if name in clusters.columns]
    return conform(profiles, PROFILES), conform(clusters, CLUSTERS).with_columns(clusters.select(flags))


def prepared(
    profiles: pl.DataFrame, clusters: pl.DataFrame, rules: PlanningRules, facts: DomainFacts
) -> tuple[Planner, pl.DataFrame]:
    """What all plans share, and the GROUPS to plan, of ``checked`` frames."""
    planner = Planner(rules, rules.fingerprint, facts, in_its_region(rules), {}, references(profiles))
    return planner, group_clusters(clusters, facts, rules.second_opinion)


def plan_groups(
    planner: Planner, profiles: pl.DataFrame, groups: pl.DataFrame, *, few: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The PLANS rows of a GROUPS frame, in its order, and the FIELD_CHOICES of the clusters.

    Up to ``few`` groups are planned one by one, more of them in columns where columns may; the plans are the
    same.
    """
    by_columns = groups.height > few and takes_columns(planner)
    rows = _rows_of(groups, profiles) if by_columns else None
    ends = np.cumsum(groups["profile_ids"].list.len().to_numpy(), dtype=np.int64)
    rounds = -(-groups.height // (BATCH * _THREADS))
    size = -(-groups.height // (rounds * _THREADS)) if rounds else 0  # none is left waiting for another

    def made(start: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        batch = groups.slice(start, size)
        own = None
        if rows is not None:
            own = rows[ends[start - 1] if start else 0 : ends[start + batch.height - 1]]
        return _plan_batch(planner, profiles, batch, own)

    with ThreadPoolExecutor(_THREADS) as pool:  # Polars and numpy release the lock
        done = list(pool.map(made, range(0, groups.height, size or 1)))
        choices = pl.concat([empty(FIELD_CHOICES), *(chosen for _, chosen in done)])
        ordered = pool.submit(choices.sort, "cluster_id", "field")
        table = _in_sequence(pl.concat([empty(PLANS), *(plans for plans, _ in done)]), groups)
        return table, ordered.result()


def _plan_batch(
    planner: Planner, profiles: pl.DataFrame, groups: pl.DataFrame, rows: Ints | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """PLANS and FIELD_CHOICES rows of some groups; without ``rows`` all are planned one by one."""
    done = np.zeros(groups.height, np.bool_)
    tables, choices = [], []
    if rows is not None:
        drawn = plan_columns(planner, profiles, groups, rows)
        done = drawn.done
        tables, choices = [drawn.table], [drawn.field_choices]
    left = groups_of(groups.filter(pl.Series(~done)))
    careful = with_members(planner, profiles, left)
    plans = [plan_group(careful, group, ()) for group in left]
    golden = groups["golden"].filter(pl.Series(~done))
    chosen = [plan for plan, is_golden in zip(plans, golden, strict=True) if is_golden]
    table = pl.concat([*tables, plans_to_frame(plans)])
    places = np.concatenate([np.flatnonzero(done), np.flatnonzero(~done)])
    return table[np.argsort(places)], pl.concat([*choices, _field_choices(chosen, careful.members)])


def _in_sequence(table: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The plans of whole clusters named after those of their cores, ids ascending."""
    wholes = groups["whole"].to_numpy()
    if not wholes.any():
        return table
    ids = table.select("cluster_id", "plan_id", pl.Series("whole", wholes))
    cores = ids.filter(~pl.col("whole")).group_by("cluster_id").agg(pl.col("plan_id").sort().alias("earlier"))
    found = ids.join(cores, on="cluster_id", how="left", maintain_order="left")
    nothing = pl.lit([], pl.List(pl.String))
    after = pl.when("whole").then(pl.col("earlier").fill_null(nothing)).otherwise(nothing)
    return table.with_columns(found.select(after.alias("after")).to_series())


def _rows_of(groups: pl.DataFrame, profiles: pl.DataFrame) -> Ints:
    """The row of every member of every group, group by group."""
    wanted = groups.select(pl.col("profile_ids").explode(empty_as_null=False).alias("profile_id"))
    rows = profiles.select("profile_id").with_row_index("row")
    return (
        wanted.join(rows, on="profile_id", how="left", maintain_order="left")["row"]
        .to_numpy()
        .astype(np.int64)
    )


def with_members(planner: Planner, profiles: pl.DataFrame, groups: Iterable[Group]) -> Planner:
    """The planner with the profiles that plans of those groups may touch."""
    ids = {profile_id for group in groups for profile_id in group.profile_ids}
    if not ids:
        return replace(planner, members={})
    rows = profiles.filter(pl.col("profile_id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode()))
    objects = planner.facts.objects.join(rows.select("profile_id"), on="profile_id", how="semi")
    members = {m.profile_id: m for m in gather(rows, planner.survivorship, objects)}
    return replace(planner, members=members)


def in_its_region(rules: PlanningRules) -> Survivorship:
    """The survivorship section with the country that its phone numbers are read in."""
    region = rules.survivorship.phone_region or rules.default_region
    return rules.survivorship.model_copy(update={"phone_region": region})


def _plans_of_links(planner: Planner, links: Sequence[Group], plans: pl.DataFrame) -> list[MergePlan]:
    """Review plans of links that only the store sees, each after all ``plans`` (PLANS) on its profiles."""
    if not links:
        return []
    earlier: dict[str, list[str]] = {}
    wanted = pl.DataFrame({"id": sorted(planner.members)}, schema={"id": pl.String})
    ids = pl.concat_list("main_profile_id", "merged_profile_ids").alias("id")
    on_them = plans.select("plan_id", ids).explode("id").join(wanted, on="id", how="semi")
    for plan_id, profile_id in on_them.select("plan_id", "id").iter_rows():
        earlier.setdefault(profile_id, []).append(plan_id)
    made = []
    for link in links:
        plan = plan_group(
            planner, link, tuple(sorted({p for i in link.profile_ids for p in earlier.get(i, ())}))
        )
        for profile_id in link.profile_ids:
            earlier.setdefault(profile_id, []).append(plan.plan_id)
        made.append(plan)
    return made


def _field_choices(plans: Iterable[MergePlan], members: Mapping[str, Member]) -> pl.DataFrame:
    """FIELD_CHOICES rows: disputed fields with their rule, and blanks that others fill."""
    rows: list[tuple[str, str, str, str, str]] = []
    for plan in plans:
        if not plan.steps:
            continue
        rows += [
            (plan.cluster_id, c.field, c.source_profile_id, _text(c.value), c.strategy)
            for c in plan.field_choices
        ]
        told = {c.field for c in plan.field_choices} | members[plan.main_profile_id].values.keys()
        for profile_id in plan.merged_profile_ids:
            for name, value in members[profile_id].values.items():
                if name not in told:
                    told.add(name)
                    rows.append((plan.cluster_id, name, profile_id, _text(value), FILL))
    return pl.DataFrame(rows, schema=FIELD_CHOICES.columns, orient="row")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False) if isinstance(value, dict) else value
