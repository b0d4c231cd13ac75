"""`resolver drill` as a user runs it: a table, and an exit code that tells."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import count

import pytest

from resolver.app.drilling import FAULTS, MOMENTS, STEPS, Finding, cells
from resolver.profiles.merging import Sight, Standing, look

ROW = re.compile(r"(?P<fault>.{25})(?P<moment>.{20})(?P<marks>.*)")


@pytest.mark.timeout(120)
def test_a_drill_prints_a_row_for_each_moment_and_ends_with_0():
    command = [sys.executable, "-m", "resolver", "drill", "--sample", "4", "--seed", "3", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this program
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows, verdict = done.stdout.splitlines()
    assert head.split() == ["fault", "moment", *STEPS]
    assert verdict == "4 of 4 survived: as if nothing had struck, each merge exactly once."
    marks = []
    for row in rows:
        parts = ROW.fullmatch(row)
        assert parts["fault"].strip() in FAULTS.values()
        assert parts["moment"].strip() in MOMENTS
        marks += re.findall(r"\w+, \d runs?", parts["marks"])
    assert len(marks) == 4
    assert all(mark.startswith("ok, ") for mark in marks)


@pytest.mark.timeout(120)
def test_a_drill_with_a_cell_that_is_not_as_it_should_be_ends_with_1_and_says_what_is_wrong(run, monkeypatch):
    looked = count()

    def blind(*facts):
        """Sees the three merges of the calm domain, and nothing afterwards."""
        return look(*facts) if next(looked) < 3 else Sight(Standing.BEFORE, "not looked")

    monkeypatch.setattr("resolver.app.execution.look", blind)
    arguments = ("drill", "--fault", "reset_after", "--sample", 1, "--seed", 2, "--quiet")
    code, text, _ = run(*arguments)
    assert code == 1
    assert "FAILED, " in text
    assert "0 of 1 survived" in text
    assert re.search(r"reset_after, [a-z -]+, (first|middle|last): .*calls done by the ledger", text)


def test_the_cells_of_a_sample_depend_on_the_seed_alone_and_stand_under_their_steps(run, monkeypatch):
    monkeypatch.setattr(
        "resolver.app.drilling.drill", lambda _ground, chosen: [Finding(cell, 1, ()) for cell in chosen]
    )

    def drawn(*more):
        code, text, _ = run("drill", "--quiet", "--json", *more)
        assert code == 0
        return set(json.loads(text)["runs"])

    assert len(drawn()) == len(cells()) == 108
    assert drawn("--sample", 500) == drawn()
    assert len(drawn("--sample", 20)) == 20
    assert drawn("--sample", 20) == drawn("--sample", 20, "--seed", 1) != drawn("--sample", 20, "--seed", 2)
    assert all(cell.startswith("kill, ") for cell in drawn("--fault", "kill", "--sample", 5))
    (cell,) = drawn("--sample", 1)
    _, text, _ = run("drill", "--quiet", "--sample", 1)
    head, row, _ = text.splitlines()
    assert row.index("ok, 1 run") == head.index(cell.split(", ")[-1])


def test_a_fault_that_is_none_is_bad_usage(run):
    code, _, err = run("drill", "--fault", "flood")
    assert (code, "--fault flood" in err) == (2, True)
