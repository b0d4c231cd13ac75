"""Clusters to merge plans: what would be asked of the store, what would be left, and who may say go."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from resolver.model.frames import CLUSTERS, FIELD_CHOICES, PROFILES, conform, empty
from resolver.model.merge_plan import FieldChoice, MergePlan
from resolver.model.profile import UNSTEERABLE
from resolver.planning.bands import CLUSTER_DOUBTS, doubts, losses, refusals
from resolver.planning.conservation import dispose
from resolver.planning.fingerprint import canonical_json, fingerprint_clean
from resolver.planning.groups import Group, check_ids, group_clusters, group_links
from resolver.planning.main_profile import choose_main
from resolver.planning.members import Member, gather, nested, object_count
from resolver.planning.second_opinion import SECOND_OPINION, compare_with_matches, has_run, objection
from resolver.planning.steps import lay_out_batches, lay_out_steps
from resolver.planning.survivorship import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.merge_plan import Disposal, MergeStep, PostStep
    from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
    from resolver.planning.conservation import Displaced

#: The rule of a field that only one value ever claimed.
FILL: Final = "fill"
#: The rule of a disputed field that a merge cannot steer: main's value, or that of the first call with one.
UNSTEERED: Final = "cannot be steered"


class PlanningRules(Protocol):
    """The part of a rule set that planning reads."""

    @property
    def survivorship(self) -> Survivorship:
        """Which value survives."""
        ...

    @property
    def merging(self) -> Merging:
        """What may run unattended."""
        ...

    @property
    def second_opinion(self) -> SecondOpinion:
        """What GetMatches counts for."""
        ...

    @property
    def preservation(self) -> Preservation:
        """Where values go that lose their field."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of the whole rule set; plans carry it and are refused under another one."""
        ...


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


@dataclass(slots=True)
class _Planner:
    """What the plans of one run share."""

    rules: PlanningRules
    facts: DomainFacts
    members: dict[str, Member]
    fingerprints: dict[str, str] = field(default_factory=dict)

    def fingerprint_of(self, member: Member) -> str:
        """The member's fingerprint, computed once a run."""
        known = self.fingerprints.get(member.profile_id)
        if known is None:
            known = self.fingerprints[member.profile_id] = fingerprint_clean(member.profile)
        return known


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
    planner = _Planner(
        rules,
        facts,
        _members(
            profiles, [*(whole or cores[0] for cores, whole in grouped), *links], rules.survivorship, facts
        ),
    )

    plans: list[MergePlan] = []
    golden: list[MergePlan] = []
    for cores, whole in grouped:
        of_cores = [_plan(planner, core, ()) for core in cores]
        plans += of_cores
        if whole is not None:
            plans.append(_plan(planner, whole, tuple(sorted(p.plan_id for p in of_cores))))
        golden.append(plans[-1])
    plans += _plans_of_links(planner, links, plans)
    return Plans(tuple(plans), _field_choices(golden, planner.members), table)


def _members(
    profiles: pl.DataFrame, groups: Iterable[Group], rules: Survivorship, facts: DomainFacts
) -> dict[str, Member]:
    """The profiles that any plan may touch, by id."""
    ids = {profile_id for group in groups for profile_id in group.profile_ids}
    rows = profiles.filter(pl.col("profile_id").is_in(pl.Series(sorted(ids), dtype=pl.String).implode()))
    objects = facts.objects.join(rows.select("profile_id"), on="profile_id", how="semi")
    return {m.profile_id: m for m in gather(rows, rules, objects)}


def _plan(planner: _Planner, group: Group, after: tuple[str, ...]) -> MergePlan:
    """The plan of one group; its band is ``merge`` only where nothing speaks against it."""
    rules = planner.rules
    members = [planner.members[i] for i in group.profile_ids]
    disputed = _disputed(members)
    main, main_reason = choose_main(members, disputed, rules.survivorship)
    others = [m for m in members if m is not main]
    refused = refusals(members, rules.merging)
    reasons = [*refused, *group.reasons, *doubts(group.flags, members, rules.merging)]
    objected = objection(group.opinion, planner.facts, rules.second_opinion)
    if objected:
        reasons.append(objected)
    values = main.values
    choices: dict[str, FieldChoice] = {}
    steps: tuple[MergeStep, ...] = ()
    disposals: tuple[Disposal, ...] = ()
    post_steps: tuple[PostStep, ...] = ()
    if not refused:
        choices = {f: _choice(f, members, main, rules.survivorship) for f in disputed}
        batches = lay_out_batches(main, others, choices)
        choices |= _unsteered(choices, main, batches)
        steps = lay_out_steps(main, batches, choices)
        values = _predict(main, others, choices)
        displaced = _displaced(main, others, choices)
        disposals, post_steps = dispose(displaced, main.profile_id, values, rules.preservation)
        reasons += losses(disposals, choices, values, rules.survivorship)
        others = [m for batch in batches for m in batch]
    plan = MergePlan(
        plan_id="",
        cluster_id=group.cluster_id,
        band="review" if reasons else group.band,
        main_profile_id=main.profile_id,
        main_reason=main_reason,
        merged_profile_ids=tuple(m.profile_id for m in others),
        steps=steps,
        field_choices=tuple(choices.values()),
        predicted=nested(main.profile_id, values),
        disposals=disposals,
        fingerprints={m.profile_id: planner.fingerprint_of(m) for m in members},
        reasons=tuple(reasons),
        second_opinion=group.opinion,
        rule_set_fingerprint=rules.fingerprint,
        after=after,
        post_steps=post_steps,
        object_count=object_count(members),
        domain_name=planner.facts.domain_name,
    )
    return replace(plan, plan_id=identify(plan))


def identify(plan: MergePlan) -> str:
    """The plan's id: a hash of whom it is about, what they held and what would be sent.

    Band and reasons are left out: a plan that only became less doubtful is the same plan.
    """
    content = [
        plan.domain_name,
        plan.rule_set_fingerprint,
        plan.cluster_id,
        plan.main_profile_id,
        sorted(plan.fingerprints.items()),
        [(s.merged_profile_ids, s.field_sources) for s in plan.steps],
        [(s.operation, s.request) for s in plan.post_steps],
    ]
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:32]


def _plans_of_links(planner: _Planner, links: Sequence[Group], plans: Sequence[MergePlan]) -> list[MergePlan]:
    """Review plans of links that only the store sees, each after all plans on its profiles."""
    earlier: dict[str, list[str]] = {}
    wanted = {i for link in links for i in link.profile_ids}
    for plan in plans:
        for profile_id in wanted.intersection(plan.profile_ids):
            earlier.setdefault(profile_id, []).append(plan.plan_id)
    made = []
    for link in links:
        plan = _plan(planner, link, tuple(sorted({p for i in link.profile_ids for p in earlier.get(i, ())})))
        for profile_id in link.profile_ids:
            earlier.setdefault(profile_id, []).append(plan.plan_id)
        made.append(plan)
    return made


def _disputed(members: Sequence[Member]) -> list[str]:
    """Fields in which two members hold different values, sorted."""
    seen = dict(members[0].values)
    disputed = {f for m in members[1:] for f, value in m.values.items() if seen.setdefault(f, value) != value}
    return sorted(disputed)


def _choice(name: str, members: Sequence[Member], main: Member, rules: Survivorship) -> FieldChoice:
    """The choice of one disputed field; main itself is the source where it holds the chosen value."""
    if name in UNSTEERABLE and name in main.values:
        return FieldChoice(name, main.profile_id, main.values[name], UNSTEERED)
    winner, rule = choose(name, members, main.profile_id, rules)
    source = main if main.values.get(name) == winner.value else winner.member
    return FieldChoice(name, source.profile_id, winner.value, rule)


def _unsteered(
    choices: Mapping[str, FieldChoice], main: Member, batches: Sequence[Sequence[Member]]
) -> dict[str, FieldChoice]:
    """Disputed fields that nothing steers and main lacks: the first call with a value fills them."""
    filled = {}
    for name in UNSTEERABLE:
        if name in choices and name not in main.values:
            holder = next(m for batch in batches for m in batch if name in m.values)
            filled[name] = FieldChoice(name, holder.profile_id, holder.values[name], UNSTEERED)
    return filled


def _predict(main: Member, others: Iterable[Member], choices: Mapping[str, FieldChoice]) -> dict[str, Any]:
    """The survivor's values; a test holds them to the simulation of the plan's steps."""
    values: dict[str, Any] = {}
    for member in others:
        values |= member.values
    values |= main.values
    values.update((name, choice.value) for name, choice in choices.items())
    return values


def _displaced(
    main: Member, others: Sequence[Member], choices: Mapping[str, FieldChoice]
) -> Iterator[Displaced]:
    """Every distinct value that loses its field, main's first."""
    for name, choice in choices.items():
        told = [choice.value]
        for member in (main, *others):
            value = member.values.get(name)
            if value is not None and value not in told:
                told.append(value)
                yield name, member.profile_id, value


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
