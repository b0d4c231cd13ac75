from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from embedded import pid
from merges import plan_of_group

from resolver.app.gating import expected_from, refuse_held
from resolver.errors import Held
from resolver.ledger.ledger import open_ledger
from resolver.model.gates import GateFact
from resolver.model.run import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = plan_of_group([{"ProfileId": pid(1), "LastName": "Ruiz"}, {"ProfileId": pid(2), "LastName": "Ruiz"}])
NOBODY = pl.DataFrame(schema={"profile_id": pl.String, "persistent_id": pl.String, "present": pl.Boolean})


def test_a_run_that_passed_may_merge_what_a_held_run_concluded_before_it(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as ledger:
        ledger.start_run(Run("bad", "retail", "run", "ana", NOON))
        ledger.record_gate(GateFact("bad", "retail", "held", None, {}, (), NOON), NOBODY)
        ledger.record_plans("bad", [PLAN])
        for run_id in ("bad", "apply-1"):
            with pytest.raises(Held, match="holds run bad"):
                refuse_held([PLAN], ("retail", ledger), run_id)
        refuse_held([PLAN], ("elsewhere", ledger), "apply-1")
        ledger.record_gate(GateFact("good", "retail", "passed", None, {}, (), NOON), NOBODY)
        refuse_held([PLAN], ("retail", ledger), "good")
        with pytest.raises(Held, match="holds run bad"):
            refuse_held([PLAN], ("retail", ledger), "apply-2")


def test_profiles_that_we_merged_away_are_not_missed():
    assert expected_from({"profiles": 300.0, "merged_away": 10.0}, 60)["profiles"] == 250
    assert expected_from({"profiles": 300.0}, 0)["profiles"] == 300
