"""The review's memory: facts, claims and drafts, beside the decisions that matching reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import polars as pl
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from resolver.errors import LedgerFailed
from resolver.ledger import carried_out, decisions, gates
from resolver.ledger.connection import connect, reading, writing
from resolver.ledger.review_tables import (
    review_claims,
    review_drafts,
    review_facts,
    review_metadata,
    review_notes,
    review_plans,
)
from resolver.ledger.tables import decisions as decisions_table
from resolver.model.review_fact import ReviewFact
from resolver.planning.plan_table import plans_from_frame, plans_to_frame

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Connection, Engine

    from resolver.ledger.carried_out import Done
    from resolver.model.gates import GateFact
    from resolver.model.merge_plan import MergePlan
    from resolver.model.review_fact import Ruling

#: How far back facts are read again: a slower transaction may commit a smaller id after a larger one.
_OVERLAP = 64
#: Any number that nobody else locks: guards the creation of the review's tables on PostgreSQL.
_CREATION_LOCK = 5_022_015


def open_review_book(url: str) -> ReviewBook:
    """The review's part of the ledger at that path or URL; its tables are made where there are none.

    Raises:
        LedgerFailed: not writable, damaged, not a ledger, of another version.
    """
    return review_book(connect(url))


def review_book(engine: Engine) -> ReviewBook:
    """The review's part of an open ledger; its tables are made where there are none."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # two desks may start at once; SQLite has one writer anyway
            connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))
        review_metadata.create_all(connection)
    return ReviewBook(engine)


class ReviewBook:
    """A context manager. Every verb is one transaction, on disk when it returns, or raises LedgerFailed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.dispose()

    def record(self, domain: str, rulings: Sequence[Ruling]) -> list[int] | None:
        """Put the facts, the verdicts on pairs and the plans on disk together; the facts' ids.

        None, and nothing written, where another fact has taken the place of one of them: what the reviewer
        saw is no longer how the cluster stands.
        """
        try:
            with self._engine.begin() as connection:
                return [_record(connection, domain, ruling) for ruling in rulings]
        except IntegrityError:
            return None
        except SQLAlchemyError as error:
            raise LedgerFailed(f"ledger: cannot write a review ({type(error).__name__})") from None

    def facts_since(self, domain: str, fact_id: int) -> list[ReviewFact]:
        """The domain's facts after that one in the order of recording, and a few before it once more."""
        overlap = 0 if self._engine.dialect.name == "sqlite" else _OVERLAP  # SQLite has one writer at a time
        query = (
            select(review_facts, review_notes.c.note)
            .join(review_notes, review_notes.c.fact_id == review_facts.c.fact_id, isouter=True)
            .where(review_facts.c.domain == domain, review_facts.c.fact_id > fact_id - overlap)
            .order_by(review_facts.c.fact_id)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            ReviewFact(
                domain=row.domain,
                run_id=row.run_id,
                cluster_id=row.cluster_id,
                seq=row.seq,
                kind=row.kind,
                reviewer=row.reviewer,
                version=row.version,
                content=json.loads(row.content),
                at=row.at,
                note=row.note or "",
                fact_id=row.fact_id,
            )
            for row in rows
        ]

    def plans_of(self, fact_ids: Sequence[int]) -> dict[int, tuple[MergePlan, ...]]:
        """The plans recorded with those facts.

        Raises:
            BadFrame: a plan was altered since it was recorded.
        """
        query = select(review_plans).where(review_plans.c.fact_id.in_(fact_ids))
        texts: dict[int, list[str]] = {}
        with reading(self._engine) as connection:
            for row in connection.execute(query.order_by(review_plans.c.plan_id)):
                texts.setdefault(row.fact_id, []).append(row.content)
        return {
            fact_id: plans_from_frame(pl.read_ndjson("\n".join(lines).encode()))
            for fact_id, lines in texts.items()
        }

    def plan_facts(self, domain: str, run_id: str) -> list[tuple[str, int]]:
        """(plan id, fact id) of every plan that reviewers of a run approved."""
        query = (
            select(review_plans.c.plan_id, review_plans.c.fact_id)
            .join(review_facts, review_facts.c.fact_id == review_plans.c.fact_id)
            .where(review_facts.c.domain == domain, review_facts.c.run_id == run_id)
        )
        with reading(self._engine) as connection:
            return [(plan, fact) for plan, fact in connection.execute(query)]

    def done_since(self, domain: str, entry_id: int) -> list[Done]:
        """The merge steps done after that entry of the journal, oldest first."""
        return carried_out.done_since(self._engine, domain, entry_id)

    def gate_facts(self, domain: str) -> list[GateFact]:
        """What every run of the domain was measured at, the earliest first."""
        return gates.facts_of(self._engine, domain)

    def merged_into(self, profile_ids: Collection[str]) -> dict[str, tuple[str, datetime]]:
        """By profile that a recorded merge took away: its survivor and when."""
        return carried_out.merged_into(self._engine, profile_ids)

    def decisions_of(self, domain: str) -> pl.DataFrame:
        """The verdicts on pairs that hold now, as a DECISIONS frame of today's profile ids."""
        return decisions.decisions_of(self._engine, domain)

    def earlier_verdicts(
        self, domain: str, own: Collection[tuple[str, datetime]]
    ) -> dict[frozenset[str], str]:
        """The latest verdict on each pair of profiles that is not one of ``own`` (reviewer, moment)."""
        table = decisions_table
        query = select(table).where(table.c.domain == domain).order_by(table.c.decision_id)
        with reading(self._engine) as connection:
            return {
                frozenset((row.profile_id_left, row.profile_id_right)): row.verdict
                for row in connection.execute(query)
                if (row.reviewer, row.decided_at) not in own
            }

    def claim(self, domain: str, cluster_ids: Sequence[str], reviewer: str, until: datetime) -> list[str]:
        """Hold those clusters that nobody else holds at ``until`` minus the lease.

        The ids that are held now.
        """
        with writing(self._engine) as connection:
            held = self._held(connection, domain)
            mine = [c for c in cluster_ids if held.get(c, reviewer) == reviewer]
            if mine:
                connection.execute(
                    delete(review_claims).where(
                        review_claims.c.domain == domain, review_claims.c.cluster_id.in_(mine)
                    )
                )
                connection.execute(
                    insert(review_claims),
                    [{"domain": domain, "cluster_id": c, "reviewer": reviewer, "until": until} for c in mine],
                )
        return mine

    def take_over(self, domain: str, cluster_id: str, reviewer: str, until: datetime) -> None:
        """Hold a cluster, whoever held it."""
        there = (review_claims.c.domain == domain) & (review_claims.c.cluster_id == cluster_id)
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(review_claims).where(there).values(reviewer=reviewer, until=until)
            ).rowcount
            if not changed:
                connection.execute(
                    insert(review_claims).values(
                        domain=domain, cluster_id=cluster_id, reviewer=reviewer, until=until
                    )
                )

    def hand_back(self, domain: str, reviewer: str) -> int:
        """Let go of everything that the reviewer holds; how many that were."""
        mine = (review_claims.c.domain == domain) & (review_claims.c.reviewer == reviewer)
        with writing(self._engine) as connection:
            return connection.execute(delete(review_claims).where(mine)).rowcount

    def drop_expired(self, domain: str, now: datetime) -> None:
        """Let go of what was held until before now."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(review_claims).where(review_claims.c.domain == domain, review_claims.c.until <= now)
            )

    def claims(self, domain: str) -> dict[str, tuple[str, datetime]]:
        """Who holds each claimed cluster, and until when; expired claims included."""
        query = select(review_claims).where(review_claims.c.domain == domain)
        with reading(self._engine) as connection:
            return {row.cluster_id: (row.reviewer, row.until) for row in connection.execute(query)}

    def draft(self, domain: str, cluster_id: str, reviewer: str) -> dict[str, Any]:
        """What the reviewer has begun on a cluster; empty where nothing."""
        query = select(review_drafts.c.content).where(
            review_drafts.c.domain == domain,
            review_drafts.c.cluster_id == cluster_id,
            review_drafts.c.reviewer == reviewer,
        )
        with reading(self._engine) as connection:
            text = connection.execute(query).scalar()
        return json.loads(text) if text else {}

    def save_draft(self, domain: str, key: tuple[str, str], content: Mapping[str, Any], at: datetime) -> None:
        """Remember what was begun on ``key`` = (cluster id, reviewer); an empty draft is forgotten."""
        cluster_id, reviewer = key
        there = (
            (review_drafts.c.domain == domain)
            & (review_drafts.c.cluster_id == cluster_id)
            & (review_drafts.c.reviewer == reviewer)
        )
        with writing(self._engine) as connection:
            connection.execute(delete(review_drafts).where(there))
            if content:
                connection.execute(
                    insert(review_drafts).values(
                        domain=domain,
                        cluster_id=cluster_id,
                        reviewer=reviewer,
                        content=json.dumps(content),
                        at=at,
                    )
                )

    @staticmethod
    def _held(connection: Connection, domain: str) -> dict[str, str]:
        query = select(review_claims.c.cluster_id, review_claims.c.reviewer)
        rows = connection.execute(query.where(review_claims.c.domain == domain))
        return {row.cluster_id: row.reviewer for row in rows}


def _record(connection: Connection, domain: str, ruling: Ruling) -> int:
    fact = ruling.fact
    result = connection.execute(
        insert(review_facts).values(
            domain=domain,
            run_id=fact.run_id,
            cluster_id=fact.cluster_id,
            seq=fact.seq,
            kind=fact.kind,
            reviewer=fact.reviewer,
            version=fact.version,
            content=json.dumps(fact.content, sort_keys=True),
            at=fact.at,
        )
    )
    fact_id = int(result.inserted_primary_key[0])  # type: ignore[index]  # one insert has one key
    if fact.note:
        connection.execute(insert(review_notes).values(fact_id=fact_id, note=fact.note))
    for plan in ruling.plans:
        content = plans_to_frame([plan]).write_ndjson().strip()
        connection.execute(
            insert(review_plans).values(fact_id=fact_id, plan_id=plan.plan_id, content=content)
        )
    rows = [
        {
            "domain": domain,
            "profile_id_left": min(d.profile_id_left, d.profile_id_right),
            "profile_id_right": max(d.profile_id_left, d.profile_id_right),
            "verdict": d.verdict.value,
            "reviewer": d.reviewer,
            "reason": d.reason,
            "evidence": d.evidence,
            "decided_at": d.decided_at,
        }
        for d in ruling.decisions
    ]
    if rows:
        connection.execute(insert(decisions_table), rows)
    return fact_id
