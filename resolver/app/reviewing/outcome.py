"""What a merge of some of a cluster's members would leave, with the reviewer's own choices in it.

The same parts of planning as in a run, in the same order; only the choice of the main profile and of field
sources may come from a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.model.merge_plan import FieldChoice, MergePlan
from resolver.model.profile import ADDRESSES, SCALARS, UNSTEERABLE
from resolver.planning.bands import protected_losses, refusals, undecided
from resolver.planning.conservation import dispose
from resolver.planning.group_plan import UNSTEERED, unsteered
from resolver.planning.identity import identify
from resolver.planning.main_profile import choose_main
from resolver.planning.members import gather, nested, object_count
from resolver.planning.steps import lay_out_batches, lay_out_steps
from resolver.planning.survivorship import choose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resolver.app.reviewing.batch import ReviewBatch
    from resolver.model.survivorship_policy import Survivorship
    from resolver.planning.members import Member

#: The rule recorded for what a person chose.
BY_PERSON: Final = "chosen by the reviewer"
_ORDER: Final = {name: place for place, name in enumerate((*SCALARS, *ADDRESSES))}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which members become one, and what the reviewer chose: the main profile, a source by field."""

    cluster_id: str
    profile_ids: tuple[str, ...]
    main: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


def foresee(batch: ReviewBatch, wish: Wish) -> MergePlan | None:
    """The plan of that wish; None where fewer than two members are left or no rules are at hand.

    A whole cluster without a choice of the reviewer's has the plan that the run made.
    """
    if len(wish.profile_ids) < 2 or batch.rules is None:  # noqa: PLR2004 - one profile has nothing to merge with
        return None
    case = batch.cases.get(wish.cluster_id)
    known = case.plan if case and not case.before and not wish.main and not wish.sources else None
    if known is not None and set(known.profile_ids) == set(wish.profile_ids):
        return known
    rules = batch.rules
    region = rules.survivorship.phone_region or rules.default_region
    survivorship = rules.survivorship.model_copy(update={"phone_region": region})
    wanted = pl.Series(sorted(wish.profile_ids), dtype=pl.String)
    rows = batch.profiles.filter(pl.col("profile_id").is_in(wanted.implode())).sort("profile_id")
    members = gather(rows, survivorship, batch.facts.objects)
    disputed = _disputed(members)
    main, reason = choose_main(members, disputed, survivorship)
    if wish.main in wish.profile_ids:
        main, reason = next(m for m in members if m.profile_id == wish.main), BY_PERSON
    choices = _choices(members, main, wish, survivorship)
    others = [m for m in members if m is not main]
    batches = lay_out_batches(main, others, choices)
    choices |= unsteered(choices, main, batches)
    refused = refusals(members, rules.merging)
    steps = () if refused else lay_out_steps(main, batches, choices)
    values = _predict(main, others, choices)
    disposals, post_steps = dispose(
        list(_displaced(main, others, choices)), main.profile_id, values, rules.preservation
    )
    fingerprints = {m.profile_id: m.fingerprint for m in members}
    origin = (batch.facts.domain_name or "", rules.fingerprint, wish.cluster_id, main.profile_id)
    care = (*undecided(choices, survivorship), *protected_losses(disposals, values, survivorship))
    return MergePlan(
        plan_id=identify(origin, fingerprints, steps, post_steps),
        cluster_id=wish.cluster_id,
        band="review",
        main_profile_id=main.profile_id,
        main_reason=reason,
        merged_profile_ids=tuple(m.profile_id for part in batches for m in part),
        steps=steps,
        field_choices=tuple(choices.values()),
        predicted=nested(main.profile_id, values),
        disposals=disposals,
        fingerprints=fingerprints,
        reasons=(*refused, *care),
        second_opinion="",
        rule_set_fingerprint=rules.fingerprint,
        post_steps=post_steps,
        object_count=object_count(members),
        domain_name=batch.facts.domain_name,
    )


def _choices(
    members: Sequence[Member], main: Member, wish: Wish, rules: Survivorship
) -> dict[str, FieldChoice]:
    """The rules' choice of every disputed field, and over it the reviewer's."""
    choices = {}
    for name in _disputed(members):
        winner, rule = choose(name, members, main.profile_id, rules)
        source = main if main.values.get(name) == winner.value else winner.member
        choices[name] = FieldChoice(name, source.profile_id, winner.value, rule)
        if name in UNSTEERABLE and name in main.values:
            choices[name] = FieldChoice(name, main.profile_id, main.values[name], UNSTEERED)
    return choices | _by_person(members, main, wish, choices)


def _predict(main: Member, others: Sequence[Member], choices: Mapping[str, FieldChoice]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for member in others:
        values |= member.values
    values |= main.values
    values.update((name, choice.value) for name, choice in choices.items())
    return values


def _disputed(members: Sequence[Member]) -> list[str]:
    """Fields in which two members hold different values, in the API's order, attributes last."""
    seen = dict(members[0].values)
    disputed = {f for m in members[1:] for f, value in m.values.items() if seen.setdefault(f, value) != value}
    return sorted(disputed, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))


def _by_person(
    members: Sequence[Member], main: Member, wish: Wish, choices: Mapping[str, FieldChoice]
) -> dict[str, FieldChoice]:
    """The reviewer's sources, where the member is in the group, has a value, and the field can be chosen."""
    by_id = {m.profile_id: m for m in members}
    made = {}
    for name, profile_id in wish.sources.items():
        member = by_id.get(profile_id)
        if member is None or name not in member.values or name not in choices:
            continue
        if name in UNSTEERABLE and member is not main:
            continue
        made[name] = FieldChoice(name, profile_id, member.values[name], BY_PERSON)
    return made


def _displaced(
    main: Member, others: Sequence[Member], choices: Mapping[str, FieldChoice]
) -> Iterator[tuple[str, str, Any]]:
    for name, choice in choices.items():
        told = [choice.value]
        for member in (main, *others):
            value = member.values.get(name)
            if value is not None and value not in told:
                told.append(value)
                yield name, member.profile_id, value
