"""Restores: begun, done step by step, ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from resolver.errors import LedgerFailed
from resolver.ledger.connection import place, reading, writing
from resolver.ledger.contents import opened, sealed
from resolver.ledger.erasing import ENDED
from resolver.ledger.tables import plans, restore_steps, restored_ids, restores, runs
from resolver.model.restoration import Restoration, RestoreStep

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from resolver.ledger.sealing import Seal


@dataclass(frozen=True, slots=True)
class RestoreFact:
    """What was done of one step; ``step`` counts the restoration's steps, its end comes after the last."""

    restore_id: str
    run_id: str
    step: int
    state: str
    detail: str
    at: datetime


def begin(memory: tuple[Engine, Seal], restoration: Restoration, run_id: str, at: datetime) -> None:
    """Put the whole restoration on disk; only then may its first call be sent."""
    engine, seal = memory
    content = sealed(seal, asdict(restoration))
    with writing(engine) as connection:
        connection.execute(
            insert(restores).values(
                restore_id=restoration.restore_id,
                run_id=run_id,
                plan_id=restoration.plan_id,
                content=content,
                at=at,
            )
        )


def record(engine: Engine, fact: RestoreFact, new_id: tuple[str, str] | None = None) -> None:
    """Put a fact on disk, and with it under which new id an old profile lives on."""
    with writing(engine) as connection:
        connection.execute(
            insert(restore_steps).values(
                restore_id=fact.restore_id,
                run_id=fact.run_id,
                step=fact.step,
                state=fact.state,
                detail=fact.detail,
                at=fact.at,
            )
        )
        if new_id is not None:
            old, new = new_id
            connection.execute(
                insert(restored_ids).values(restore_id=fact.restore_id, old_id=old, new_id=new)
            )


def of_plan(memory: tuple[Engine, Seal], plan_id: str) -> tuple[str, str, Restoration | None] | None:
    """Id, state and content of the restore of a plan: restored, differs or unfinished; null without one.

    Raises:
        LedgerFailed: it is unfinished, and what is to be restored is gone from the ledger.
    """
    engine, seal = memory
    query = select(restores).where(restores.c.plan_id == plan_id)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        ends = select(restore_steps.c.state).where(
            restore_steps.c.restore_id == row.restore_id, restore_steps.c.state.in_(ENDED)
        )
        ended = connection.execute(ends.order_by(restore_steps.c.entry_id.desc())).scalars().first()
    content = opened(seal, row.content)
    if ended is None and content is None:
        raise LedgerFailed(f"ledger {place(engine)}: the unfinished restore {row.restore_id} was erased")
    return row.restore_id, ended or "unfinished", None if content is None else _restoration(content)


def done_of(engine: Engine, restore_id: str) -> tuple[set[int], dict[str, str]]:
    """The steps that are done, and old id → new id of the profiles that were made."""
    steps = select(restore_steps.c.step).where(
        restore_steps.c.restore_id == restore_id, restore_steps.c.state == "done"
    )
    ids = select(restored_ids.c.old_id, restored_ids.c.new_id).where(restored_ids.c.restore_id == restore_id)
    with reading(engine) as connection:
        return set(connection.execute(steps).scalars()), dict(connection.execute(ids).all())


def restored_as(engine: Engine, domain: str) -> dict[str, str]:
    """Old id → new id of every profile that a restore made."""
    query = (
        select(restored_ids.c.old_id, restored_ids.c.new_id)
        .join(restores, restores.c.restore_id == restored_ids.c.restore_id)
        .join(runs, runs.c.run_id == restores.c.run_id)
        .where(runs.c.domain == domain)
    )
    with reading(engine) as connection:
        return dict(connection.execute(query).all())


def states(engine: Engine, domain: str) -> dict[str, tuple[str, str]]:
    """Restore id and state of each plan of a domain whose restore was begun."""
    mine = (
        select(restores.c.plan_id, restores.c.restore_id)
        .join(runs, runs.c.run_id == restores.c.run_id)
        .where(runs.c.domain == domain)
    )
    ends = select(restore_steps.c.restore_id, restore_steps.c.state).where(restore_steps.c.state.in_(ENDED))
    with reading(engine) as connection:
        ended = dict(connection.execute(ends.order_by(restore_steps.c.entry_id)).all())
        return {
            plan_id: (restore_id, ended.get(restore_id, "unfinished"))
            for plan_id, restore_id in connection.execute(mine)
        }


def restoring(engine: Engine, domain: str) -> dict[str, str]:
    """Each profile of an unfinished restore, under its old id and its new one, and the plan it belongs to."""
    unfinished = {p: r for p, (r, state) in states(engine, domain).items() if state == "unfinished"}
    found: dict[str, str] = {}
    for plan_id, restore_id in unfinished.items():
        with reading(engine) as connection:
            named = connection.execute(
                select(plans.c.profile_ids).where(plans.c.plan_id == plan_id)
            ).scalars()
            ids = {i for text in named for i in text.split()}
        ids |= set(done_of(engine, restore_id)[1].values())
        found |= dict.fromkeys(ids, plan_id)
    return found


def _restoration(content: dict[str, Any]) -> Restoration:
    return Restoration(
        **content
        | {
            "steps": tuple(RestoreStep(**step) for step in content["steps"]),
            "lost": tuple(content["lost"]),
            "kept": tuple(content["kept"]),
        }
    )
