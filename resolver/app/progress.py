"""What a long job tells while it works: stages when they end, steps while they run."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Listener(Protocol):
    """Where progress goes: a terminal, JSON lines, or nowhere. Never personal data."""

    def stage(self, name: str, facts: Mapping[str, object]) -> None:
        """A stage has ended; ``facts`` hold its counts, ``seconds``, ``cpu_seconds`` and ``peak_mib``."""

    def step(self, name: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` (null: unknown) units of the stage are through."""


class Quiet:
    """A listener that tells nobody."""

    def stage(self, name: str, facts: Mapping[str, object]) -> None:
        """Say nothing of a stage."""

    def step(self, name: str, done: int, total: int | None) -> None:
        """Say nothing of a step."""


@dataclass
class Stopwatch:
    """Turns the bare counts of a stage into a timed fact, and remembers all of them.

    ``seconds`` are those of the wall since the stage before, ``cpu_seconds`` those of all processors;
    ``peak_mib`` is the process's peak resident memory so far.
    """

    listener: Listener
    clock: Callable[[], float] = time.perf_counter
    stages: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._last = self.clock()
        self._worked = time.process_time()

    def stage(self, name: str, counts: Mapping[str, int | float | str]) -> None:
        """Note the end of a stage."""
        now, worked = self.clock(), time.process_time()
        facts = {
            **counts,
            "seconds": round(now - self._last, 3),
            "cpu_seconds": round(worked - self._worked, 3),
            "peak_mib": peak_mib(),
        }
        self._last, self._worked = now, worked
        self.stages.append({"stage": name, **facts})
        self.listener.stage(name, facts)

    def step(self, name: str, done: int, total: int | None) -> None:
        """Pass a step on."""
        self.listener.step(name, done, total)


def peak_mib() -> int:
    """Peak resident memory of this process in MiB (getrusage counts KiB on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))
