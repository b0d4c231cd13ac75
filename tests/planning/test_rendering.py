from __future__ import annotations

import json

from planning_cases import Rules, clusters_frame, draw, profiles_frame

from resolver.model.domain_facts import DomainFacts
from resolver.planning.members import flat
from resolver.planning.plans import plan_merges
from resolver.planning.rendering import describe_plan, render_plan


def drawn_plan(size):
    drawn = draw(11, size)
    (plan,) = plan_merges(drawn.frame, drawn.clusters, drawn.rules, drawn.facts).plans
    return plan, {p["ProfileId"]: p for p in drawn.profiles}


def test_the_description_is_json_and_shows_every_value_of_every_member():
    plan, members = drawn_plan(5)
    told = json.loads(json.dumps(describe_plan(plan, members)))
    shown = {f["field"]: f for f in told["fields"]}
    for profile_id, profile in members.items():
        assert {n: f["values"][profile_id] for n, f in shown.items() if f["values"][profile_id]} == flat(
            profile
        )
    assert {n: f["predicted"] for n, f in shown.items() if f["predicted"]} == flat(dict(plan.predicted))
    assert {n for n, f in shown.items() if f["rule"]} == {c.field for c in plan.field_choices}
    assert [c["field_sources"] for c in told["calls"]] == [s.field_sources for s in plan.steps]
    assert len(told["disposals"]) == len(plan.disposals)


def test_a_member_that_is_not_at_hand_is_named_and_nothing_is_made_up():
    plan, members = drawn_plan(3)
    missing = plan.merged_profile_ids[0]
    del members[missing]
    assert describe_plan(plan, members)["unknown_profile_ids"] == [missing]
    assert f"unknown profile {missing}" in render_plan(plan, members)


def test_a_large_plan_shows_six_members_and_counts_the_rest():
    plan, members = drawn_plan(30)
    assert "and 24 more members" in render_plan(plan, members)


def test_a_refused_plan_says_that_nothing_will_be_merged():
    pair = [
        {"ProfileId": "a", "ProfileType": "PROFILE"},
        {"ProfileId": "b", "ProfileType": "ACCOUNT_PROFILE"},
    ]
    (plan,) = plan_merges(profiles_frame(pair), clusters_frame(["ab"]), Rules(), DomainFacts()).plans
    text = render_plan(plan, {p["ProfileId"]: p for p in pair})
    assert "nothing will be merged" in text
    assert "review because an account profile" in text


def test_long_values_are_cut_and_line_breaks_do_not_break_the_table():
    pair = [{"ProfileId": "a", "AdditionalInformation": "x" * 99}, {"ProfileId": "b", "LastName": "R\nS"}]
    (plan,) = plan_merges(profiles_frame(pair), clusters_frame(["ab"]), Rules(), DomainFacts()).plans
    text = render_plan(plan, {p["ProfileId"]: p for p in pair})
    assert "x" * 27 + "…" in text
    assert "R S" in text
