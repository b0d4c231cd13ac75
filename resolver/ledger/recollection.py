"""What the journal tells: which calls are open, done or unclear, and where a merged profile's content is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from resolver.errors import LedgerFailed
from resolver.ledger.connection import place, reading
from resolver.ledger.contents import opened
from resolver.ledger.plan_texts import plan_of
from resolver.ledger.tables import images, journal, merged_ids, plans, restored_ids, restores, runs
from resolver.model.journal import JournalEntry, JournalState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine, Row, Select

    from resolver.ledger.sealing import Seal
    from resolver.model.merge_plan import MergePlan


def standing(engine: Engine, seal: Seal, domain: str, states: Iterable[JournalState]) -> list[JournalEntry]:
    """The intents (with their images) of those calls of a domain whose latest entry has such a state.

    Calls of a plan whose restore has begun, or that a person has closed, are left out. ``state`` and
    ``detail`` are those of the latest entry. In the order of recording.
    """
    latest = (
        select(
            func.max(journal.c.entry_id).label("entry_id"), func.min(journal.c.entry_id).label("intent_id")
        )
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain)
        .group_by(journal.c.run_id, journal.c.plan_id, journal.c.step)
        .subquery()
    )
    last = journal.alias("last")
    query = (
        select(
            journal, images.c.before, images.c.expected, last.c.state.label("now"), last.c.detail.label("why")
        )
        .join(latest, latest.c.intent_id == journal.c.entry_id)
        .join(last, latest.c.entry_id == last.c.entry_id)
        .join(images, images.c.entry_id == journal.c.entry_id, isouter=True)
        .where(last.c.state.in_([state.value for state in states]))
        .where(journal.c.plan_id.not_in(select(restores.c.plan_id)))
        .where(journal.c.plan_id.not_in(closed(domain)))
        .order_by(journal.c.entry_id)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        replace(
            entry_of(row),
            state=JournalState(row.now),
            detail=row.why,
            before=opened(seal, row.before),
            expected=opened(seal, row.expected),
        )
        for row in rows
    ]


def closed(domain: str) -> Select[Any]:
    """The plans of a domain that a person has closed."""
    query = select(journal.c.plan_id).join(runs, runs.c.run_id == journal.c.run_id)
    return query.where(runs.c.domain == domain, journal.c.state == JournalState.CLOSED.value)


def closed_plans(engine: Engine, domain: str) -> frozenset[str]:
    """The plans that stay as far as they have come, by a person's word."""
    with reading(engine) as connection:
        return frozenset(connection.execute(closed(domain)).scalars())


def entries_of(engine: Engine, plan_id: str) -> list[JournalEntry]:
    """Every entry about a plan in the order of recording, without the images."""
    query: Select[Any] = select(journal).where(journal.c.plan_id == plan_id).order_by(journal.c.entry_id)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [entry_of(row) for row in rows]


def done_steps(engine: Engine, domain: str) -> dict[str, int]:
    """How many steps of each plan are done, for plans of which at least one is."""
    query = (
        select(journal.c.plan_id, func.count(journal.c.step.distinct()).label("steps"))
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain, journal.c.state == JournalState.DONE.value)
        .group_by(journal.c.plan_id)
    )
    with reading(engine) as connection:
        return {row.plan_id: row.steps for row in connection.execute(query)}


def intent_of(engine: Engine, seal: Seal, plan_id: str, step: int) -> JournalEntry:
    """The latest intent of a plan's step, with its images.

    Raises:
        LedgerFailed: there is none, or its images have expired or were erased.
    """
    query = (
        select(journal, images.c.before, images.c.expected, images.c.gone)
        .join(images, journal.c.entry_id == images.c.entry_id)
        .where(journal.c.plan_id == plan_id, journal.c.step == step)
        .order_by(journal.c.entry_id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise LedgerFailed(f"ledger {place(engine)}: plan {plan_id} has no intent for its call {step + 1}")
    if row.before is None:
        raise LedgerFailed(
            f"ledger {place(engine)}: the image before call {step + 1} of plan {plan_id} is gone: {row.gone}"
        )
    return replace(entry_of(row), before=opened(seal, row.before), expected=opened(seal, row.expected))


def unfinished_plans(engine: Engine, seal: Seal, domain: str) -> list[MergePlan]:
    """Plans of which some calls are done and others are not, in the order in which they were begun.

    What remains of them may hold the only copy of a value that the merge itself could not keep. A plan whose
    restore has begun, or that a person has closed, is not among them.
    """
    done = (
        select(
            journal.c.plan_id,
            func.count(journal.c.step.distinct()).label("done"),
            func.min(journal.c.entry_id).label("first"),
            func.min(journal.c.run_id).label("run_id"),
        )
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain, journal.c.state == JournalState.DONE.value)
        .group_by(journal.c.plan_id)
        .subquery()
    )
    query = (
        select(plans.c.content)
        .join(done, (done.c.plan_id == plans.c.plan_id) & (done.c.run_id == plans.c.run_id))
        .where(done.c.done < plans.c.calls, plans.c.content.is_not(None))
        .where(plans.c.plan_id.not_in(select(restores.c.plan_id)))
        .where(plans.c.plan_id.not_in(closed(domain)))
        .order_by(done.c.first)
    )
    with reading(engine) as connection:
        return [plan_of(seal.open(text)) for text in connection.execute(query).scalars()]


def plan_by_id(engine: Engine, seal: Seal, plan_id: str) -> MergePlan:
    """A plan as the latest run that has it recorded it.

    Raises:
        LedgerFailed: no run did, or it has expired or was erased.
    """
    query = (
        select(plans.c.content)
        .join(runs, runs.c.run_id == plans.c.run_id)
        .where(plans.c.plan_id == plan_id, plans.c.content.is_not(None))
        .order_by(runs.c.started_at.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        text = connection.execute(query).scalar_one_or_none()
    if text is None:
        raise LedgerFailed(f"ledger {place(engine)}: plan {plan_id} is not there any more: expired or erased")
    return plan_of(seal.open(text))


def survivors(engine: Engine, domain: str) -> dict[str, str]:
    """Each merged-away id and the id of the profile that holds its content now.

    However many merges later; a profile that was restored goes on under its new id.
    """
    merges = (
        select(merged_ids.c.merged_id, merged_ids.c.survivor_id)
        .join(journal, journal.c.entry_id == merged_ids.c.entry_id)
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain)
        .order_by(merged_ids.c.entry_id)
    )
    returns = (
        select(restored_ids.c.old_id, restored_ids.c.new_id)
        .join(restores, restores.c.restore_id == restored_ids.c.restore_id)
        .join(runs, runs.c.run_id == restores.c.run_id)
        .where(runs.c.domain == domain)
    )
    with reading(engine) as connection:
        into = {row.merged_id: row.survivor_id for row in connection.execute(merges)}
        into |= {row.old_id: row.new_id for row in connection.execute(returns)}
    return {merged: end_of(merged, into) for merged in into}


def end_of(profile_id: str, into: Mapping[str, str]) -> str:
    """Where a chain of ids ends."""
    seen = {profile_id}
    while (following := into.get(profile_id)) is not None and following not in seen:
        profile_id = following
        seen.add(profile_id)
    return profile_id


def entry_of(row: Row[Any]) -> JournalEntry:
    """An entry without its images."""
    return JournalEntry(
        entry_id=row.entry_id,
        run_id=row.run_id,
        plan_id=row.plan_id,
        step=row.step,
        state=JournalState(row.state),
        before=None,
        expected=None,
        request=None if row.request is None else json.loads(row.request),
        response=None if row.response is None else json.loads(row.response),
        detail=row.detail,
        actor=row.actor,
        at=row.at,
    )
