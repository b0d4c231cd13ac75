"""Who approved a merge, and who is against it: the policy by which no person was needed, and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from resolver.model.merge_plan import MergePlan


def approvals(plans: Sequence[MergePlan], decisions: pl.DataFrame) -> dict[str, str]:
    """Who approved each plan: the reviewers whose verdicts joined two of its members, else its rule set."""
    people = _who_said("match", plans, decisions)
    return {
        plan.plan_id: "; ".join(
            [
                *(f"reviewer {name}" for name in people[plan.plan_id]),
                f"rule set {plan.rule_set_fingerprint}",
            ]
        )
        for plan in plans
    }


def objectors(plans: Sequence[MergePlan], decisions: pl.DataFrame) -> dict[str, str]:
    """Who said, since a plan was made, that two of its members are not the same; by plan id."""
    people = _who_said("non_match", plans, decisions)
    return {plan_id: ", ".join(names) for plan_id, names in people.items() if names}


def _who_said(verdict: str, plans: Sequence[MergePlan], decisions: pl.DataFrame) -> dict[str, list[str]]:
    """The reviewers with that verdict on two members of each plan, by plan id, sorted."""
    said: dict[str, list[tuple[str, str]]] = {}
    columns = ("profile_id_left", "profile_id_right", "verdict", "reviewer")
    for left, right, what, reviewer in decisions.select(columns).iter_rows():
        if what == verdict:
            said.setdefault(left, []).append((right, reviewer))
    found = {}
    for plan in plans:
        members = set(plan.profile_ids)
        people = {name for left in members for right, name in said.get(left, ()) if right in members}
        found[plan.plan_id] = sorted(people)
    return found
