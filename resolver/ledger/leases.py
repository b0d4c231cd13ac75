"""One run at a time per domain: a lease that its holder renews and that a dead holder loses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from resolver.errors import AlreadyRunning
from resolver.ledger.connection import reading, writing
from resolver.ledger.tables import leases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

#: How long a lease lasts without a heartbeat: longer than a merge may take to answer.
LASTING: Final = timedelta(minutes=5)


def acquire(engine: Engine, domain: str, holder: str, now: datetime) -> datetime:
    """Hold the domain until the moment returned; an expired lease of another holder is taken over.

    Raises:
        AlreadyRunning: names the other holder and when its lease ends.
    """
    expires_at = now + LASTING
    taken = (
        update(leases)
        .where(leases.c.domain == domain)
        .where(or_(leases.c.expires_at <= now, leases.c.holder == holder))
        .values(holder=holder, expires_at=expires_at)
    )
    with writing(engine) as connection:
        if connection.execute(taken).rowcount:
            return expires_at
        try:
            with connection.begin_nested():
                connection.execute(insert(leases).values(domain=domain, holder=holder, expires_at=expires_at))
        except IntegrityError:
            other = connection.execute(select(leases).where(leases.c.domain == domain)).one()
            raise AlreadyRunning(
                f"domain {domain}: {other.holder} is at work there "
                f"(its lease ends at {other.expires_at:%Y-%m-%d %H:%M:%S} UTC unless renewed)"
            ) from None
    return expires_at


def renew(engine: Engine, domain: str, holder: str, now: datetime) -> datetime:
    """Hold the domain for longer.

    Raises:
        AlreadyRunning: the lease had expired, and another run has it now.
    """
    expires_at = now + LASTING
    mine = (leases.c.domain == domain) & (leases.c.holder == holder)
    with writing(engine) as connection:
        if not connection.execute(update(leases).where(mine).values(expires_at=expires_at)).rowcount:
            raise AlreadyRunning(f"domain {domain}: the lease of {holder} was lost to another run")
    return expires_at


def release(engine: Engine, domain: str, holder: str) -> None:
    """Let the domain go; another holder's lease stays."""
    with writing(engine) as connection:
        connection.execute(delete(leases).where(leases.c.domain == domain, leases.c.holder == holder))


def holder_of(engine: Engine, domain: str) -> tuple[str, datetime] | None:
    """Who holds the domain and until when, expired or not; null where nobody does."""
    with reading(engine) as connection:
        row = connection.execute(select(leases).where(leases.c.domain == domain)).one_or_none()
    return (row.holder, row.expires_at) if row else None
