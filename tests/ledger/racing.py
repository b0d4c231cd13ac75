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


def try_to_hold(url: str, holder: str, now: datetime, signals: tuple[Any, Any]) -> None:
    """Put "held" or "turned away" into the queue, and live until all have: a dead holder loses at once."""
    answers, all_answered = signals
    with open_ledger(url) as ledger:
        try:
            ledger.acquire_lease("retail", holder, now)
            answers.put("held")
        except AlreadyRunning:
            answers.put("turned away")
        all_answered.wait(60)


def hold_and_die(url: str, holder: str, now: datetime) -> None:
    """Hold the domain and be killed at once."""
    open_ledger(url).acquire_lease("retail", holder, now)
    os.kill(os.getpid(), signal.SIGKILL)


def record_and_die(url: str, run: Run, entry: JournalEntry, key: str) -> None:
    """Record an intent, sealed with that key, and be killed at once."""
    os.environ["RESOLVER_LEDGER_KEY"] = key
    ledger = open_ledger(url)
    ledger.start_run(run)
    ledger.record_intent(entry)
    os.kill(os.getpid(), signal.SIGKILL)
