"""What ends a run before its last plan: the clock, a file, a person, surprises, too many failures."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from resolver.app.calls import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from resolver.app.execution import PlanOutcome

#: So many failures in a row end the run: the service is in trouble, or the role lacks a permission.
FAILURES_IN_A_ROW: Final = 5
#: And so large a share of the latest plans that were tried.
TRIED: Final = 20
FAILED_SHARE: Final = 0.4

_TRIED: Final = frozenset((Result.APPLIED, Result.FAILED, Result.UNCLEAR))
_SURPRISES: Final = frozenset((Result.FAILED, Result.UNCLEAR))


@dataclass(frozen=True, slots=True)
class Brakes:
    """What a user says about when to stop; null leaves a brake off.

    ``limit`` ends the run after so many applied plans, ``until`` at that moment, ``stop_file`` once it is
    there; ``should_stop`` is asked before every call. The first ``canary`` plans are carried out one at a
    time, and the first of them that fails or is unclear ends the run.
    """

    limit: int | None = None
    until: datetime | None = None
    stop_file: Path | None = None
    canary: int = 0
    should_stop: Callable[[], bool] = lambda: False

    def why_stop(self, now: datetime) -> str | None:
        """The reason to send nothing more, if there is one."""
        if self.should_stop():
            return "stopped"
        if self.until is not None and now >= self.until:
            return f"the run window ended at {self.until:%H:%M}"
        if self.stop_file is not None and self.stop_file.exists():
            return f"the stop file {self.stop_file} is there"
        return None


@dataclass(slots=True)
class Progress:
    """What has come of a run's plans so far, and whether it may go on."""

    brakes: Brakes
    applied: int = 0
    stopped: str | None = None
    _tried: deque[Result] = field(default_factory=lambda: deque(maxlen=TRIED))

    def why_stop(self, now: datetime) -> str | None:
        """The reason to send nothing more, if there is one; plans that are under way ask, too."""
        return self.stopped or self.brakes.why_stop(now)

    def may_begin(self, running: int) -> bool:
        """Whether one more plan may begin; a stopped run goes through the rest, beginning none."""
        if self.stopped is not None:
            return True
        if self.applied < self.brakes.canary and running:
            return False
        return self.brakes.limit is None or self.applied + running < self.brakes.limit

    def note(self, outcome: PlanOutcome) -> None:
        """Count a plan that has ended."""
        self.applied += outcome.result in (Result.APPLIED, Result.WOULD_APPLY)
        if outcome.result in _TRIED:
            self._tried.append(outcome.result)
        self.stopped = self.stopped or self._reason(outcome)

    def _reason(self, latest: PlanOutcome) -> str | None:
        return self._of_latest(latest) or self._of_all()

    def _of_latest(self, latest: PlanOutcome) -> str | None:
        if latest.result is Result.UNCLEAR:
            return f"the outcome of plan {latest.plan_id} is unclear"
        if latest.result in _SURPRISES and self.applied < self.brakes.canary:
            return f"canary: plan {latest.plan_id} {latest.result}"
        return latest.reason if latest.result is Result.NOT_REACHED else None

    def _of_all(self) -> str | None:
        if self.brakes.limit is not None and self.applied >= self.brakes.limit:
            return f"the limit of {self.brakes.limit} plans is reached"
        failures = sum(result is Result.FAILED for result in self._tried)
        last = list(self._tried)[-FAILURES_IN_A_ROW:]
        if len(last) == FAILURES_IN_A_ROW and all(result is Result.FAILED for result in last):
            return f"{FAILURES_IN_A_ROW} plans in a row failed"
        if len(self._tried) == TRIED and failures >= FAILED_SHARE * TRIED:
            return f"{failures} of the last {TRIED} plans failed"
        return None
