from __future__ import annotations

from dataclasses import replace

import pytest
from merges import plan_of_group

from resolver.app.results import read_plans
from resolver.errors import BadFile
from resolver.planning.identity import identify
from resolver.planning.plan_table import plans_to_frame


def written(directory, **facts):
    plan = plan_of_group([{"ProfileId": "a", "LastName": "R"}, {"ProfileId": "b", "LastName": "S"}], **facts)
    origin = (plan.domain_name or "", plan.rule_set_fingerprint, plan.cluster_id, plan.main_profile_id)
    plan = replace(plan, plan_id=identify(origin, plan.fingerprints, plan.steps, plan.post_steps))
    plans_to_frame([plan]).write_parquet(directory / "plans.parquet")
    return plan


def test_a_plan_that_needs_a_person_cannot_be_made_ready_by_its_band_in_the_file(tmp_path):
    plan = written(tmp_path, band="review", reasons=("contested",))
    assert read_plans(tmp_path) == (plan,)
    same_id = written(tmp_path, band="merge", reasons=("contested",)).plan_id
    assert same_id == plan.plan_id, "an approved plan is the same plan"
    with pytest.raises(
        BadFile, match=r"1 plans of band merge need a person, e\.g\. [0-9a-f]{32} \(reason: contested"
    ):
        read_plans(tmp_path)
    written(tmp_path, band="merge", steps=())
    with pytest.raises(BadFile, match="nothing to send"):
        read_plans(tmp_path)
    plan = written(tmp_path, band="merge")
    assert read_plans(tmp_path) == (plan,)
