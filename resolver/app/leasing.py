"""One run at a time in a domain, for as long as the run lasts."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from resolver.errors import AlreadyRunning, LedgerFailed
from resolver.ledger.leases import LASTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from resolver.ledger.ledger import Ledger

HEARTBEAT: Final = 10.0  # seconds between renewals of the lease
#: Nothing is sent unless the lease lasts so much longer: two heartbeats, one of which may be missed.
LEFT_AT_LEAST: Final = timedelta(seconds=20)


@contextmanager
def leased(
    domain_name: str, ledger: Ledger, holder: str, clock: Callable[[], datetime]
) -> Iterator[Callable[[], None]]:
    """Hold the domain while the block lasts; what is yielded raises once the hold is no longer sure.

    Sure is a hold by the clock, by which other hosts judge it, and by the time that has passed since it was
    renewed, which no setting of the clock changes.

    Raises:
        AlreadyRunning: another run holds it, or has taken it over.
        LedgerFailed: the ledger cannot be written, or its clock is not ours.
    """
    ledger.check_clock()
    renewed = [(time.monotonic(), ledger.acquire_lease(domain_name, holder, clock()))]
    over = threading.Event()

    def renew() -> None:
        while not over.wait(HEARTBEAT):
            try:
                begun = time.monotonic()
                renewed[0] = begun, ledger.renew_lease(domain_name, holder, clock())
            except AlreadyRunning:
                renewed[0] = renewed[0][0], clock()
                return
            except LedgerFailed:
                continue  # the ledger may come back before the lease ends; if not, nothing more is sent

    def may_send() -> None:
        at, expires_at = renewed[0]
        left = min(expires_at - clock(), LASTING - timedelta(seconds=time.monotonic() - at))
        if left < LEFT_AT_LEAST:
            raise AlreadyRunning(f"domain {domain_name}: the lease of {holder} could not be renewed in time")

    beating = threading.Thread(target=renew, name="lease", daemon=True)
    beating.start()
    try:
        yield may_send
    finally:
        over.set()
        beating.join()
        with suppress(
            LedgerFailed
        ):  # a ledger that fails now is told of by what failed first; the lease ends
            ledger.release_lease(domain_name, holder)
