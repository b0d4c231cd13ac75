"""When a domain's matching job is due.

Documented: weekly, Saturday 00:00 UTC or as JobSchedule says; the first time within 24 hours of enabling.
Assumed: exactly 24 hours after matching was switched on, whatever other settings change in between, unless
the weekly moment comes before; switched off and on again, it waits for a first run again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_DEFAULT: Final = {"DayOfTheWeek": "SATURDAY", "Time": "00:00"}
_FIRST_RUN_AFTER: Final = timedelta(hours=24)


def last_due(
    settings: Mapping[str, Any], since: float, at: float, *, waiting_since: float | None
) -> datetime | None:
    """The latest moment after `since` and up to `at` (epoch seconds) that the job should have run at.

    `since` is the last run or the last change of settings, whichever came later; `waiting_since` is when
    matching was switched on, if it has not run since.
    """
    scheduled = last_scheduled(settings, at)
    if scheduled is None:
        return None
    start = datetime.fromtimestamp(since, UTC)
    if scheduled > start:
        return scheduled
    if waiting_since is None:
        return None
    first = datetime.fromtimestamp(waiting_since, UTC) + _FIRST_RUN_AFTER
    return first if first <= datetime.fromtimestamp(at, UTC) else None


def last_scheduled(settings: Mapping[str, Any], at: float) -> datetime | None:
    """The latest scheduled moment up to `at` (epoch seconds); None while matching is off."""
    matching = settings.get("Matching", {})
    if not matching.get("Enabled"):
        return None
    chosen = matching.get("JobSchedule", _DEFAULT)
    hour, minute = (int(part) for part in chosen["Time"].split(":"))
    now = datetime.fromtimestamp(at, UTC)
    moment = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    moment -= timedelta(days=(moment.weekday() - _DAYS.index(chosen["DayOfTheWeek"])) % 7)
    return moment if moment <= now else moment - timedelta(days=7)
