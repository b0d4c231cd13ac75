"""Merge plans as JSON text and back, whole."""

from __future__ import annotations

import json
from dataclasses import asdict

from resolver.model.merge_plan import Disposal, FieldChoice, MergePlan, MergeStep, PostStep


def plan_text(plan: MergePlan) -> str:
    """The plan as JSON."""
    return json.dumps(asdict(plan), ensure_ascii=False, separators=(",", ":"))


def plan_of(text: str) -> MergePlan:
    """The plan that ``plan_text`` wrote, equal in every part."""
    content = json.loads(text)
    return MergePlan(
        **content
        | {
            "merged_profile_ids": tuple(content["merged_profile_ids"]),
            "steps": tuple(
                MergeStep(
                    step["main_profile_id"],
                    tuple(step["merged_profile_ids"]),
                    tuple(FieldChoice(**choice) for choice in step["field_choices"]),
                )
                for step in content["steps"]
            ),
            "field_choices": tuple(FieldChoice(**choice) for choice in content["field_choices"]),
            "disposals": tuple(Disposal(**disposal) for disposal in content["disposals"]),
            "reasons": tuple(content["reasons"]),
            "after": tuple(content["after"]),
            "post_steps": tuple(PostStep(**step) for step in content["post_steps"]),
        }
    )
