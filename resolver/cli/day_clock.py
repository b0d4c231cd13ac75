"""Times of day on a clock that may be put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Final

from dateutil import tz

if TYPE_CHECKING:
    from datetime import tzinfo

_ZERO: Final = timedelta(0)


def machine_zone() -> tzinfo:
    """The rules of this machine's clock, changes to come included.

    ``datetime.astimezone()`` alone gives today's distance from UTC for every day of the year.
    """
    zone: tzinfo = tz.tzlocal()
    return zone


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
    if tz.datetime_exists(wall, zone):
        return wall.replace(tzinfo=zone).astimezone(UTC)
    before, after = ((wall + timedelta(days)).replace(tzinfo=zone).astimezone(UTC) for days in (-1, 1))
    shift = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == shift:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
