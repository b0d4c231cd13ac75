"""What processes of their own do to a ledger."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from resolver.errors import AlreadyRunning
from resolver.ledger.ledger import open_ledger

if TYPE_CHECKING:
    from datetime import datetime

    from resolver.model.journal import JournalEntry
    from resolver.model.run import Run


def try_to_hold(url: str, holder: str, now: datetime, answers: Any) -> None:
    """Put "held" or "turned away" into the queue."""
    with open_ledger(url) as ledger:
        try:
            ledger.acquire_lease("retail", holder, now)
            answers.put("held")
        except AlreadyRunning:
            answers.put("turned away")


def record_and_die(url: str, run: Run, entry: JournalEntry) -> None:
    """Record an intent and be killed at once."""
    ledger = open_ledger(url)
    ledger.start_run(run)
    ledger.record_intent(entry)
    os.kill(os.getpid(), signal.SIGKILL)
