"""What the executor has done of reviewed plans, for the review: merges done, and who lives on as whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from resolver.ledger.connection import reading
from resolver.ledger.tables import journal, merged_ids, runs
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Done:
    """One merge step that was read back as predicted: its entry in the journal, its plan, when."""

    entry_id: int
    plan_id: str
    at: datetime


def done_since(engine: Engine, domain: str, entry_id: int) -> list[Done]:
    """The merge steps done in the domain after that entry of the journal, oldest first."""
    query = (
        select(journal.c.entry_id, journal.c.plan_id, journal.c.at)
        .join(runs, runs.c.run_id == journal.c.run_id)
        .where(
            journal.c.entry_id > entry_id,
            journal.c.state == JournalState.DONE.value,
            runs.c.domain == domain,
        )
        .order_by(journal.c.entry_id)
    )
    with reading(engine) as connection:
        return [Done(row.entry_id, row.plan_id, row.at) for row in connection.execute(query)]


def merged_into(engine: Engine, profile_ids: Iterable[str]) -> dict[str, tuple[str, datetime]]:
    """By merged profile id: its survivor and when; profiles that no recorded merge took away are left out."""
    query = (
        select(merged_ids.c.merged_id, merged_ids.c.survivor_id, journal.c.at)
        .join(journal, journal.c.entry_id == merged_ids.c.entry_id)
        .where(merged_ids.c.merged_id.in_(list(profile_ids)))
        .order_by(merged_ids.c.entry_id)
    )
    with reading(engine) as connection:
        return {row.merged_id: (row.survivor_id, row.at) for row in connection.execute(query)}
