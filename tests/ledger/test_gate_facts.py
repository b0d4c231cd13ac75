from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from embedded import pid
from merges import plan_of_group

from resolver.errors import BadInput
from resolver.model.gates import GateFact
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FACT = GateFact("a", "retail", "passed", None, {"profiles": 3.0}, (), NOON)
HELD = replace(FACT, run_id="b", state="held", compared_with="a", breaches=({"figure": "profiles"},))
BY = ("Ana", "the shop was closed", NOON)


def members(**ids: str) -> pl.DataFrame:
    schema = {"profile_id": pl.String, "persistent_id": pl.String, "present": pl.Boolean}
    return pl.DataFrame([(p, c, True) for p, c in ids.items()], schema=schema, orient="row")


def test_the_last_good_run_is_one_that_passed_or_was_released(ledger):
    assert ledger.last_good_run("retail") is None
    ledger.record_gate(FACT, members())
    ledger.record_gate(HELD, members())
    assert ledger.last_good_run("retail") == FACT
    assert ledger.latest_gate("retail") == HELD
    assert ledger.last_good_run("other") is None
    released = ledger.release_run("retail", "b", BY)
    assert (released.state, released.released_by, released.release_reason) == ("released", "Ana", BY[1])
    assert ledger.last_good_run("retail") == released == ledger.latest_gate("retail")


def test_only_the_latest_held_run_of_the_domain_can_be_released(ledger):
    ledger.record_gate(HELD, members())
    with pytest.raises(BadInput, match="no such run of domain other"):
        ledger.release_run("other", "b", BY)
    ledger.record_gate(replace(FACT, run_id="c"), members())
    with pytest.raises(BadInput, match="run c came later"):
        ledger.release_run("retail", "b", BY)
    with pytest.raises(BadInput, match="not held but passed"):
        ledger.release_run("retail", "c", BY)


def test_members_are_those_of_runs_that_passed_or_were_released(ledger):
    ledger.record_gate(FACT, members(p="F", q="F"))
    ledger.record_gate(HELD, members(q="G"))
    assert dict(ledger.cluster_members("retail").select("profile_id", "persistent_id").iter_rows()) == {
        "p": "F",
        "q": "F",
    }
    ledger.release_run("retail", "b", BY)
    assert dict(ledger.cluster_members("retail").select("profile_id", "persistent_id").iter_rows()) == {
        "p": "F",
        "q": "G",
    }


def test_a_plan_is_held_while_only_held_runs_have_concluded_it(ledger):
    for run_id in ("a", "b"):
        ledger.start_run(Run(run_id, "retail", "run", "ana", NOON))
    plan, other = (
        plan_of_group(
            [{"ProfileId": pid(n), "LastName": "Ruiz"}, {"ProfileId": pid(n + 1), "LastName": "Ruiz"}]
        )
        for n in (1, 3)
    )
    ledger.record_gate(FACT, members())
    ledger.record_plans("a", [plan])
    ledger.record_gate(HELD, members())
    ledger.record_plans("b", [plan, other])
    assert ledger.held_plans("retail") == {other.plan_id: "b"}
    ledger.release_run("retail", "b", BY)
    assert ledger.held_plans("retail") == {}
