"""What a ledger says of a domain at a glance: last run, lease, reviews. No customers' data is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, inspect, select

from resolver.ledger.connection import reading
from resolver.ledger.review_tables import review_facts
from resolver.ledger.tables import leases, restores, run_ends, runs

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: Facts by which a reviewer has said something of a cluster.
_SAID = ("verdict", "second")


def last_run(engine: Engine, domain: str) -> dict[str, Any] | None:
    """The run that began last; ``outcome`` is null where it only planned, goes on, or died."""
    query = (
        select(runs, run_ends.c.outcome, run_ends.c.summary, run_ends.c.ended_at)
        .join(run_ends, run_ends.c.run_id == runs.c.run_id, isouter=True)
        .where(runs.c.domain == domain)
        .order_by(runs.c.started_at.desc(), runs.c.run_id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return {
        "run_id": row.run_id,
        "command": row.command,
        "actor": row.actor,
        "started_at": row.started_at,
        "outcome": row.outcome,
        "summary": None if row.summary is None else json.loads(row.summary),
        "ended_at": row.ended_at,
    }


def lease_of(engine: Engine, domain: str) -> dict[str, Any] | None:
    """Who holds the domain and until when, as written; a dead holder's lease ends by time."""
    query = select(leases.c.holder, leases.c.expires_at).where(leases.c.domain == domain)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else {"holder": row.holder, "expires_at": row.expires_at}


def restores_asked(engine: Engine, domain: str) -> list[str]:
    """Plans that reviewers asked to have undone, and nobody has begun to; ids, sorted."""
    query = select(review_facts.c.content).where(
        review_facts.c.domain == domain, review_facts.c.kind == "restore"
    )
    with reading(engine) as connection:
        if not inspect(connection).has_table(review_facts.name):
            return []
        asked = {json.loads(text)["plan_id"] for text in connection.execute(query).scalars()}
        begun = set(connection.execute(select(restores.c.plan_id)).scalars())
    return sorted(asked - begun)


def judged(engine: Engine, domain: str, run_id: str) -> int:
    """Clusters of a run that a reviewer has judged; 0 where nobody has opened the review."""
    query = select(func.count(func.distinct(review_facts.c.cluster_id))).where(
        review_facts.c.domain == domain, review_facts.c.run_id == run_id, review_facts.c.kind.in_(_SAID)
    )
    with reading(engine) as connection:
        if not inspect(connection).has_table(review_facts.name):
            return 0
        return int(connection.execute(query).scalar_one())
