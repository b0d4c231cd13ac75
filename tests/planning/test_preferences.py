"""Engagement preferences: planned like any field, their references kept whole."""

from __future__ import annotations

import json

import polars as pl
import pytest
from planning_cases import Rules, clusters_frame, profiles_frame

from resolver.errors import BadFrame
from resolver.model.domain_facts import DomainFacts
from resolver.model.profile import from_row, to_row
from resolver.model.survivorship_policy import Merging, Survivorship
from resolver.planning.fingerprint import fingerprint_profile, fingerprint_rows
from resolver.planning.plans import plan_merges
from resolver.planning.simulation import simulate_post_steps
from resolver.profile_columns import to_profiles


def preferring(profile_id, named=None, **fields):
    contact = {"ContactType": "PhoneNumber", "KeyName": "_phone"} | ({"ProfileId": named} if named else {})
    return {"ProfileId": profile_id, "EngagementPreferences": {"Phone": [contact]}, **fields}


def plan_of(*profiles, members="ab", **sections):
    (plan,) = plan_merges(
        profiles_frame(list(profiles)), clusters_frame([list(members)]), Rules(**sections), DomainFacts()
    ).plans
    return plan


def test_a_profile_with_preferences_goes_through_a_frame_unchanged_and_keeps_its_fingerprint():
    profile = preferring("a", "b", FirstName="Ana")
    profile["EngagementPreferences"]["Email"] = [{"KeyValue": 'ü"}', "ContactType": "EmailAddress"}]
    frame = profiles_frame([profile])
    assert from_row(frame.row(0, named=True)) == profile
    assert fingerprint_rows(frame) == [fingerprint_profile(profile)]
    assert to_row({"ProfileId": "a", "EngagementPreferences": {}}).get("engagement_preferences") is None


def test_disputed_preferences_move_whole_by_the_rule_of_their_field():
    rules = Survivorship(fields={"EngagementPreferences": "longest"})
    plan = plan_of(preferring("a", FirstName="Ana"), preferring("b", "x"), survivorship=rules)
    assert plan.main_profile_id == "a"
    assert plan.steps[0].field_sources == {"EngagementPreferences": "b"}
    assert plan.predicted["EngagementPreferences"] == preferring("b", "x")["EngagementPreferences"]
    (lost,) = plan.given_up
    assert json.loads(lost.value) == preferring("a")["EngagementPreferences"]


def test_preferences_that_name_a_merged_profile_name_the_survivor_afterwards():
    plan = plan_of(
        preferring("a", "b", FirstName="Ana", LastName="R"), {"ProfileId": "b", "FirstName": "Ana"}
    )
    (step,) = plan.post_steps
    assert (step.operation, step.request["ProfileId"]) == ("update_profile", "a")
    after = simulate_post_steps(plan.predicted, plan.post_steps)
    assert after["EngagementPreferences"] == preferring("a", "a")["EngagementPreferences"]
    assert plan.band == "merge"


def test_preferences_of_others_that_name_a_merged_profile_need_a_person():
    people = [{"ProfileId": "a", "FirstName": "Ana", "LastName": "R"}, {"ProfileId": "b", "FirstName": "Ana"}]
    strangers = [preferring("y", "b"), preferring("z", "b")]
    plan = plan_of(*people, *strangers)
    reason = "engagement preferences of y and 1 more profiles name a profile that would be merged away"
    assert (plan.band, plan.reasons, plan.post_steps) == ("review", (reason,), ())
    assert plan_of(*people, *strangers, merging=Merging(allow=("outside_reference",))).band == "merge"
    assert plan_of(*people, preferring("z", "a")).band == "merge"


@pytest.mark.parametrize(
    "cell",
    [
        '{"Email": [], "Phone": [{"KeyName": "_phone", "ContactType": "PhoneNumber", "KeyValue": null}]}',
        {"Phone": [{"KeyName": "_phone", "ContactType": "PhoneNumber"}]},
    ],
    ids=["text", "struct"],
)
def test_a_file_may_hold_preferences_as_text_or_nested(cell):
    table = pl.DataFrame({"ProfileId": ["a"], "EngagementPreferences": [cell]})
    (text,) = to_profiles(table)["engagement_preferences"]
    assert text == '{"Phone":[{"ContactType":"PhoneNumber","KeyName":"_phone"}]}'


def test_preferences_that_are_no_json_object_are_refused_with_their_row():
    table = pl.DataFrame({"ProfileId": ["a", "b"], "EngagementPreferences": [None, "often"]})
    with pytest.raises(BadFrame, match="EngagementPreferences of row 2"):
        to_profiles(table)
