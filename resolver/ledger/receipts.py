"""Receipts: per merge who approved it, what was sent, what was read back; and whether it can be undone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from resolver.errors import LedgerFailed
from resolver.ledger.connection import reading
from resolver.ledger.contents import opened
from resolver.ledger.recollection import entry_of
from resolver.ledger.sealing import is_sealed
from resolver.ledger.tables import images, journal, plans, readings, runs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from resolver.ledger.sealing import Seal
    from resolver.model.journal import JournalEntry


@dataclass(frozen=True, slots=True)
class MergeFact:
    """One plan of which something was sent, or tried: a line of the history; ``done`` of ``calls`` are."""

    plan_id: str
    run_id: str
    actor: str
    approved_by: str
    profile_ids: tuple[str, ...]
    calls: int
    done: int
    state: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CallReceipt:
    """One entry of the journal with what belongs to it; ``image`` is kept, gone (and why) or none.

    ``actual`` are the members as they were read where they were not as predicted.
    """

    entry: JournalEntry
    image: str
    history: str
    actual: dict[str, Any] | None


def merges_of(engine: Engine, domain: str) -> list[MergeFact]:
    """The plans of a domain that the journal speaks of, the latest first."""
    last = (
        select(
            journal.c.plan_id,
            func.max(journal.c.entry_id).label("entry_id"),
        )
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(runs.c.domain == domain)
        .group_by(journal.c.plan_id)
        .subquery()
    )
    done = (
        select(journal.c.plan_id, func.count(journal.c.step.distinct()).label("done"))
        .where(journal.c.state == "done")
        .group_by(journal.c.plan_id)
        .subquery()
    )
    recorded = (  # a plan may be finished by a run that was not handed it
        select(plans.c.plan_id, func.max(plans.c.run_id).label("run_id"))
        .join(runs, runs.c.run_id == plans.c.run_id)
        .where(runs.c.domain == domain)
        .group_by(plans.c.plan_id)
        .subquery()
    )
    query = (
        select(journal, plans.c.approved_by, plans.c.profile_ids, plans.c.calls, done.c.done)
        .join(last, last.c.entry_id == journal.c.entry_id)
        .join(recorded, recorded.c.plan_id == journal.c.plan_id, isouter=True)
        .join(
            plans,
            (plans.c.plan_id == recorded.c.plan_id) & (plans.c.run_id == recorded.c.run_id),
            isouter=True,
        )
        .join(done, done.c.plan_id == journal.c.plan_id, isouter=True)
        .order_by(journal.c.entry_id.desc())
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        MergeFact(
            plan_id=row.plan_id,
            run_id=row.run_id,
            actor=row.actor,
            approved_by=row.approved_by or "",
            profile_ids=tuple((row.profile_ids or "").split()),
            calls=row.calls or 0,
            done=row.done or 0,
            state=row.state,
            detail=row.detail,
            at=row.at,
        )
        for row in rows
    ]


def receipts_of(engine: Engine, seal: Seal, plan_id: str) -> list[CallReceipt]:
    """Every entry about a plan in the order of recording, with what was read back."""
    query = (
        select(
            journal,
            images.c.entry_id.label("image"),
            images.c.gone,
            readings.c.history,
            readings.c.actual,
        )
        .join(images, images.c.entry_id == journal.c.entry_id, isouter=True)
        .join(readings, readings.c.entry_id == journal.c.entry_id, isouter=True)
        .where(journal.c.plan_id == plan_id)
        .order_by(journal.c.entry_id)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [
        CallReceipt(
            entry=entry_of(row),
            image="" if row.image is None else row.gone or "kept",
            history=row.history or "",
            actual=opened(seal, row.actual),
        )
        for row in rows
    ]


def check_images(engine: Engine, seal: Seal, domain: str) -> dict[str, Any]:
    """Prove that the before-images, and the plans they belong to, can be read.

    Gives counts, and the plans of which either cannot. A plan that was not kept, or has expired, is no fault.
    """
    mine = (
        select(journal.c.entry_id, journal.c.plan_id, plans.c.content)
        .join(runs, runs.c.run_id == journal.c.run_id)
        .join(images, images.c.entry_id == journal.c.entry_id)
        .outerjoin(plans, (plans.c.run_id == journal.c.run_id) & (plans.c.plan_id == journal.c.plan_id))
        .where(runs.c.domain == domain)
        .order_by(journal.c.entry_id)
    )
    found: dict[str, Any] = {"readable": 0, "unsealed": 0, "gone": 0, "unreadable": []}
    with reading(engine) as connection:
        for entry_id, plan_id, plan in connection.execute(mine).all():
            row = connection.execute(select(images).where(images.c.entry_id == entry_id)).one()
            if row.before is None:
                found["gone"] += 1
                continue
            try:
                sound = set(json.loads(seal.open(row.before))) >= {"profiles", "objects"}
                json.loads(seal.open(row.expected))
                if plan is not None:
                    json.loads(seal.open(plan))
            except (LedgerFailed, ValueError):
                sound = False
            found["unsealed"] += not is_sealed(row.before)
            if sound:
                found["readable"] += 1
            else:
                found["unreadable"].append(plan_id)
    return found
