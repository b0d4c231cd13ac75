"""What the gates said of each run, who released it, and the clusters' members between runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import insert, select

from resolver.errors import BadInput
from resolver.ledger.connection import reading, writing
from resolver.ledger.recollection import survivors
from resolver.ledger.tables import cluster_members, gates, plans, releases
from resolver.model.gates import GateFact

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine, Row

_FACTS = select(gates, releases.c.released_by, releases.c.reason).join(
    releases, releases.c.run_id == gates.c.run_id, isouter=True
)
_GOOD = (gates.c.held.is_(False)) | releases.c.run_id.is_not(None)


def record(engine: Engine, fact: GateFact, members: pl.DataFrame) -> None:
    """Put a run's figures and verdict on disk, and members that moved (of ``report.lineage``), together."""
    rows = [{"run_id": fact.run_id, **row} for row in members.iter_rows(named=True)]
    with writing(engine) as connection:
        connection.execute(
            insert(gates).values(
                run_id=fact.run_id,
                domain=fact.domain,
                held=fact.state == "held",
                compared_with=fact.compared_with,
                figures=json.dumps(dict(fact.figures), sort_keys=True),
                breaches=json.dumps(list(fact.breaches)),
                at=fact.at,
            )
        )
        if rows:
            connection.execute(insert(cluster_members), rows)


def last_good(engine: Engine, domain: str) -> GateFact | None:
    """The last run of the domain that passed or was released."""
    return _latest(engine, (gates.c.domain == domain) & _GOOD)


def latest(engine: Engine, domain: str) -> GateFact | None:
    """The last run of the domain, whatever the gates said."""
    return _latest(engine, gates.c.domain == domain)


def facts_of(engine: Engine, domain: str) -> list[GateFact]:
    """Every run of the domain, the earliest first."""
    query = _FACTS.where(gates.c.domain == domain).order_by(gates.c.number)
    with reading(engine) as connection:
        return [_fact(row) for row in connection.execute(query)]


def release(engine: Engine, domain: str, run_id: str, by: tuple[str, str, datetime]) -> GateFact:
    """Let a held run pass; ``by`` is the person, the reason and the moment.

    Only the latest run can be: what was concluded before it is out of date.

    Raises:
        BadInput: no such run in the domain, it is not held, or a later one has run.
    """
    with writing(engine) as connection:
        rows = connection.execute(_FACTS.where(gates.c.domain == domain).order_by(gates.c.number)).all()
        row = next((row for row in rows if row.run_id == run_id), None)
        if row is None:
            raise BadInput(f"run {run_id}: the gates have seen no such run of domain {domain}")
        if (state := _fact(row).state) != "held":
            raise BadInput(f"run {run_id}: it is not held but {state}")
        if rows[-1].run_id != run_id:
            raise BadInput(
                f"run {run_id}: out of date, run {rows[-1].run_id} came later; release that, or run again"
            )
        person, reason, at = by
        connection.execute(insert(releases).values(run_id=run_id, released_by=person, reason=reason, at=at))
        return _fact(connection.execute(_FACTS.where(gates.c.run_id == run_id)).one())


def held_plans(engine: Engine, domain: str) -> dict[str, str]:
    """Plan id → run, of plans that only held runs have concluded."""
    held = (
        select(plans.c.plan_id, plans.c.run_id)
        .join(gates, gates.c.run_id == plans.c.run_id)
        .join(releases, releases.c.run_id == gates.c.run_id, isouter=True)
        .where(gates.c.domain == domain, gates.c.held, releases.c.run_id.is_(None))
        .order_by(gates.c.number)
    )
    with reading(engine) as connection:
        found = {row.plan_id: row.run_id for row in connection.execute(held)}
        if not found:
            return {}
        others = (
            select(plans.c.plan_id)
            .join(gates, gates.c.run_id == plans.c.run_id, isouter=True)
            .join(releases, releases.c.run_id == gates.c.run_id, isouter=True)
            .where(gates.c.run_id.is_(None) | _GOOD)
        )
        free = {row.plan_id for row in connection.execute(others)}
    return {plan_id: run_id for plan_id, run_id in found.items() if plan_id not in free}


def members_of(engine: Engine, domain: str) -> pl.DataFrame:
    """The FORMER members (``report.lineage``) as the runs that passed or were released left them."""
    query = (
        select(cluster_members.c.profile_id, cluster_members.c.persistent_id, cluster_members.c.present)
        .join(gates, gates.c.run_id == cluster_members.c.run_id)
        .join(releases, releases.c.run_id == gates.c.run_id, isouter=True)
        .where(gates.c.domain == domain, _GOOD)
        .order_by(gates.c.number)
    )
    with reading(engine) as connection:
        now = {row.profile_id: (row.persistent_id, row.present) for row in connection.execute(query)}
    into = survivors(engine, domain)
    rows = [(i, into.get(i, i), name, there) for i, (name, there) in now.items()]
    columns = {
        "profile_id": pl.String,
        "today_id": pl.String,
        "persistent_id": pl.String,
        "present": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=columns, orient="row").sort("profile_id")


def _latest(engine: Engine, condition: Any) -> GateFact | None:
    query = _FACTS.where(condition).order_by(gates.c.number.desc()).limit(1)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _fact(row)


def _fact(row: Row[Any]) -> GateFact:
    return GateFact(
        run_id=row.run_id,
        domain=row.domain,
        state="released" if row.released_by is not None else "held" if row.held else "passed",
        compared_with=row.compared_with,
        figures=json.loads(row.figures),
        breaches=tuple(json.loads(row.breaches)),
        at=row.at,
        released_by=row.released_by,
        release_reason=row.reason,
    )
