from __future__ import annotations

from merges import plan_of_group

from resolver.planning.plan_table import plans_to_frame
from resolver.report.summary import pick_examples, summarise_plans


def plan(plan_id, size, **facts):
    group = [{"ProfileId": f"{plan_id}{n}", "LastName": f"R{n % 2}"} for n in range(size)]
    content = {"plan_id": plan_id, "cluster_id": f"c{plan_id}"} | facts
    made = plan_of_group(group, **{k: v for k, v in content.items() if k != "plan_id"})
    return type(made)(**{**{f: getattr(made, f) for f in made.__dataclass_fields__}, "plan_id": plan_id})


COMPANY = {"ProfileId": "d0", "BusinessName": "Acme"}
QUOTED = {"ProfileId": "e0", "LastName": '"BusinessName":'}


def test_the_figures_count_what_the_merge_band_removes_and_why_others_wait():
    plans = [
        plan("a", 3),
        plan("b", 2),
        plan("c", 4, band="review", reasons=("contested", "too large")),
        plan("d", 2, band="review", reasons=("too large",)),
    ]
    assert summarise_plans(plans_to_frame(plans)) == {
        "merge": 2,
        "review": 2,
        "profiles_merged_away": 3,
        "values_given_up": 0,
        "review_reasons": {"too large": 2, "contested": 1},
    }
    assert summarise_plans(plans_to_frame([]))["profiles_merged_away"] == 0


def test_examples_are_of_different_kinds():
    plans = [
        plan("a", 2),
        plan("b", 3),
        plan("c", 5, band="review", reasons=("contested",)),
        plan("d", 2, predicted=COMPANY),
        plan("e", 2, predicted=QUOTED),
    ]
    assert pick_examples(plans_to_frame(plans), 4) == [("b", "cb"), ("c", "cc"), ("d", "cd"), ("a", "ca")]
    assert pick_examples(plans_to_frame(plans)) == [("b", "cb"), ("c", "cc"), ("d", "cd")]
    assert pick_examples(plans_to_frame(plans[:1])) == [("a", "ca")]
    assert pick_examples(plans_to_frame([])) == []
