"""Times of day on a clock that may be put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Final

_ZERO: Final = timedelta(0)


class MachineZone(tzinfo):
    """The rules of this machine's clock, past and future changes included.

    ``datetime.astimezone()`` alone gives today's distance from UTC for every day of the year.
    """

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """How far the clock is ahead of UTC at a time that it shows; ``fold``: for the second time."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, _dt: datetime | None) -> timedelta | None:
        """Unknown, and needed by nobody."""
        return None

    def tzname(self, dt: datetime | None) -> str | None:
        """What the machine calls its time then."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        """What the clock shows at a moment of UTC."""
        there = dt.replace(tzinfo=UTC).astimezone()
        shown = there.replace(tzinfo=self)
        return shown if shown.utcoffset() == there.utcoffset() else shown.replace(fold=1)


def next_time(of_day: time, now: datetime) -> datetime:
    """The first moment after ``now`` at which the clock of ``now``'s zone reaches a time of day.

    Where the clock is put back it shows a time twice: both count, each when it comes. Where it is put forward
    it never shows the times between: then the moment of the change counts, for there it passes them.
    """
    zone = now.tzinfo or UTC
    today = now.astimezone(zone).date()
    shown = (datetime.combine(today + timedelta(days), of_day) for days in range(3))
    moments = [_moment(wall.replace(fold=fold), zone) for wall in shown for fold in (0, 1)]
    then = min(moment for moment in moments if moment > now.astimezone(UTC))
    there = then.astimezone(zone)
    return there.replace(tzinfo=timezone(there.utcoffset() or _ZERO), fold=0)


def _moment(wall: datetime, zone: tzinfo) -> datetime:
    """When the clock shows ``wall``; when it jumps over it, where it does."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
        return moment
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    shift = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == shift:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
