"""One group of profiles to one merge plan."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from resolver.model.canonical import canonical_json
from resolver.model.merge_plan import FieldChoice, MergePlan
from resolver.model.profile import MEMBER_ORDER, UNSTEERABLE
from resolver.planning.bands import doubts, outside_doubt, protected_losses, refusals, too_large, undecided
from resolver.planning.conservation import Keeping, dispose
from resolver.planning.identity import identify
from resolver.planning.main_profile import choose_main
from resolver.planning.members import Member, nested, object_count
from resolver.planning.preferences import outside_references, repoint
from resolver.planning.second_opinion import objection
from resolver.planning.simulation import simulate_post_steps
from resolver.planning.steps import lay_out_batches, lay_out_steps
from resolver.planning.survivorship import BY_PERSON, choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from resolver.model.domain_facts import DomainFacts
    from resolver.model.merge_plan import Disposal, MergeStep, PostStep
    from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
    from resolver.planning.conservation import Displaced
    from resolver.planning.groups import Group

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
    def default_region(self) -> str | None:
        """The country of phone numbers without a country code."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of the whole rule set; plans carry it and are refused under another one."""
        ...


@dataclass(frozen=True, slots=True)
class Planner:
    """What the plans of one run share.

    ``members`` by profile id, ``fingerprint`` of the rules; ``references``: who names a profile in its
    engagement preferences, by the profile named.
    """

    rules: PlanningRules
    fingerprint: str
    facts: DomainFacts
    survivorship: Survivorship
    members: Mapping[str, Member]
    references: Mapping[str, frozenset[str]]


class _Layout(NamedTuple):
    """What a merge would do, call by call; all blank where nobody may merge the profiles."""

    others: Sequence[Member]
    values: dict[str, Any]
    choices: Mapping[str, FieldChoice] = MappingProxyType({})
    steps: tuple[MergeStep, ...] = ()
    disposals: tuple[Disposal, ...] = ()
    post_steps: tuple[PostStep, ...] = ()


def plan_group(planner: Planner, group: Group, after: tuple[str, ...]) -> MergePlan:
    """The plan of one group; its band is ``merge`` only where nothing speaks against it."""
    rules = planner.rules
    members = [planner.members[i] for i in group.profile_ids]
    disputed = _disputed(members)
    main, main_reason = choose_main(members, disputed, planner.survivorship)
    if group.main is not None:
        main, main_reason = planner.members[group.main], BY_PERSON
    refused = refusals(members, rules.merging)
    nothing = _Layout([m for m in members if m is not main], main.values)
    layout = nothing if refused else _lay_out(planner, group, main, disputed)
    predicted = nested(main.profile_id, layout.values)
    if large := [] if refused else too_large(simulate_post_steps(predicted, layout.post_steps)):
        refused, layout, predicted = large, nothing, nested(main.profile_id, main.values)
    reasons = [*refused, *group.reasons, *doubts(group.flags, members, rules.merging)]
    reasons += objections(group, planner.facts, rules.second_opinion)
    reasons += _against(planner, group, layout)
    fingerprints = {m.profile_id: m.fingerprint for m in members}
    origin = (planner.facts.domain_name or "", planner.fingerprint, group.cluster_id, main.profile_id)
    return MergePlan(
        plan_id=identify(origin, fingerprints, layout.steps, layout.post_steps),
        cluster_id=group.cluster_id,
        band="review" if reasons else group.band,
        main_profile_id=main.profile_id,
        main_reason=main_reason,
        merged_profile_ids=tuple(m.profile_id for m in layout.others),
        steps=layout.steps,
        field_choices=tuple(layout.choices.values()),
        predicted=predicted,
        disposals=layout.disposals,
        fingerprints=fingerprints,
        reasons=tuple(reasons),
        second_opinion=group.opinion,
        rule_set_fingerprint=planner.fingerprint,
        after=after,
        post_steps=layout.post_steps,
        object_count=object_count(members),
        domain_name=planner.facts.domain_name,
    )


def _lay_out(planner: Planner, group: Group, main: Member, disputed: Sequence[str]) -> _Layout:
    """The calls of a group's merge, and what becomes of its values."""
    members = [planner.members[i] for i in group.profile_ids]
    others = [m for m in members if m is not main]
    choices = {f: _choice(f, members, main, planner.survivorship) for f in disputed}
    choices |= _by_person(planner, group, main, choices)
    batches = lay_out_batches(main, others, choices)
    choices |= unsteered(choices, main, batches)
    steps = lay_out_steps(main, batches, choices)
    values = _predict(main, others, choices)
    displaced = _displaced(main, others, choices)
    kept = [(name, planner.members[i].values.get(name)) for name, i in group.kept if i in group.profile_ids]
    wanted = frozenset((name, canonical_json(value)) for name, value in kept if value is not None)
    keeping = Keeping(planner.rules.preservation, wanted)
    disposals, post_steps = dispose(displaced, main.profile_id, values, keeping)
    if planner.references:
        merged_ids = [m.profile_id for m in others]
        post_steps = (*repoint(main.profile_id, merged_ids, values), *post_steps)
    return _Layout([m for batch in batches for m in batch], values, choices, steps, disposals, post_steps)


def _against(planner: Planner, group: Group, layout: _Layout) -> list[str]:
    """Why a person must look at what the merge would do, in words."""
    reasons: list[str] = []
    if not layout.steps:
        return reasons
    if planner.references:
        merged_ids = [m.profile_id for m in layout.others]
        outside = outside_references(planner.references, merged_ids, group.profile_ids)
        reasons += outside_doubt(outside, planner.rules.merging)
    reasons += undecided(layout.choices.values(), planner.survivorship)
    if "protected_value_given_up" not in planner.rules.merging.allow:
        reasons += protected_losses(layout.disposals, layout.values, planner.survivorship)
    return reasons


def objections(group: Group, facts: DomainFacts, rules: SecondOpinion) -> list[str]:
    """What the second opinion has against the group, where one was asked for."""
    objected = objection(group.opinion, facts, rules) if group.opinion else None
    return [objected] if objected else []


def _disputed(members: Sequence[Member]) -> list[str]:
    """Fields in which two members hold different values, in the API's order, attributes last."""
    seen = dict(members[0].values)
    disputed = set()
    for member in members[1:]:
        for name, value in member.values.items():
            if seen.setdefault(name, value) != value:
                disputed.add(name)
    return sorted(disputed, key=lambda name: (MEMBER_ORDER.get(name, len(MEMBER_ORDER)), name))


def _by_person(
    planner: Planner, group: Group, main: Member, choices: Mapping[str, FieldChoice]
) -> dict[str, FieldChoice]:
    """A person's sources, where the profile is in the group, has a value, and a merge can take it."""
    made = {}
    for name, profile_id in group.sources.items():
        if profile_id not in group.profile_ids or name not in choices:
            continue
        member = planner.members[profile_id]
        if name in member.values and (name not in UNSTEERABLE or member is main):
            made[name] = FieldChoice(name, profile_id, member.values[name], BY_PERSON)
    return made


def _choice(name: str, members: Sequence[Member], main: Member, rules: Survivorship) -> FieldChoice:
    """The choice of one disputed field; main itself is the source where it holds the chosen value."""
    if name in UNSTEERABLE and name in main.values:
        return FieldChoice(name, main.profile_id, main.values[name], UNSTEERED)
    winner, rule = choose(name, members, main.profile_id, rules)
    source = main if main.values.get(name) == winner.value else winner.member
    return FieldChoice(name, source.profile_id, winner.value, rule)


def unsteered(
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
        told = {_hashable(choice.value)}
        for member in (main, *others):
            value = member.values.get(name)
            if value is not None and (same := _hashable(value)) not in told:
                told.add(same)
                yield name, member.profile_id, value


def _hashable(value: Any) -> Any:
    return frozenset(value.items()) if isinstance(value, dict) else value
