"""The options by which a user says when merging must stop, and how they are read."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final

import typer

from resolver.cli.day_clock import next_time
from resolver.errors import BadInput

if TYPE_CHECKING:
    from resolver.ledger.ledger import Ledger

Limit = Annotated[int | None, typer.Option("--limit", help="Stop after so many plans are merged.", min=1)]
Until = Annotated[
    str | None,
    typer.Option("--until", help="Send nothing after this time of day (HH:MM, by this machine's clock)."),
]
Canary = Annotated[
    int,
    typer.Option(
        "--canary", help="The first so many plans one at a time; stop on the first surprise.", min=0
    ),
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
    """The next moment at which the clock of ``now``'s zone shows HH:MM, or jumps over it; null for null.

    Of a time that the clock shows twice, because it is put back, it is the one that comes next: the first
    while that is still to come. A time that it leaves out, because it is put forward, is over when it is.

    Raises:
        BadInput: that is no time of day.
    """
    if until is None:
        return None
    match = _CLOCK.fullmatch(until)
    if match is None:
        raise BadInput(f"--until {until}: not a time of day like 05:30")
    return next_time(time(int(match[1]), int(match[2])), now)


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
