"""A clock that only sleeping moves: what waits is tested in no time."""

from __future__ import annotations


class SleepingClock:
    """``clock`` and ``sleep`` as a pace takes them; ``now`` in seconds."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
