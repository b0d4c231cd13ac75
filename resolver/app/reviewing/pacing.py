"""How fast a reviewer is, how long the rest takes, and when a pause is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from resolver.app.reviewing.patterns import LANE_SECONDS

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk

#: Fewer looks than this say nothing of a pace.
_TELLING: Final = 3
#: A longer silence ends a sitting; a sitting this long is told of.
_SILENCE: Final = timedelta(minutes=15)
_LONG: Final = timedelta(minutes=50)
#: Points of the burn-down; more are not to be seen.
_POINTS: Final = 60


@dataclass(frozen=True, slots=True)
class BurnDown:
    """Clusters left over time: (seconds since the first verdict, left), and the times of day in words."""

    points: tuple[tuple[float, int], ...]
    seconds_left: float
    clock: tuple[str, str, str]


def pace_of(desk: Desk, reviewer: str) -> dict[str, float]:
    """The reviewer's median seconds a look by lane, where there are three looks or more."""
    looks: dict[str, list[float]] = {}
    for fact in desk.facts():
        spent = fact.content.get("look_ms")
        if (
            fact.reviewer == reviewer
            and fact.kind == "verdict"
            and spent
            and not fact.content.get("by_batch")
        ):
            looks.setdefault(fact.content.get("lane", "single"), []).append(spent / 1000)
    return {lane: median(spent) for lane, spent in looks.items() if len(spent) >= _TELLING}


def seconds_left(desk: Desk, reviewer: str) -> float:
    """How long the rest takes: one by one and hard at the reviewer's own median, batches at theirs."""
    own = pace_of(desk, reviewer)
    return sum(
        len(pile.left) * (own.get(pile.pattern.lane) or LANE_SECONDS[pile.pattern.lane])
        for pile in desk.piles()
    )


def burn_down_of(desk: Desk, reviewer: str) -> BurnDown | None:
    """How the clusters of this run went down; None before the first verdict."""
    times = sorted(s.verdict.at for s in desk.standings().values() if s.verdict is not None and s.decided)
    if not times:
        return None
    total, first, now = len(desk.batch.cases), times[0], max(desk.clock(), times[-1])
    steps = [((at - first).total_seconds(), total - n - 1) for n, at in enumerate(times)]
    kept = steps[:: max(len(steps) // _POINTS, 1)]
    points = ((0.0, total), *kept, ((now - first).total_seconds(), total - len(times)))
    rest = seconds_left(desk, reviewer)
    clock = (f"{first:%H:%M}", f"{now:%H:%M}", f"{now + timedelta(seconds=rest):%H:%M}")
    return BurnDown(points, rest, clock)


def pause_words(desk: Desk, reviewer: str) -> str:
    """A word about a pause after a long sitting; empty before."""
    times = [fact.at for fact in desk.mine(reviewer)]  # newest first
    now = desk.clock()
    if not times or now - times[0] > _SILENCE:
        return ""
    began = times[0]
    for at in times:
        if began - at > _SILENCE:
            break
        began = at
    if now - began < _LONG:
        return ""
    minutes = int((now - began).total_seconds() // 60)
    done = sum(at >= began for at in times)
    return f"{minutes} minutes, {done} verdicts. A pause is fine, everything is saved."
