"""Who approved a merge: the policy by which no person was needed, and the people who had a say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from resolver.model.merge_plan import MergePlan


def approvals(plans: Sequence[MergePlan], decisions: pl.DataFrame) -> dict[str, str]:
    """Who approved each plan: the reviewers whose verdicts joined two of its members, else its rule set."""
    said: dict[str, list[tuple[str, str]]] = {}
    for left, right, verdict, reviewer in decisions.select(
        "profile_id_left", "profile_id_right", "verdict", "reviewer"
    ).iter_rows():
        if verdict == "match":
            said.setdefault(left, []).append((right, reviewer))
    approved = {}
    for plan in plans:
        members = set(plan.profile_ids)
        people = {reviewer for left in members for right, reviewer in said.get(left, ()) if right in members}
        policy = f"rule set {plan.rule_set_fingerprint}"
        approved[plan.plan_id] = "; ".join([*(f"reviewer {name}" for name in sorted(people)), policy])
    return approved
