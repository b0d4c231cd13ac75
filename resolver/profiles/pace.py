"""Calls spread evenly below a quota that others share, slower when the service says so.

Quotas of Customer Profiles are per account: an export at full speed takes them from the agents' desktops.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SLOWEST = 0.5  #: calls a second that even repeated throttling does not go below
RECOVERY = 0.02  #: share of the ceiling that each answered call gives back after a throttle
UNLIMITED_FALLBACK = 50.0  #: where an unlimited pace starts once the service throttles it


class Pace:
    """One call every 1/rate seconds, for all threads together; null means no limit.

    Evenly spaced rather than in bursts: then no second ever holds more than ``rate`` + 1 calls. A throttled
    answer halves the rate (once for all calls that were in flight), answered calls raise it back slowly.
    """

    def __init__(
        self,
        calls_per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._ceiling = calls_per_second
        self._rate = calls_per_second
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._slowed_at = -1.0
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @property
    def rate(self) -> float | None:
        """Calls a second at present; null means no limit."""
        return self._rate

    def wait(self) -> float:
        """Wait for this call's turn; the moment at which it starts, by the clock."""
        with self._lock:
            now = self._clock()
            if self._rate is None:
                return now
            start = max(now, self._next)
            self._next = start + 1 / self._rate
        if start > now:
            self._sleep(start - now)
        return start

    def in_turn(self, allowed: Callable[[], None]) -> float:
        """As ``wait``, for a call that is looked at again when its turn has come.

        ``allowed`` is asked after the waiting, right before the call; what it raises leaves the turn to the
        next caller. One caller at a time: the spacing counts from when a call begins.
        """
        with self._turn:
            with self._lock:
                pause = 0.0 if self._rate is None else self._next - self._clock()
            if pause > 0:
                self._sleep(pause)
            allowed()
            with self._lock:
                started = self._clock()
                if self._rate is not None:
                    self._next = max(self._next, started + 1 / self._rate)
            return started

    def now(self) -> float:
        """The moment, in seconds, by the clock of ``wait``."""
        return self._clock()

    def throttled(self, started: float) -> None:
        """Halve the rate, unless the call began before the last halving."""
        with self._lock:
            if started < self._slowed_at:
                return
            self._rate = max((self._rate or UNLIMITED_FALLBACK) / 2, SLOWEST)
            self._slowed_at = self._clock()
            self._next = max(self._next, self._slowed_at + 1 / self._rate)

    def answered(self) -> None:
        """Give back a little of what throttling took."""
        if self._rate is None or self._rate == self._ceiling:
            return
        with self._lock:
            ceiling = self._ceiling or UNLIMITED_FALLBACK
            if self._rate is not None and self._rate < ceiling:
                self._rate = min(ceiling, self._rate * (1 + RECOVERY))


class Tally:
    """Calls by operation, counted by several threads."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, operation: str) -> None:
        """One more call."""
        with self._lock:
            self._counts[operation] += 1

    @property
    def counts(self) -> dict[str, int]:
        """Calls so far, by operation, in alphabetic order."""
        with self._lock:
            return dict(sorted(self._counts.items()))
