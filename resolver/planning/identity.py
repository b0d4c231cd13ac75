"""A plan's id: a hash of what the plan is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from resolver.model.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.model.merge_plan import MergePlan, MergeStep, PostStep


#: Hex digits of a plan's id.
ID_DIGITS: Final = 32


def identify(
    origin: Iterable[str],
    fingerprints: Mapping[str, str],
    steps: Iterable[MergeStep],
    post_steps: Iterable[PostStep],
) -> str:
    """32 hex digits that depend on where the plan comes from, the members' content and what would be sent.

    ``origin``: domain, rule set, cluster, main profile. Band and reasons are left out: a plan that
    became less doubtful, or that a person approved, is the same plan. A run's file is refused where a plan
    with reasons stands in band ``merge``.
    """
    lines = [*origin, *(f"{profile_id} {content}" for profile_id, content in sorted(fingerprints.items()))]
    for step in steps:
        lines.append(" ".join(step.merged_profile_ids))
        lines += [f"{c.source_profile_id} {c.field}" for c in step.field_choices]
    lines += [f"{s.operation} {canonical_json(s.request)}" for s in post_steps]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:ID_DIGITS]


def is_unaltered(plan: MergePlan) -> bool:
    """Whether the plan's id is that of its content."""
    origin = (plan.domain_name or "", plan.rule_set_fingerprint, plan.cluster_id, plan.main_profile_id)
    return identify(origin, plan.fingerprints, plan.steps, plan.post_steps) == plan.plan_id
