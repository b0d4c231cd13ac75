from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_cases import draw

from resolver.errors import BadFrame, PlanRefused
from resolver.planning.plan_table import check_origin, plans_from_frame, plans_to_frame
from resolver.planning.plans import plan_merges


def plans_of(seed, size):
    drawn = draw(seed, size)
    return plan_merges(drawn.frame, drawn.clusters, drawn.rules, drawn.facts).plans


@given(seed=st.integers(0, 10**6), size=st.integers(2, 30))
def test_plans_come_back_from_the_table_as_they_were(seed, size):
    plans = plans_of(seed, size)
    assert plans_from_frame(plans_to_frame(plans)) == plans


@pytest.mark.parametrize("size", [2, 25])
def test_parquet_and_json_lines_hold_the_whole_table(tmp_path, size):
    plans = plans_of(7, size)
    frame = plans_to_frame(plans)
    frame.write_parquet(tmp_path / "plans.parquet")
    frame.write_ndjson(tmp_path / "plans.jsonl")
    assert plans_from_frame(pl.read_parquet(tmp_path / "plans.parquet")) == plans
    assert plans_from_frame(pl.read_ndjson(tmp_path / "plans.jsonl")) == plans


def test_no_plans_are_an_empty_table_and_back():
    assert plans_from_frame(plans_to_frame(())) == ()


def test_a_table_of_something_else_is_refused():
    with pytest.raises(BadFrame, match="no column schema_version"):
        plans_from_frame(pl.DataFrame({"plan_id": ["a"]}))
    frame = plans_to_frame(plans_of(1, 3)).with_columns(band=pl.lit("certain"))
    with pytest.raises(BadFrame, match="not a table of plans"):
        plans_from_frame(frame)


def test_another_version_of_the_table_is_refused():
    frame = plans_to_frame(plans_of(1, 3)).with_columns(schema_version=pl.lit(2, pl.UInt16))
    with pytest.raises(BadFrame, match=r"schema version \[2\], and this release reads 1"):
        plans_from_frame(frame)


@pytest.mark.parametrize("column", ["main_profile_id", "cluster_id", "fingerprints", "steps", "domain_name"])
def test_a_plan_that_was_altered_in_the_file_is_refused(column):
    frame = plans_to_frame(plans_of(1, 3))
    text = frame[column][0]
    other = {"fingerprints": '{"x":"y"}', "steps": "[]"}.get(column, f"{text}x")
    with pytest.raises(BadFrame, match=r"1 were altered since they were made, e\.g\. [0-9a-f]{32}"):
        plans_from_frame(frame.with_columns(pl.lit(other).alias(column)))


def test_plans_of_another_domain_or_rule_set_are_refused_with_one_clear_error():
    (plan,) = plans_of(1, 3)
    check_origin([plan], "d", "rules-1")
    check_origin([], "d", "rules-1")
    with pytest.raises(
        PlanRefused, match=f"1 of 2 plans were made for another domain than d: {plan.plan_id} for e"
    ):
        check_origin([plan, replace(plan, domain_name="e")], "d", "rules-1")
    with pytest.raises(
        PlanRefused, match=f"1 of 1 plans were made by other rules than x: {plan.plan_id} by rules-1"
    ):
        check_origin([plan], "d", "x")
