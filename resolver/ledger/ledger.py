"""The ledger: all that must be remembered and could not be computed again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import insert, select

from resolver.errors import ResolverError
from resolver.ledger import (
    decisions,
    erasing,
    gates,
    journal,
    leases,
    receipts,
    recollection,
    restores,
    status,
)
from resolver.ledger.connection import connect, place, reading, seal_of, writing
from resolver.ledger.contents import abandon, check_key, reseal
from resolver.ledger.reviews import ReviewBook, review_book
from resolver.ledger.tables import run_ends, runs
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    import polars as pl
    from sqlalchemy import Engine

    from resolver.ledger.receipts import CallReceipt, MergeFact
    from resolver.ledger.restores import RestoreFact
    from resolver.ledger.sealing import Seal
    from resolver.model.decision import Decision
    from resolver.model.gates import GateFact
    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.model.restoration import Restoration
    from resolver.model.run import Run


def open_ledger(url: str) -> Ledger:
    """The ledger at a path or ``sqlite:///`` URL (made where there is none), or in PostgreSQL by URL.

    Customers' data in it is sealed with the key of the environment (RESOLVER_LEDGER_KEY, or the file that
    RESOLVER_LEDGER_KEY_FILE names), else with one that is made beside a SQLite file.

    Raises:
        LedgerFailed: not writable, damaged, not a ledger, of a newer version.
        BadInput: the key is none.
    """
    engine = connect(url)
    try:
        return Ledger(engine, seal_of(engine))
    except ResolverError:
        engine.dispose()
        raise


class Ledger:
    """A context manager. Every verb is one transaction, on disk when it returns, or raises LedgerFailed."""

    def __init__(self, engine: Engine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal

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

    @property
    def new_key_file(self) -> Path | None:
        """The key file that was made since the ledger was opened; null where there was a key."""
        return self._seal.made

    def reseal(self) -> int:
        """Seal all customers' data anew with the first key; how many texts."""
        with writing(self._engine) as connection:
            return reseal(connection, self._seal, all_of_it=True)

    def check_key(self) -> None:
        """See that the latest before-image opens with the keys at hand; raises LedgerFailed where not."""
        with reading(self._engine) as connection:
            check_key(connection, self._seal)

    def abandon(self) -> int:
        """Give up customers' data whose key is lost; how many texts. The history stays."""
        with writing(self._engine) as connection:
            return abandon(connection, self._seal)

    def record_plans(
        self, run_id: str, plans: Sequence[MergePlan], approvals: Mapping[str, str] | None = None
    ) -> None:
        """Remember what a run concluded, whole, and who approved it (by plan id).

        Raises:
            LedgerFailed: what is there was sealed with a key that is not at hand.
        """
        self.check_key()
        journal.record_plans((self._engine, self._seal), run_id, plans, approvals or {})

    def record_intent(self, entry: JournalEntry) -> int:
        """Put an intent with its images on disk; only then may the merge be sent."""
        return journal.record_intent(self._engine, self._seal, entry)

    def record_result(self, entry: JournalEntry) -> int:
        """Put on disk what came of an intent, or why there was none."""
        return journal.record_result(self._engine, self._seal, entry)

    def open_intents(self, domain: str) -> list[JournalEntry]:
        """Merge steps whose outcome is not known: the executor died, or never got an answer."""
        return self.standing(domain, (JournalState.INTENT, JournalState.SENT))

    def unclear(self, domain: str) -> list[JournalEntry]:
        """Merge steps that wait for a person."""
        return self.standing(domain, (JournalState.UNCLEAR,))

    def standing(self, domain: str, states: Iterable[JournalState]) -> list[JournalEntry]:
        """The intents of those steps whose latest entry in its run has such a state."""
        return recollection.standing(self._engine, self._seal, domain, states)

    def done_steps(self, domain: str) -> dict[str, int]:
        """How many steps of each plan are done, for plans of which at least one is."""
        return recollection.done_steps(self._engine, domain)

    def intent_of(self, plan_id: str, step: int) -> JournalEntry:
        """The latest intent of a step of a plan, with its images."""
        return recollection.intent_of(self._engine, self._seal, plan_id, step)

    def unfinished_plans(self, domain: str) -> list[MergePlan]:
        """Plans of which some calls are done and others are not."""
        return recollection.unfinished_plans(self._engine, self._seal, domain)

    def closed_plans(self, domain: str) -> frozenset[str]:
        """Plans that a person has closed: they stay as far as they have come."""
        return recollection.closed_plans(self._engine, domain)

    def plan_of(self, plan_id: str) -> MergePlan:
        """A plan as it was recorded."""
        return recollection.plan_by_id(self._engine, self._seal, plan_id)

    def entries_of(self, plan_id: str) -> list[JournalEntry]:
        """Every entry about a plan in the order of recording, without the images."""
        return recollection.entries_of(self._engine, plan_id)

    def survivors(self, domain: str) -> dict[str, str]:
        """Each merged-away id and the id of the profile that holds its content now."""
        return recollection.survivors(self._engine, domain)

    def merges_of(self, domain: str) -> list[MergeFact]:
        """The plans of which something was sent or tried, the latest first."""
        return receipts.merges_of(self._engine, domain)

    def receipts_of(self, plan_id: str) -> list[CallReceipt]:
        """Every entry about a plan with what was read back."""
        return receipts.receipts_of(self._engine, self._seal, plan_id)

    def check_images(self, domain: str) -> dict[str, Any]:
        """Prove that the before-images can be read: counts, and the plans whose images cannot."""
        return receipts.check_images(self._engine, self._seal, domain)

    def begin_restore(self, restoration: Restoration, run_id: str, at: datetime) -> None:
        """Put a whole restoration on disk; only then may its first call be sent."""
        self.check_key()
        restores.begin((self._engine, self._seal), restoration, run_id, at)

    def record_restore(self, fact: RestoreFact, new_id: tuple[str, str] | None = None) -> None:
        """Put on disk what was done of a restore, and (old id, new id) of a profile that it made."""
        restores.record(self._engine, fact, new_id)

    def restore_of(self, plan_id: str) -> tuple[str, str, Restoration | None] | None:
        """Id, state and content of the restore of a plan; null where none was begun."""
        return restores.of_plan((self._engine, self._seal), plan_id)

    def restored(self, restore_id: str) -> tuple[set[int], dict[str, str]]:
        """The steps of a restore that are done, and old id → new id."""
        return restores.done_of(self._engine, restore_id)

    def restored_as(self, domain: str) -> dict[str, str]:
        """Old id → new id of every profile that a restore made."""
        return restores.restored_as(self._engine, domain)

    def restore_states(self, domain: str) -> dict[str, tuple[str, str]]:
        """Restore id and state of each plan whose restore was begun."""
        return restores.states(self._engine, domain)

    def restoring(self, domain: str) -> dict[str, str]:
        """Profiles in the middle of an unfinished restore, and the plan that it undoes."""
        return restores.restoring(self._engine, domain)

    def expire(self, domain: str, before: datetime) -> dict[str, int]:
        """Empty what is older and no longer needed; counts."""
        return erasing.expire(self._engine, domain, before)

    def forget(self, domain: str, profile_id: str, by: tuple[str, datetime]) -> dict[str, Any]:
        """Erase a person's data, found through the merges; the ids, and counts of what was removed."""
        return erasing.forget(self._engine, domain, profile_id, by)

    def erasures_of(self, domain: str) -> list[dict[str, Any]]:
        """What was erased on request."""
        return erasing.erasures_of(self._engine, domain)

    @property
    def reviews(self) -> ReviewBook:
        """What reviewers said, cluster by cluster; not to be closed for itself."""
        return review_book(self._engine)

    def record_decisions(self, domain: str, made: Iterable[Decision]) -> None:
        """Add people's verdicts; the latest on a pair holds."""
        decisions.record_decisions(self._engine, domain, made)

    def decisions_of(self, domain: str) -> pl.DataFrame:
        """The verdicts that hold now, as a DECISIONS frame of today's profile ids."""
        return decisions.decisions_of(self._engine, domain)

    def record_gate(self, fact: GateFact, members: pl.DataFrame) -> None:
        """Put a run's figures and the gates' verdict on disk, and cluster members that moved."""
        gates.record(self._engine, fact, members)

    def last_good_run(self, domain: str) -> GateFact | None:
        """The last run that passed the gates or was released."""
        return gates.last_good(self._engine, domain)

    def latest_gate(self, domain: str) -> GateFact | None:
        """What the gates said of the last run."""
        return gates.latest(self._engine, domain)

    def gates_of(self, domain: str) -> list[GateFact]:
        """What the gates said of every run, the earliest first."""
        return gates.facts_of(self._engine, domain)

    def release_run(self, domain: str, run_id: str, by: tuple[str, str, datetime]) -> GateFact:
        """Let a held run pass: person, reason, moment; raises BadInput unless it is the latest and held."""
        return gates.release(self._engine, domain, run_id, by)

    def held_plans(self, domain: str) -> dict[str, str]:
        """Plan id → run, of plans that only held runs have concluded."""
        return gates.held_plans(self._engine, domain)

    def cluster_members(self, domain: str) -> pl.DataFrame:
        """Which persistent cluster each profile belongs to, as FORMER of ``report.lineage``."""
        return gates.members_of(self._engine, domain)

    def last_run(self, domain: str) -> dict[str, Any] | None:
        """The run that began last, and how it ended."""
        return status.last_run(self._engine, domain)

    def lease_of(self, domain: str) -> dict[str, Any] | None:
        """Who holds the domain, and until when."""
        return status.lease_of(self._engine, domain)

    def restores_asked(self, domain: str) -> list[str]:
        """Plans that reviewers asked to have undone, and nobody has begun to."""
        return status.restores_asked(self._engine, domain)

    def judged(self, domain: str, run_id: str) -> int:
        """Clusters of a run that a reviewer has judged."""
        return status.judged(self._engine, domain, run_id)

    def acquire_lease(self, domain: str, holder: str, now: datetime) -> datetime:
        """Hold the domain until the moment returned; raises AlreadyRunning while another holds it."""
        return leases.acquire(self._engine, domain, holder, now)

    def renew_lease(self, domain: str, holder: str, now: datetime) -> datetime:
        """Hold the domain for longer; raises AlreadyRunning where the lease was lost."""
        return leases.renew(self._engine, domain, holder, now)

    def release_lease(self, domain: str, holder: str) -> None:
        """Let the domain go."""
        leases.release(self._engine, domain, holder)

    def check_clock(self) -> None:
        """See that this machine's clock fits the database's, where hosts share it."""
        leases.check_clock(self._engine)
