from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from resolver.app.brakes import Brakes
from resolver.cli.braking import moment_of
from resolver.cli.day_clock import machine_zone
from resolver.errors import BadInput

EVENING = datetime(2026, 3, 1, 22, 15, 30, tzinfo=timezone(timedelta(hours=1)))
#: The rules of central Europe, as the C library takes them without any table of zones.
EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"


def test_a_time_of_day_is_its_next_occurrence_where_the_machine_is():
    assert moment_of("23:00", EVENING) == EVENING.replace(hour=23, minute=0, second=0)
    assert moment_of("05:30", EVENING) == datetime(2026, 3, 2, 5, 30, tzinfo=EVENING.tzinfo)
    assert moment_of("22:15", EVENING).day == 2
    assert moment_of(None, EVENING) is None


@pytest.mark.parametrize("text", ["24:00", "5", "05:60", "5:30pm", ""])
def test_what_is_no_time_of_day_is_bad_input(text):
    with pytest.raises(BadInput, match="--until"):
        moment_of(text, EVENING)


@pytest.fixture(params=["the machine's", "of a table"])
def zone(request, monkeypatch):
    """Central European time, twice: by the machine's clock and by a table of zones."""
    if request.param == "of a table":
        try:
            yield ZoneInfo("Europe/Berlin")
        except ZoneInfoNotFoundError:
            pytest.skip("no table of zones on this machine")
        return
    with monkeypatch.context() as patch:
        patch.setenv("TZ", EUROPE)
        time.tzset()
        yield machine_zone()
    time.tzset()


# The clock is put forward on 2026-03-29 at 02:00 to 03:00 (01:00 UTC), and back on 2026-10-25 at 03:00 to
# 02:00 (01:00 UTC): 02:30 is not there in March, and is there twice in October.
CASES = {
    "before midnight": ("2026-03-01 22:00", "23:59", "2026-03-01 22:59"),
    "across midnight": ("2026-03-01 22:30", "00:15", "2026-03-01 23:15"),
    "midnight itself": ("2026-03-01 22:30", "00:00", "2026-03-01 23:00"),
    "a second past it": ("2026-03-01 23:15:01", "00:15", "2026-03-02 23:15"),
    "exactly then: tomorrow": ("2026-03-01 04:30", "05:30", "2026-03-02 04:30"),
    "the end of the year": ("2026-12-31 22:30", "05:30", "2027-01-01 04:30"),
    "across the change forward": ("2026-03-28 22:00", "05:30", "2026-03-29 03:30"),
    "across the change back": ("2026-10-24 21:00", "05:30", "2026-10-25 04:30"),
    "left out: the change": ("2026-03-28 22:00", "02:30", "2026-03-29 01:00"),
    "the first that is left out": ("2026-03-28 22:00", "02:00", "2026-03-29 01:00"),
    "the first after it": ("2026-03-28 22:00", "03:00", "2026-03-29 01:00"),
    "left out, asked after the change": ("2026-03-29 01:00:01", "02:30", "2026-03-30 00:30"),
    "left out tomorrow, today still there": ("2026-03-28 01:00", "02:30", "2026-03-28 01:30"),
    "twice: the first": ("2026-10-24 21:00", "02:30", "2026-10-25 00:30"),
    "twice, asked between": ("2026-10-25 00:30", "02:30", "2026-10-25 01:30"),
    "twice, asked in the second hour": ("2026-10-25 01:15", "02:30", "2026-10-25 01:30"),
    "twice, both over": ("2026-10-25 01:30", "02:30", "2026-10-26 01:30"),
    "asked in the first hour": ("2026-10-25 00:45", "03:30", "2026-10-25 02:30"),
}


@pytest.mark.parametrize(("now", "until", "then"), CASES.values(), ids=CASES)
def test_a_window_ends_when_the_clock_next_reaches_its_time_whatever_is_done_to_the_clock(
    zone, now, until, then
):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert moment_of(until, moment.astimezone(zone)) == datetime.fromisoformat(then).replace(tzinfo=UTC)


def test_the_window_that_ended_is_told_by_the_clock_on_the_wall(zone):
    evening = datetime(2026, 3, 28, 22, tzinfo=UTC).astimezone(zone)
    for until, told in (("05:30", "05:30"), ("02:30", "03:00")):
        then = moment_of(until, evening)
        brakes = Brakes(until=then)
        assert brakes.why_stop(then.astimezone(UTC) - timedelta(seconds=1)) is None
        assert brakes.why_stop(then.astimezone(UTC)) == f"the run window ended at {told}"


def test_the_machines_zone_knows_the_second_of_two_equal_times(zone):
    moments = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    shown = [moment.astimezone(zone) for moment in moments]
    assert [(s.hour, s.minute, s.fold) for s in shown] == [(2, 30, 0), (2, 30, 1)]
    assert [s.astimezone(UTC) for s in shown] == moments
    assert [s.tzname() for s in shown] == ["CEST", "CET"]
