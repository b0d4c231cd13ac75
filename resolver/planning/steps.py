"""The calls that carry out a plan: at most 20 profiles each, donors in the call that removes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.model.merge_plan import MAX_MERGED_PER_STEP, FieldChoice, MergeStep
from resolver.model.profile import UNSTEERABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.planning.members import Member

#: The strategy recorded for a value that stands in the main profile only until its real donor is merged.
INTERIM: Final = "until its source is merged"


def lay_out_steps(
    main: Member, batches: Sequence[Sequence[Member]], choices: Mapping[str, FieldChoice]
) -> tuple[MergeStep, ...]:
    """One MergeProfiles call a batch; their outcome depends on nothing undocumented, call by call.

    ``choices`` are the disputed fields' choices. A chosen value is taken in the call that removes its donor;
    later calls leave the field alone, and the main profile's value wins there.
    """
    state = dict(main.values) if len(batches) > 1 else main.values
    steps = []
    for batch in batches:
        sent = _choices_of(state, batch, choices)
        ids = tuple(m.profile_id for m in batch)
        steps.append(MergeStep(main.profile_id, ids, tuple(sent.values())))
        if len(batches) > 1:
            _take_in(state, batch, sent)
    return tuple(steps)


def lay_out_batches(
    main: Member, others: Sequence[Member], choices: Mapping[str, FieldChoice]
) -> list[list[Member]]:
    """The members that each call removes, at most 20.

    Donors go first, so that most chains take every chosen value in the first call. Within one call nobody
    disagrees on a field that nothing can steer and that main lacks: its donor goes in an earlier call than
    those who say otherwise.
    """
    open_fields = [f for f in UNSTEERABLE if f in choices and f not in main.values]
    if len(others) <= MAX_MERGED_PER_STEP and not open_fields:
        return [list(others)]
    openers = [choices[f].source_profile_id for f in open_fields]
    donors = {choice.source_profile_id for choice in choices.values()}
    waiting = sorted(
        others, key=lambda m: (_position(openers, m.profile_id), m.profile_id not in donors, m.profile_id)
    )
    settled: dict[str, Any] = {f: main.values[f] for f in UNSTEERABLE if f in main.values}
    laid_out = []
    while waiting:
        batch: list[Member] = []
        seen: dict[str, Any] = {}
        for member in waiting:
            said = {f: member.values[f] for f in open_fields if f in member.values and f not in settled}
            agrees = all(seen.get(f, value) == value for f, value in said.items())
            if agrees and len(batch) < MAX_MERGED_PER_STEP:
                batch.append(member)
                seen |= said
        settled |= seen
        taken = {m.profile_id for m in batch}
        waiting = [m for m in waiting if m.profile_id not in taken]
        laid_out.append(batch)
    return laid_out


def _position(openers: Sequence[str], profile_id: str) -> int:
    return openers.index(profile_id) if profile_id in openers else len(openers)


def _choices_of(
    state: Mapping[str, Any], batch: Sequence[Member], choices: Mapping[str, FieldChoice]
) -> dict[str, FieldChoice]:
    """The sources to name in one call: final donors in it, and a stand-in where they come later."""
    ids = {m.profile_id for m in batch}
    sent: dict[str, FieldChoice] = {}
    for field, choice in choices.items():
        if field in UNSTEERABLE:
            continue
        if choice.source_profile_id in ids:
            if state.get(field) != choice.value:
                sent[field] = choice
        elif field not in state:
            holders = [m for m in batch if field in m.values]
            if any(m.values[field] != holders[0].values[field] for m in holders):
                sent[field] = FieldChoice(field, holders[0].profile_id, holders[0].values[field], INTERIM)
    return sent


def _take_in(state: dict[str, Any], batch: Sequence[Member], sent: Mapping[str, FieldChoice]) -> None:
    """Bring the main profile's values up to date with one call."""
    for member in batch:
        for field, value in member.values.items():
            state.setdefault(field, value)
    state.update({field: choice.value for field, choice in sent.items()})
