"""Every fault at every moment of the first, middle and last step of a plan; all of it in `make soak`."""

from __future__ import annotations

import os
from itertools import count

import pytest

from resolver.app.drilling import FAULTS, KILL, MOMENTS, STEPS, Cell, cells, drill
from resolver.cli.drill import training_ground
from resolver.errors import ResolverError
from resolver.ledger.sealing import KEY, new_key
from resolver.profiles.merging import Sight, Standing, look

#: One step of each moment for the kinds that differ most, and each other kind once: the slice of `make test`.
SLICE = [
    *(Cell("fail_after", moment, STEPS[place % 3]) for place, moment in enumerate(MOMENTS)),
    *(Cell(KILL, moment, STEPS[(place + 1) % 3]) for place, moment in enumerate(MOMENTS)),
    *(Cell(kind, "during send", "middle") for kind in FAULTS if kind not in ("fail_after", KILL)),
]
CELLS = cells() if os.environ.get("RESOLVER_SOAK") else SLICE


def test_the_matrix_is_every_fault_at_every_moment_of_three_steps():
    assert len(set(cells())) == 6 * 6 * 3


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_whatever_strikes_the_executor_the_domain_is_as_if_nothing_had():
    with training_ground() as ground:
        findings = list(drill(ground, CELLS))
        left = ground.domain("calm").clients.read.list_domains(MaxResults=100)["Items"]

    assert [domain["DomainName"] for domain in left] == ["calm"], "an account has at most 100 domains"
    assert [finding for finding in findings if finding.faults] == []
    assert len(findings) == len(CELLS)


def test_a_drill_sees_an_executor_that_believes_answers_instead_of_reading(monkeypatch):
    looked = count()

    def blind(*facts):
        """Sees the three merges of the calm domain, and nothing afterwards."""
        return look(*facts) if next(looked) < 3 else Sight(Standing.BEFORE, "not looked")

    monkeypatch.setattr("resolver.app.execution.look", blind)
    with training_ground() as ground:
        (finding,) = drill(ground, [Cell("reset_after", "during send", "first")])

    assert any("calls done by the ledger" in fault for fault in finding.faults)


def test_a_drill_whose_plan_fails_without_any_fault_says_so(monkeypatch):
    monkeypatch.setattr("resolver.app.execution.look", lambda *_: Sight(Standing.BEFORE, "not looked"))
    with training_ground() as ground, pytest.raises(ResolverError, match="even where nothing strikes"):
        list(drill(ground, SLICE[:1]))


def test_a_killed_executor_seals_with_todays_key_whoever_started_the_fork_server(monkeypatch):
    cell = Cell(KILL, "after send", STEPS[0])
    for key in (new_key(), None):
        monkeypatch.delenv(KEY, raising=False)
        if key:
            monkeypatch.setenv(KEY, key)
        with training_ground() as ground:
            (finding,) = drill(ground, [cell])
        assert finding.faults == ()
