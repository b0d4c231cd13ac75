from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import SOAK, draw

from resolver.model.merge_plan import FieldChoice
from resolver.planning.members import Member, flat
from resolver.planning.plans import plan_merges
from resolver.planning.simulation import simulate_step
from resolver.planning.steps import INTERIM, lay_out_batches, lay_out_steps


def members(count, **values):
    return [Member(f"m{n:02}", {"FirstName": f"N{n}", **values}, "") for n in range(count)]


def choice(field, member, rule="longest"):
    return FieldChoice(field, member.profile_id, member.values[field], rule)


def layout(main, others, choices):
    batches = lay_out_batches(main, others, choices)
    return lay_out_steps(main, batches, choices)


def test_twenty_profiles_go_in_one_call_and_the_twenty_first_in_a_second():
    main = Member("main", {"FirstName": "A"}, "")
    assert [len(s.merged_profile_ids) for s in layout(main, members(20), {})] == [20]
    assert [len(s.merged_profile_ids) for s in layout(main, members(21), {})] == [20, 1]
    assert [len(s.merged_profile_ids) for s in layout(main, members(44), {})] == [20, 20, 4]


def test_a_donor_goes_first_and_later_calls_leave_its_value_alone():
    main, others = Member("main", {"FirstName": "A"}, ""), members(30)
    steps = layout(main, others, {"FirstName": choice("FirstName", others[29])})
    assert steps[0].merged_profile_ids[0] == "m29"
    assert [s.field_sources for s in steps] == [{"FirstName": "m29"}, {}]


def test_a_donor_of_a_late_call_is_named_there_and_a_stand_in_before():
    others = [Member(f"m{n:02}", {f"Attributes.{k}": f"{k}{n}" for k in range(25)}, "") for n in range(25)]
    main = Member("main", {}, "")
    choices = {f"Attributes.{k}": choice(f"Attributes.{k}", others[k]) for k in range(25)}
    first, second = layout(main, others, choices)
    rules = {c.field: c.strategy for c in first.field_choices}
    assert sum(rule == INTERIM for rule in rules.values()) == 5
    assert second.field_sources["Attributes"].keys() == {str(k) for k in range(20, 25)}


def test_disagreement_on_a_field_that_nothing_steers_is_settled_by_the_order_of_calls():
    main = Member("main", {"FirstName": "A"}, "")
    others = [Member(name, {"GenderString": said}, "") for name, said in zip("abcd", "xyyx", strict=True)]
    others.append(Member("e", {"FirstName": "E"}, ""))
    steps = layout(main, others, {"GenderString": choice("GenderString", others[1])})
    assert [set(s.merged_profile_ids) for s in steps] == [{"b", "c", "e"}, {"a", "d"}]
    assert [s.field_sources for s in steps] == [{}, {}]


def test_when_main_has_the_value_one_call_is_enough():
    main = Member("main", {"GenderString": "x"}, "")
    others = [Member(name, {"GenderString": said}, "") for name, said in zip("abc", "yzy", strict=True)]
    choices = {"GenderString": FieldChoice("GenderString", "main", "x", "cannot be steered")}
    assert len(layout(main, others, choices)) == 1


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=3_000 if SOAK else 60)
@given(seed=st.integers(0, 10**9), size=st.integers(2, 45))
def test_no_call_leans_on_an_undocumented_winner_or_names_a_source_without_a_value(seed, size):
    drawn = draw(seed, size)
    (plan,) = plan_merges(drawn.frame, drawn.clusters, drawn.rules, drawn.facts).plans
    state = {p["ProfileId"]: p for p in drawn.profiles}
    merged = []
    for step in plan.steps:
        backwards = type(step)(step.main_profile_id, step.merged_profile_ids[::-1], step.field_choices)
        after = simulate_step(state, step)
        assert simulate_step(state, backwards) == after
        for named in step.field_choices:
            assert flat(state[named.source_profile_id])[named.field] == named.value
        state[step.main_profile_id] = after
        merged += step.merged_profile_ids
    assert sorted(merged) == sorted(plan.merged_profile_ids)
    assert plan.main_profile_id not in merged
    filled = {f for p in drawn.profiles for f in flat(p)}
    assert flat(dict(plan.predicted)).keys() == filled
