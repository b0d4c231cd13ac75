"""What was done to real profiles, written down entry by entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from resolver.errors import LedgerFailed
from resolver.ledger.connection import writing
from resolver.ledger.contents import sealed, text_of
from resolver.ledger.plan_texts import plan_text
from resolver.ledger.tables import images, journal, merged_ids, plans, readings
from resolver.model.journal import JournalEntry, JournalState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Engine

    from resolver.ledger.sealing import Seal
    from resolver.model.merge_plan import MergePlan


def record_plans(
    memory: tuple[Engine, Seal], run_id: str, plans_of_run: Sequence[MergePlan], approvals: Mapping[str, str]
) -> None:
    """Remember what a run concluded, whole, and who approved it (by plan id).

    A plan that the run recorded before stays as it was.
    """
    engine, seal = memory
    rows = [
        {
            "run_id": run_id,
            "plan_id": plan.plan_id,
            "cluster_id": plan.cluster_id,
            "band": plan.band,
            "calls": len(plan.steps) + len(plan.post_steps),
            "content": seal.seal(plan_text(plan)),
            "profile_ids": " ".join(plan.profile_ids),
            "approved_by": approvals.get(plan.plan_id, ""),
        }
        for plan in plans_of_run
    ]
    with writing(engine) as connection:
        there = set(connection.execute(select(plans.c.plan_id).where(plans.c.run_id == run_id)).scalars())
        new = [row for row in rows if row["plan_id"] not in there]
        if new:
            connection.execute(insert(plans), new)


def record_intent(engine: Engine, seal: Seal, entry: JournalEntry) -> int:
    """Put an intent on disk, images included, and return its id. Only then may the merge be sent.

    Raises:
        LedgerFailed: it is not on disk, or is no full intent; nothing may be sent.
    """
    if entry.state is not JournalState.INTENT or entry.before is None or entry.expected is None:
        raise LedgerFailed(
            f"plan {entry.plan_id}, step {entry.step}: an intent needs images of what is there"
        )
    content = {"before": sealed(seal, entry.before), "expected": sealed(seal, entry.expected)}
    with writing(engine) as connection:
        entry_id = _insert(connection, entry)
        connection.execute(insert(images).values(entry_id=entry_id, **content))
    return entry_id


def record_result(engine: Engine, seal: Seal, entry: JournalEntry) -> int:
    """Put on disk what came of an intent; a merge that is done also maps the merged ids to their survivor."""
    actual = None if entry.actual is None else sealed(seal, entry.actual)
    with writing(engine) as connection:
        entry_id = _insert(connection, entry)
        if entry.state is JournalState.DONE and entry.request and "ProfileIdsToBeMerged" in entry.request:
            survivor = entry.request["MainProfileId"]
            rows = [
                {"entry_id": entry_id, "merged_id": merged, "survivor_id": survivor}
                for merged in entry.request["ProfileIdsToBeMerged"]
            ]
            connection.execute(insert(merged_ids), rows)
        if entry.history or actual:
            connection.execute(
                insert(readings).values(entry_id=entry_id, history=entry.history, actual=actual)
            )
    return entry_id


def _insert(connection: Any, entry: JournalEntry) -> int:
    values = {
        "run_id": entry.run_id,
        "plan_id": entry.plan_id,
        "step": entry.step,
        "state": entry.state.value,
        "request": None if entry.request is None else text_of(entry.request),
        "response": None if entry.response is None else text_of(entry.response),
        "detail": entry.detail,
        "actor": entry.actor,
        "at": entry.at,
    }
    return int(connection.execute(insert(journal).values(values)).inserted_primary_key[0])
