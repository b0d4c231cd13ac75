"""Customers' data leaves the ledger: when it has expired, and when a person asks. The history stays."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, inspect, or_, select, update

from resolver.errors import BadInput, Held
from resolver.ledger.connection import reading, writing
from resolver.ledger.recollection import closed
from resolver.ledger.review_tables import review_drafts, review_facts, review_notes, review_plans
from resolver.ledger.tables import (
    decisions,
    erasures,
    images,
    journal,
    merged_ids,
    plans,
    readings,
    restore_steps,
    restored_ids,
    restores,
    runs,
)
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from sqlalchemy import Column, Connection, Engine

_CHUNK: Final = 400  # of ids in one condition: databases bound the number of parameters
_OPEN: Final = (JournalState.INTENT.value, JournalState.SENT.value)
#: Anything else would be looked for inside ids and names, and find other people (service model: ProfileId).
_PROFILE_ID: Final = re.compile("[0-9a-f]{32}")
#: The states with which a restore ends.
ENDED: Final = ("restored", "differs")


def expire(engine: Engine, domain: str, before: datetime) -> dict[str, int]:
    """Empty what is older than that moment and no longer needed to finish or settle a merge; counts."""
    why = f"expired (older than {before:%Y-%m-%d})"
    with writing(engine) as connection:
        busy = _busy(connection, domain, (*_OPEN, JournalState.UNCLEAR.value))
        old = _runs_of(domain, runs.c.started_at < before)
        entries = connection.execute(
            select(journal.c.entry_id, journal.c.plan_id).where(journal.c.run_id.in_(old))
        ).all()
        entry_ids = [row.entry_id for row in entries if row.plan_id not in busy]
        old_plans = connection.execute(
            select(plans.c.plan_id).where(plans.c.run_id.in_(old), plans.c.content.is_not(None))
        ).scalars()
        plan_ids = sorted(set(old_plans) - busy)
        return _empty(connection, entry_ids, (plan_ids, old), why)


def forget(engine: Engine, domain: str, profile_id: str, by: tuple[str, datetime]) -> dict[str, Any]:
    """Erase a person's data: of every profile that was merged into hers or that hers was merged into.

    ``profile_ids`` are those, the rest counts of what was removed.

    Raises:
        BadInput: that is no whole profile id.
        Held: a merge or a restore of such a profile is not finished, and needs the data to be.
    """
    if not _PROFILE_ID.fullmatch(profile_id):
        raise BadInput(f"{profile_id!r} is not the whole id of a profile (32 digits of 0-9 and a-f)")
    actor, at = by
    with writing(engine) as connection:
        ids = sorted(_same_person(connection, domain, profile_id))
        entries = [
            *_entries_naming(connection, domain, ids),
            *_entries_while_joined(connection, domain, ids),
        ]
        plan_ids = sorted({row.plan_id for row in entries} | set(_plans_naming(connection, domain, ids)))
        busy = _busy(connection, domain, _OPEN)
        if waiting := sorted(busy & {row.plan_id for row in entries}):
            raise Held(
                f"profile {profile_id}: plan {waiting[0]} is not finished and needs its before-image; "
                "`resolver apply` or `resolver restore` finishes it; then ask again"
            )
        why = f"erased on request of {actor} on {at:%Y-%m-%d}"
        all_runs = _runs_of(domain, None)
        removed = _empty(connection, [row.entry_id for row in entries], (plan_ids, all_runs), why)
        removed |= _empty_reviews(connection, domain, ids)
        connection.execute(
            insert(erasures).values(
                domain=domain, profile_ids=" ".join(ids), removed=json.dumps(removed), actor=actor, at=at
            )
        )
    _overwrite(engine)
    return {"profile_ids": ids, **removed}


def _runs_of(domain: str, condition: Any) -> Any:
    query = select(runs.c.run_id).where(runs.c.domain == domain)
    return query if condition is None else query.where(condition)


def _busy(connection: Connection, domain: str, states: Collection[str]) -> set[str]:
    """Plans with a call in such a state, plans half done, and plans whose restore is not finished."""
    mine = journal.c.run_id.in_(_runs_of(domain, None))
    last = (
        select(func.max(journal.c.entry_id))
        .where(mine)
        .group_by(journal.c.run_id, journal.c.plan_id, journal.c.step)
    )
    waiting = select(journal.c.plan_id).where(journal.c.entry_id.in_(last), journal.c.state.in_(states))
    done = (
        select(journal.c.plan_id, func.count(journal.c.step.distinct()).label("steps"))
        .where(mine, journal.c.state == JournalState.DONE.value)
        .group_by(journal.c.plan_id)
        .subquery()
    )
    half = select(plans.c.plan_id).join(done, done.c.plan_id == plans.c.plan_id)
    half = half.where(done.c.steps < plans.c.calls)
    begun = restores.c.run_id.in_(_runs_of(domain, None))
    ended = select(restore_steps.c.restore_id).where(restore_steps.c.state.in_(ENDED))
    restoring = select(restores.c.plan_id).where(begun, restores.c.restore_id.not_in(ended))
    restored = select(restores.c.plan_id).where(begun)
    found = {*connection.execute(waiting).scalars(), *connection.execute(half).scalars()}
    found -= set(connection.execute(restored).scalars()) | set(connection.execute(closed(domain)).scalars())
    return found | set(connection.execute(restoring).scalars())


def _same_person(connection: Connection, domain: str, profile_id: str) -> set[str]:
    """Ids joined by merges that were not undone, and by restores under a new id."""
    mine = journal.c.run_id.in_(_runs_of(domain, None))
    undone = select(restores.c.plan_id)
    merges = (
        select(merged_ids.c.merged_id, merged_ids.c.survivor_id)
        .join(journal, journal.c.entry_id == merged_ids.c.entry_id)
        .where(mine, journal.c.plan_id.not_in(undone))
    )
    renamed = (
        select(restored_ids.c.old_id, restored_ids.c.new_id)
        .join(restores, restores.c.restore_id == restored_ids.c.restore_id)
        .where(restores.c.run_id.in_(_runs_of(domain, None)))
    )
    neighbours: dict[str, set[str]] = {}
    for one, other in [*connection.execute(merges), *connection.execute(renamed)]:
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    found, edge = {profile_id}, [profile_id]
    while edge:
        new = neighbours.get(edge.pop(), set()) - found
        found |= new
        edge += new
    return found


def _naming(column: Column[Any], ids: Iterable[str]) -> Any:
    return or_(*(column.like(f"%{profile_id}%") for profile_id in ids))


def _entries_naming(connection: Connection, domain: str, ids: Iterable[str]) -> list[Any]:
    mine = journal.c.run_id.in_(_runs_of(domain, None))
    query = select(journal.c.entry_id, journal.c.plan_id, journal.c.at)
    query = query.where(mine, _naming(journal.c.request, ids))
    return list(connection.execute(query).all())


def _entries_while_joined(connection: Connection, domain: str, ids: Collection[str]) -> list[Any]:
    """Entries about other profiles, made while these were merged into them: until a restore undid it."""
    ends = (
        select(restore_steps.c.restore_id, func.max(restore_steps.c.at).label("at"))
        .group_by(restore_steps.c.restore_id)
        .subquery()
    )
    undone = (
        select(merged_ids.c.merged_id, merged_ids.c.survivor_id, merged_ids.c.entry_id, ends.c.at)
        .join(journal, journal.c.entry_id == merged_ids.c.entry_id)
        .join(restores, restores.c.plan_id == journal.c.plan_id)
        .join(ends, ends.c.restore_id == restores.c.restore_id)
        .where(journal.c.run_id.in_(_runs_of(domain, None)))
        .order_by(merged_ids.c.entry_id)
    )
    since = dict.fromkeys(ids, 0)  # profile → the entry after which it held what is to be forgotten
    until: dict[str, datetime] = {}
    for row in connection.execute(undone).all():  # in their order, so a chain is followed to its end
        if row.merged_id in since and row.entry_id > since[row.merged_id] and row.survivor_id not in since:
            since[row.survivor_id] = row.entry_id
            until[row.survivor_id] = row.at
    return [
        entry
        for profile_id, moment in until.items()
        for entry in _entries_naming(connection, domain, [profile_id])
        if since[profile_id] < entry.entry_id and entry.at <= moment
    ]


def _plans_naming(connection: Connection, domain: str, ids: Iterable[str]) -> list[str]:
    mine = plans.c.run_id.in_(_runs_of(domain, None))
    return list(
        connection.execute(select(plans.c.plan_id).where(mine, _naming(plans.c.profile_ids, ids))).scalars()
    )


def _empty(
    connection: Connection, entry_ids: list[int], of_plans: tuple[list[str], Any], why: str
) -> dict[str, int]:
    plan_ids, run_ids = of_plans
    removed = {"before_images": 0, "readings": 0, "plans": 0, "restores": 0}
    for some in _chunks(entry_ids):
        images_there = images.c.entry_id.in_(some) & images.c.before.is_not(None)
        gone = update(images).where(images_there).values(before=None, expected=None, gone=why)
        removed["before_images"] += connection.execute(gone).rowcount
        read = update(readings).where(readings.c.entry_id.in_(some), readings.c.actual.is_not(None))
        removed["readings"] += connection.execute(read.values(actual=None)).rowcount
    for named in _chunks(plan_ids):
        held = plans.c.plan_id.in_(named) & plans.c.content.is_not(None) & plans.c.run_id.in_(run_ids)
        removed["plans"] += connection.execute(update(plans).where(held).values(content=None)).rowcount
        kept = restores.c.plan_id.in_(named) & restores.c.content.is_not(None)
        kept &= restores.c.run_id.in_(run_ids)
        removed["restores"] += connection.execute(update(restores).where(kept).values(content=None)).rowcount
    return removed


def _empty_reviews(connection: Connection, domain: str, ids: Iterable[str]) -> dict[str, int]:
    """What people wrote and planned about these profiles; their verdicts stay."""
    sides = (decisions.c.profile_id_left, decisions.c.profile_id_right)
    said = or_(*(side.in_(list(ids)) for side in sides)) & (decisions.c.domain == domain)
    said &= (decisions.c.reason != "") | (decisions.c.evidence != "")
    blank = update(decisions).where(said).values(reason="", evidence="")
    removed = {"reasons_of_decisions": connection.execute(blank).rowcount}
    if not inspect(connection).has_table(review_facts.name):
        return removed
    about = (review_facts.c.domain == domain) & _naming(review_facts.c.content, ids)
    facts = select(review_facts.c.fact_id).where(about)
    planned = review_plans.c.fact_id.in_(facts) | _naming(review_plans.c.content, ids)
    drafted = (review_drafts.c.domain == domain) & _naming(review_drafts.c.content, ids)
    for name, table, condition in (
        ("notes_of_reviewers", review_notes, review_notes.c.fact_id.in_(facts)),
        ("plans_of_reviewers", review_plans, planned),
        ("drafts_of_reviewers", review_drafts, drafted),
    ):
        removed[name] = connection.execute(delete(table).where(condition)).rowcount
    return removed


def _overwrite(engine: Engine) -> None:
    """Let nothing of what was erased stay behind in the database's own files."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (images, plans, readings, restores):
            connection.exec_driver_sql(f"VACUUM {table.name}")


def _chunks(values: list[Any]) -> Iterable[list[Any]]:
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))


def erasures_of(engine: Engine, domain: str) -> list[dict[str, Any]]:
    """What was erased on request: ids, counts, who and when; in that order."""
    query = select(erasures).where(erasures.c.domain == domain).order_by(erasures.c.erasure_id)
    with reading(engine) as connection:
        return [
            {
                "profile_ids": row.profile_ids.split(),
                "removed": json.loads(row.removed),
                "actor": row.actor,
                "at": row.at,
            }
            for row in connection.execute(query)
        ]
