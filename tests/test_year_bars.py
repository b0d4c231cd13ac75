"""The verdicts of the simulated year: each bar can be missed, and says what was seen."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("year_bars")


def week(number, **other):
    row = {
        "week": f"{number:02d}",
        "state": "passed",
        "merged": 1,
        "asked": 1,
        "ledger KiB": 400 + 10 * number,
    }
    return row | {"kept": 5, "grown": 0, "joined": 0, "split": 0} | other


def year():
    return [
        *(week(n) for n in range(1, 20)),
        week(20, week="20-bad", state="held", merged=0),
        week(20),
        week(21),
    ]


def missed(bench, rows, again=0, lost=0):
    return [bar.name for bar in bench.bars_of(rows, again, lost) if not bar.kept]


def test_a_good_year_misses_nothing(bench):
    assert missed(bench, year()) == []
    assert len(bench.bars_of(year(), 0, 0)) == 5


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"state": "passed"}, "the bad week is held"),
        ({"merged": 3}, "the bad week is held"),
        ({"week": "20", "state": "held"}, "no other week is held"),
    ],
)
def test_a_bad_week_that_goes_on_is_missed_and_so_is_a_good_one_that_does_not(bench, changed, name):
    assert name in missed(bench, [row | changed if row["week"] == "20-bad" else row for row in year()])


def test_what_is_asked_again_and_ids_that_are_lost_are_missed(bench):
    assert missed(bench, year(), again=1) == ["nothing unchanged is asked twice"]
    assert missed(bench, year(), lost=1) == ["clusters keep their ids"]
    assert missed(bench, [row | {"asked": 0} for row in year()]) == ["nothing unchanged is asked twice"]
    assert missed(bench, [row | {"kept": 0} for row in year()]) == ["clusters keep their ids"]


@pytest.mark.parametrize(
    "size",
    [lambda k: 400 + k * k, lambda k: 400 + 400 * (k > 15), lambda k: 2.0**k],
    ids=["squares", "a leap", "doubling"],
)
def test_a_ledger_that_grows_faster_and_faster_or_at_a_leap_is_missed(bench, size):
    rows = [row | {"ledger KiB": size(k)} for k, row in enumerate(year())]
    assert missed(bench, rows) == ["the ledger grows in a straight line"]
