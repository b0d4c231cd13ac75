"""What was done to real profiles, entry by entry."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from resolver.errors import LedgerFailed
from resolver.ledger.connection import place, reading, writing
from resolver.ledger.plan_texts import plan_of, plan_text
from resolver.ledger.tables import images, journal, merged_ids, plans, runs
from resolver.model.journal import JournalEntry, JournalState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Engine, Row, Select

    from resolver.model.merge_plan import MergePlan


def record_plans(engine: Engine, run_id: str, plans_of_run: Sequence[MergePlan]) -> None:
    """Remember what a run concluded, whole; a plan that the run recorded before stays as it was."""
    with writing(engine) as connection:
        there = set(connection.execute(select(plans.c.plan_id).where(plans.c.run_id == run_id)).scalars())
        rows = [
            {
                "run_id": run_id,
                "plan_id": plan.plan_id,
                "cluster_id": plan.cluster_id,
                "band": plan.band,
                "calls": len(plan.steps) + len(plan.post_steps),
                "content": plan_text(plan),
            }
            for plan in plans_of_run
            if plan.plan_id not in there
        ]
        if rows:
            connection.execute(insert(plans), rows)


def record_intent(engine: Engine, entry: JournalEntry) -> int:
    """Put an intent on disk, images included, and return its id. Only then may the merge be sent.

    Raises:
        LedgerFailed: it is not on disk, or is no full intent; nothing may be sent.
    """
    if entry.state is not JournalState.INTENT or entry.before is None or entry.expected is None:
        raise LedgerFailed(
            f"plan {entry.plan_id}, step {entry.step}: an intent needs images of what is there"
        )
    with writing(engine) as connection:
        entry_id = _insert(connection, entry)
        connection.execute(
            insert(images).values(
                entry_id=entry_id, before=_text(entry.before), expected=_text(entry.expected)
            )
        )
    return entry_id


def record_result(engine: Engine, entry: JournalEntry) -> int:
    """Put on disk what came of an intent; a merge that is done also maps the merged ids to their survivor."""
    with writing(engine) as connection:
        entry_id = _insert(connection, entry)
        if entry.state is JournalState.DONE and entry.request and "ProfileIdsToBeMerged" in entry.request:
            survivor = entry.request["MainProfileId"]
            rows = [
                {"entry_id": entry_id, "merged_id": merged, "survivor_id": survivor}
                for merged in entry.request["ProfileIdsToBeMerged"]
            ]
            connection.execute(insert(merged_ids), rows)
    return entry_id


def standing(engine: Engine, domain: str, states: Iterable[JournalState]) -> list[JournalEntry]:
    """The intents (with their images) of those merge steps of a domain whose latest entry has such a state.

    ``state`` and ``detail`` are those of the latest entry. In the order of recording.
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
        .order_by(journal.c.entry_id)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        replace(
            _entry(row),
            state=JournalState(row.now),
            detail=row.why,
            before=_value(row.before),
            expected=_value(row.expected),
        )
        for row in rows
    ]


def entries_of(engine: Engine, plan_id: str) -> list[JournalEntry]:
    """Every entry about a plan in the order of recording, without the images."""
    query: Select[Any] = select(journal).where(journal.c.plan_id == plan_id).order_by(journal.c.entry_id)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [_entry(row) for row in rows]


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


def expected_after(engine: Engine, plan_id: str, step: int) -> dict[str, Any]:
    """The profile that a step of a plan was to leave, by its latest intent.

    Raises:
        LedgerFailed: there is no such intent.
    """
    query = (
        select(images.c.expected)
        .join(journal, journal.c.entry_id == images.c.entry_id)
        .where(journal.c.plan_id == plan_id, journal.c.step == step)
        .order_by(journal.c.entry_id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        text = connection.execute(query).scalar_one_or_none()
    if text is None:
        raise LedgerFailed(f"ledger {place(engine)}: plan {plan_id} has no intent for its call {step + 1}")
    return json.loads(text)  # type: ignore[no-any-return]


def unfinished_plans(engine: Engine, domain: str) -> list[MergePlan]:
    """Plans of which some calls are done and others are not, in the order in which they were begun.

    What remains of them may hold the only copy of a value that the merge itself could not keep.
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
        .where(done.c.done < plans.c.calls)
        .order_by(done.c.first)
    )
    with reading(engine) as connection:
        return [plan_of(text) for text in connection.execute(query).scalars()]


def survivors(engine: Engine, domain: str) -> dict[str, str]:
    """Each merged-away id and the id of the profile that holds its content now, however many merges later."""
    query = (
        select(merged_ids.c.merged_id, merged_ids.c.survivor_id)
        .join(journal, journal.c.entry_id == merged_ids.c.entry_id)
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain)
        .order_by(merged_ids.c.entry_id)
    )
    with reading(engine) as connection:
        into = {row.merged_id: row.survivor_id for row in connection.execute(query)}
    return {merged: _end_of(merged, into) for merged in into}


def _end_of(profile_id: str, into: Mapping[str, str]) -> str:
    seen = {profile_id}
    while (following := into.get(profile_id)) is not None and following not in seen:
        profile_id = following
        seen.add(profile_id)
    return profile_id


def _insert(connection: Any, entry: JournalEntry) -> int:
    values = {
        "run_id": entry.run_id,
        "plan_id": entry.plan_id,
        "step": entry.step,
        "state": entry.state.value,
        "request": None if entry.request is None else _text(entry.request),
        "response": None if entry.response is None else _text(entry.response),
        "detail": entry.detail,
        "actor": entry.actor,
        "at": entry.at,
    }
    return int(connection.execute(insert(journal).values(values)).inserted_primary_key[0])


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        entry_id=row.entry_id,
        run_id=row.run_id,
        plan_id=row.plan_id,
        step=row.step,
        state=JournalState(row.state),
        before=None,
        expected=None,
        request=_value(row.request),
        response=_value(row.response),
        detail=row.detail,
        actor=row.actor,
        at=row.at,
    )


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _value(text: str | None) -> dict[str, Any] | None:
    return None if text is None else json.loads(text)
