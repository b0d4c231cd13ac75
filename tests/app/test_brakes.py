"""What ends a run before its last plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from resolver.app.brakes import FAILURES_IN_A_ROW, TRIED, Brakes, Progress
from resolver.app.calls import Result
from resolver.app.execution import PlanOutcome

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(brakes, *results):
    progress = Progress(brakes)
    for number, result in enumerate(results):
        progress.note(PlanOutcome(f"plan-{number}", result, "why"))
    return progress


def test_without_brakes_nothing_stops():
    assert Brakes().why_stop(NOON) is None


def test_the_run_window_ends_at_its_moment():
    brakes = Brakes(until=NOON)
    assert brakes.why_stop(NOON - timedelta(seconds=1)) is None
    assert brakes.why_stop(NOON) == "the run window ended at 12:00"


def test_a_stop_file_stops_once_it_is_there(tmp_path):
    brakes = Brakes(stop_file=tmp_path / "STOP")
    assert brakes.why_stop(NOON) is None
    (tmp_path / "STOP").touch()
    assert "STOP is there" in brakes.why_stop(NOON)


def test_canaries_go_one_at_a_time_and_then_all_go():
    progress = after(Brakes(canary=2), Result.APPLIED)
    assert progress.may_begin(0)
    assert not progress.may_begin(1)
    progress.note(PlanOutcome("plan", Result.APPLIED))
    assert progress.may_begin(3)


@pytest.mark.parametrize("surprise", [Result.FAILED, Result.UNCLEAR])
def test_the_first_surprise_of_a_canary_stops(surprise):
    assert after(Brakes(canary=3), Result.APPLIED, surprise).stopped


def test_a_plan_refused_because_a_profile_changed_is_no_surprise():
    assert after(Brakes(canary=3), Result.APPLIED, Result.REFUSED).stopped is None


def test_after_the_canaries_one_failure_stops_nothing():
    assert after(Brakes(canary=1), Result.APPLIED, Result.FAILED).stopped is None


def test_failures_in_a_row_stop_and_refusals_between_them_do_not_count():
    failures = [Result.FAILED] * (FAILURES_IN_A_ROW - 1)
    assert after(Brakes(), *failures).stopped is None
    assert "in a row" in after(Brakes(), *failures, Result.REFUSED, Result.FAILED).stopped


def test_a_large_share_of_failures_stops():
    mixed = [Result.FAILED, Result.APPLIED, Result.APPLIED, Result.FAILED, Result.APPLIED]
    assert after(Brakes(), *(mixed * 3)).stopped is None
    assert f"of the last {TRIED}" in after(Brakes(), *(mixed * 4)).stopped


def test_the_limit_counts_what_is_under_way():
    progress = after(Brakes(limit=2), Result.APPLIED)
    assert not progress.may_begin(1)
    progress.note(PlanOutcome("plan", Result.APPLIED))
    assert "limit of 2" in progress.stopped
