"""One run at a time per domain: a lease that its holder renews and that a dead holder loses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from resolver.errors import AlreadyRunning, LedgerFailed
from resolver.ledger.connection import place, reading, writing
from resolver.ledger.holders import is_surely_dead, this_process
from resolver.ledger.tables import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

#: How long a lease lasts without a heartbeat. Shorter than a merge may take to answer: whoever takes a lease
#: over settles what its holder left open by reading, and reads again before every merge.
LASTING: Final = timedelta(seconds=60)
#: Hosts whose clocks differ from their database's by more would take each other's leases.
MOST_SKEW: Final = timedelta(seconds=10)


def acquire(engine: Engine, domain: str, holder: str, now: datetime) -> datetime:
    """Hold the domain until the moment returned.

    An expired lease is taken over, and at once that of a process of this machine that is surely dead. One
    that ends later than any lease of now can was taken before a clock was set back: it is cut to the length
    of one, within which a holder that lives renews it.

    Raises:
        AlreadyRunning: names the other holder and when its lease ends.
    """
    expires_at = now + LASTING
    mine = {"holder": holder, "expires_at": expires_at, "process": this_process()}
    there = leases.c.domain == domain
    beyond = leases.c.expires_at > expires_at + MOST_SKEW
    with writing(engine) as connection:
        connection.execute(update(leases).where(there).where(beyond).values(expires_at=expires_at))
    taken = update(leases).where(there).where(or_(leases.c.expires_at <= now, leases.c.holder == holder))
    with writing(engine) as connection:
        if connection.execute(taken.values(**mine)).rowcount:
            return expires_at
        try:
            with connection.begin_nested():
                connection.execute(insert(leases).values(domain=domain, **mine))
        except IntegrityError:
            _take_from_the_dead(connection, domain, mine)
    return expires_at


def _take_from_the_dead(connection: Connection, domain: str, mine: dict[str, object]) -> None:
    there = leases.c.domain == domain
    other = connection.execute(select(leases).where(there)).one()
    if is_surely_dead(other.process):
        same = there & (leases.c.holder == other.holder) & (leases.c.process == other.process)
        if connection.execute(update(leases).where(same).values(**mine)).rowcount:
            return
    raise AlreadyRunning(
        f"domain {domain}: {other.holder} is at work there "
        f"(its lease ends at {other.expires_at:%Y-%m-%d %H:%M:%S} UTC unless renewed)"
    ) from None


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


def check_clock(engine: Engine) -> None:
    """See that this machine's clock fits the database's, by which other hosts judge our lease.

    Raises:
        LedgerFailed: they differ by more than leases allow.
    """
    if engine.dialect.name == "sqlite":
        return  # one machine, one clock
    with reading(engine) as connection:
        theirs = connection.execute(select(func.clock_timestamp())).scalar_one()
    difference = datetime.now(UTC) - theirs
    if abs(difference) > MOST_SKEW:
        raise LedgerFailed(
            f"ledger {place(engine)}: this machine's clock and the database's differ by "
            f"{difference.total_seconds():.0f} s: leases that hosts share would not hold; set the clock first"
        )
