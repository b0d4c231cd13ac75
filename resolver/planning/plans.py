"""Clusters to merge plans: what would be asked of the store, what would be left, and who may say go."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.model.frames import CLUSTERS, FIELD_CHOICES, PROFILES, conform, empty
from resolver.planning.bands import CLUSTER_DOUBTS
from resolver.planning.collecting import without_collector
from resolver.planning.group_plan import Planner, PlanningRules, plan_group
from resolver.planning.groups import Group, check_ids, group_clusters, group_links
from resolver.planning.members import Member, gather
from resolver.planning.preferences import references
from resolver.planning.second_opinion import SECOND_OPINION, compare_with_matches, has_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.merge_plan import MergePlan
    from resolver.model.survivorship_policy import Survivorship

#: The rule of a field that only one value ever claimed.
FILL: Final = "fill"


@dataclass(frozen=True, slots=True)
class Plans:
    """All that planning concluded.

    ``field_choices`` is a FIELD_CHOICES frame of the fields that a golden record does not simply have from
    its main profile: disputed ones and filled blanks, for each whole cluster. ``second_opinion`` is a
    SECOND_OPINION frame.
    """

    plans: tuple[MergePlan, ...]
    field_choices: pl.DataFrame
    second_opinion: pl.DataFrame


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
    profiles = conform(profiles, PROFILES)
    flags = [name for name in CLUSTER_DOUBTS if name in clusters.columns]
    clusters = conform(clusters, CLUSTERS).with_columns(clusters.select(flags))
    check_ids(profiles, clusters)
    opinion = rules.second_opinion
    asked = opinion.policy != "ignore" and has_run(facts)
    table = compare_with_matches(clusters, facts) if asked else empty(SECOND_OPINION)
    links = group_links(table, facts, profiles["profile_id"]) if opinion.policy == "evidence" else []
    grouped = list(group_clusters(clusters, facts, opinion))
    everyone = [*(whole or cores[0] for cores, whole in grouped), *links]
    survivorship = in_its_region(rules)
    members = _members(profiles, everyone, survivorship, facts)
    planner = Planner(rules, rules.fingerprint, facts, survivorship, members, references(profiles))

    plans: list[MergePlan] = []
    golden: list[MergePlan] = []
    for cores, whole in grouped:
        of_cores = [plan_group(planner, core, ()) for core in cores]
        plans += of_cores
        if whole is not None:
            plans.append(plan_group(planner, whole, tuple(sorted(p.plan_id for p in of_cores))))
        golden.append(plans[-1])
    plans += _plans_of_links(planner, links, plans)
    return Plans(tuple(plans), _field_choices(golden, planner.members), table)


def in_its_region(rules: PlanningRules) -> Survivorship:
    """The survivorship section with the country that its phone numbers are read in."""
    region = rules.survivorship.phone_region or rules.default_region
    return rules.survivorship.model_copy(update={"phone_region": region})


def _members(
    profiles: pl.DataFrame, groups: Iterable[Group], rules: Survivorship, facts: DomainFacts
) -> dict[str, Member]:
    """The profiles that any plan may touch, by id."""
    ids = {profile_id for group in groups for profile_id in group.profile_ids}
    rows = profiles.filter(pl.col("profile_id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode()))
    objects = facts.objects.join(rows.select("profile_id"), on="profile_id", how="semi")
    return {m.profile_id: m for m in gather(rows, rules, objects)}


def _plans_of_links(planner: Planner, links: Sequence[Group], plans: Sequence[MergePlan]) -> list[MergePlan]:
    """Review plans of links that only the store sees, each after all plans on its profiles."""
    earlier: dict[str, list[str]] = {}
    wanted = {i for link in links for i in link.profile_ids}
    for plan in plans:
        for profile_id in wanted.intersection(plan.profile_ids):
            earlier.setdefault(profile_id, []).append(plan.plan_id)
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
    """A FIELD_CHOICES frame: disputed fields with their rule, and blanks that others fill."""
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
    return pl.DataFrame(rows, schema=FIELD_CHOICES.columns, orient="row").sort("cluster_id", "field")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False) if isinstance(value, dict) else value
