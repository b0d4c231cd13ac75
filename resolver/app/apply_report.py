"""What became of the plans of one run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resolver.app.calls import Result
from resolver.model.journal import JournalState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.execution import PlanOutcome
    from resolver.model.journal import JournalEntry


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What became of each plan. ``settled`` are the results of calls that an earlier run left open.

    ``stopped`` says why the run ended before its last plan; null where it did not.
    """

    domain: str
    run_id: str
    dry_run: bool
    outcomes: tuple[PlanOutcome, ...]
    settled: tuple[JournalEntry, ...]
    stopped: str | None
    calls: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Plans by result."""
        counted = Counter(outcome.result.value for outcome in self.outcomes)
        return {result.value: counted[result.value] for result in Result if counted[result.value]}

    @property
    def merged(self) -> int:
        """Profiles that this run merged away, calls of an interrupted run that it found done included."""
        done = (e.request or {} for e in self.settled if e.state is JournalState.DONE)
        settled = sum(len(request.get("ProfileIdsToBeMerged", ())) for request in done)
        return settled + sum(outcome.merged for outcome in self.outcomes)

    @property
    def complete(self) -> bool:
        """Whether every plan is applied, or would be, and nothing waits for a person."""
        return not self._undone and not self._has_unclear

    @property
    def reached_limit(self) -> bool:
        """Whether all that was left undone is what a limit left for later, and nothing waits for a person."""
        stopped = self.stopped is not None and "limit" in self.stopped
        return stopped and self._undone <= {Result.NOT_REACHED} and not self._has_unclear

    @property
    def _undone(self) -> set[Result]:
        good = {Result.APPLIED, Result.ALREADY_APPLIED, Result.WOULD_APPLY}
        return {outcome.result for outcome in self.outcomes} - good

    @property
    def _has_unclear(self) -> bool:
        return any(entry.state is JournalState.UNCLEAR for entry in self.settled)
