"""The options by which a user says when merging must stop, and how they are read."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final

import typer

from resolver.errors import BadInput

if TYPE_CHECKING:
    from resolver.ledger.ledger import Ledger

Limit = Annotated[int | None, typer.Option("--limit", help="Stop after so many merges.", min=1)]
Until = Annotated[
    str | None, typer.Option("--until", help="Send nothing after this time of day (HH:MM, of this machine).")
]
Canary = Annotated[
    int,
    typer.Option("--canary", help="The first so many one at a time; stop on the first surprise.", min=0),
]
StopFile = Annotated[
    Path | None,
    typer.Option("--stop-file", help="Merging ends once this file is there [default: STOP in the run]."),
]
KeepDays = Annotated[
    int,
    typer.Option("--keep-days", help="Before-images older than this are erased; 0: never.", min=0),
]
AllowCases = Annotated[
    bool, typer.Option("--allow-cases", help="Merge profiles with Connect Cases, which stay behind.")
]
KEEP_DAYS: Final = 90
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def moment_of(until: str | None, now: datetime) -> datetime | None:
    """The next time that a clock at ``now``'s place shows HH:MM; null for null.

    Raises:
        BadInput: that is no time of day.
    """
    if until is None:
        return None
    match = _CLOCK.fullmatch(until)
    if match is None:
        raise BadInput(f"--until {until}: not a time of day like 05:30")
    then = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    return then if then > now else then + timedelta(days=1)


@contextmanager
def stopping_on_signals() -> Iterator[Event]:
    """An event that SIGTERM sets: merging ends after the call in hand."""
    stopped = Event()
    before = signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)


def tell_of_new_key(ledger: Ledger) -> None:
    """Say aloud that the before-images of a ledger now hang on a key file."""
    if ledger.new_key_file is not None:
        typer.echo(
            f"note: before-images are encrypted with a new key, {ledger.new_key_file}. Keep a copy "
            "elsewhere: without it nothing can be restored. RESOLVER_LEDGER_KEY names another key.",
            err=True,
        )
