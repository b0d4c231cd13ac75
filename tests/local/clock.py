"""Time as tests set it."""

from __future__ import annotations

from datetime import UTC, datetime


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, tzinfo=UTC).timestamp()  # a Monday

    def __call__(self) -> float:
        return self.now
