"""When a domain's matching job is due: weekly, Saturday 00:00 UTC or as JobSchedule says (documented)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_DEFAULT: Final = {"DayOfTheWeek": "SATURDAY", "Time": "00:00"}


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
