"""Callers that find several profiles, week by week: what the domain's runs counted, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from resolver.app.reviewing.wording import day

if TYPE_CHECKING:
    from datetime import date

    from resolver.app.reviewing.desk import Desk

#: Weeks that the picture shows.
_WEEKS: Final = 26
_COUNTED: Final = ("ambiguous.phones", "ambiguous.e-mails")


@dataclass(frozen=True, slots=True)
class Weeks:
    """Ambiguous numbers and mailboxes at the last run of each week; ``predicted`` after what is approved.

    ``points``: the Monday in words and the count, oldest first; weeks without a run are left out.
    """

    points: tuple[tuple[str, int], ...]
    predicted: int


def callers_by_week(desk: Desk, helped: int) -> Weeks | None:
    """The weeks of the domain up to this run; None where no run has counted.

    ``helped``: callers that the approved merges would help (``worth.callers_helped``), taken off the last
    count: a prediction, not a promise, since a number can find profiles of two clusters.
    """
    counts: dict[date, int] = {}
    for fact in desk.book.gate_facts(desk.batch.domain):
        found = [int(fact.figures[name]) for name in _COUNTED if name in fact.figures]
        if found:
            monday = (fact.at - timedelta(days=fact.at.weekday())).date()
            counts[monday] = sum(found)
    if not counts:
        return None
    points = tuple((day(monday), count) for monday, count in sorted(counts.items()))[-_WEEKS:]
    return Weeks(points, max(points[-1][1] - helped, 0))
