"""The ledger: all that must be remembered and could not be computed again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import insert, select

from resolver.ledger import decisions, journal, leases
from resolver.ledger.connection import connect, place, reading, writing
from resolver.ledger.tables import run_ends, runs
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    import polars as pl
    from sqlalchemy import Engine

    from resolver.model.decision import Decision
    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile
    from resolver.model.run import Run


def open_ledger(url: str) -> Ledger:
    """The ledger at a path or ``sqlite:///`` URL (made where there is none), or in PostgreSQL by URL.

    Raises:
        LedgerFailed: not writable, damaged, not a ledger, of another version.
    """
    return Ledger(connect(url))


class Ledger:
    """A context manager. Every verb is one transaction, on disk when it returns, or raises LedgerFailed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return place(self._engine)

    def start_run(self, run: Run) -> None:
        """Remember that a run began; journal entries and plans name it."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(runs).values(
                    run_id=run.run_id,
                    domain=run.domain,
                    command=run.command,
                    actor=run.actor,
                    started_at=run.started_at,
                )
            )

    def end_run(self, run_id: str, outcome: str, summary: Mapping[str, Any], at: datetime) -> None:
        """Remember how a run ended; ``summary`` holds counts, no personal data."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(run_ends).values(
                    run_id=run_id, outcome=outcome, summary=json.dumps(summary), ended_at=at
                )
            )

    def end_of(self, run_id: str) -> tuple[str, dict[str, Any]] | None:
        """How a run ended and its counts; null for a run that goes on or died."""
        query = select(run_ends.c.outcome, run_ends.c.summary).where(run_ends.c.run_id == run_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.outcome, json.loads(row.summary))

    def record_plans(self, run_id: str, plans: Sequence[MergePlan]) -> None:
        """Remember what a run concluded, whole."""
        journal.record_plans(self._engine, run_id, plans)

    def record_intent(self, entry: JournalEntry) -> int:
        """Put an intent with its images on disk; only then may the merge be sent."""
        return journal.record_intent(self._engine, entry)

    def record_result(self, entry: JournalEntry) -> int:
        """Put on disk what came of an intent, or why there was none."""
        return journal.record_result(self._engine, entry)

    def open_intents(self, domain: str) -> list[JournalEntry]:
        """Merge steps whose outcome is not known: the executor died, or never got an answer."""
        return journal.standing(self._engine, domain, (JournalState.INTENT, JournalState.SENT))

    def unclear(self, domain: str) -> list[JournalEntry]:
        """Merge steps that wait for a person."""
        return journal.standing(self._engine, domain, (JournalState.UNCLEAR,))

    def done_steps(self, domain: str) -> dict[str, int]:
        """How many steps of each plan are done, for plans of which at least one is."""
        return journal.done_steps(self._engine, domain)

    def expected_after(self, plan_id: str, step: int) -> Profile:
        """The profile that a step of a plan was to leave, by its latest intent."""
        return journal.expected_after(self._engine, plan_id, step)

    def unfinished_plans(self, domain: str) -> list[MergePlan]:
        """Plans of which some calls are done and others are not."""
        return journal.unfinished_plans(self._engine, domain)

    def entries_of(self, plan_id: str) -> list[JournalEntry]:
        """Every entry about a plan in the order of recording, without the images."""
        return journal.entries_of(self._engine, plan_id)

    def survivors(self, domain: str) -> dict[str, str]:
        """Each merged-away id and the id of the profile that holds its content now."""
        return journal.survivors(self._engine, domain)

    def record_decisions(self, domain: str, made: Iterable[Decision]) -> None:
        """Add people's verdicts; the latest on a pair holds."""
        decisions.record_decisions(self._engine, domain, made)

    def decisions_of(self, domain: str) -> pl.DataFrame:
        """The verdicts that hold now, as a DECISIONS frame of today's profile ids."""
        return decisions.decisions_of(self._engine, domain)

    def acquire_lease(self, domain: str, holder: str, now: datetime) -> datetime:
        """Hold the domain until the moment returned; raises AlreadyRunning while another holds it."""
        return leases.acquire(self._engine, domain, holder, now)

    def renew_lease(self, domain: str, holder: str, now: datetime) -> datetime:
        """Hold the domain for longer; raises AlreadyRunning where the lease was lost."""
        return leases.renew(self._engine, domain, holder, now)

    def release_lease(self, domain: str, holder: str) -> None:
        """Let the domain go."""
        leases.release(self._engine, domain, holder)
