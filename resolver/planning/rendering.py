"""One plan for a person to read: members side by side, choices, the profile to come, what is given up.

Shows customers' data on purpose; nothing else in planning does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.model.profile import ADDRESS_PARTS, MEMBER_ORDER, Profile
from resolver.planning.members import flat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.model.merge_plan import MergePlan

#: Characters of a value that a column of the text shows, and how many members stand side by side.
WIDTH: Final = 28
SHOWN: Final = 6
_MISSING: Final = "·"


def describe_plan(plan: MergePlan, members: Mapping[str, Profile]) -> dict[str, Any]:
    """The plan and its members as JSON-ready data.

    ``fields`` has one entry a field that anyone fills: the value of each member (null: none), the predicted
    one, and the rule where members differ. Members that are not given are shown as unknown.
    """
    known = {i: flat(members[i]) for i in plan.profile_ids if i in members}
    predicted = flat(dict(plan.predicted))
    rules = {c.field: c.strategy for c in plan.field_choices}
    names = sorted({name for values in (*known.values(), predicted) for name in values}, key=_order)
    return {
        "plan_id": plan.plan_id,
        "cluster_id": plan.cluster_id,
        "band": plan.band,
        "reasons": list(plan.reasons),
        "second_opinion": plan.second_opinion,
        "main_profile_id": plan.main_profile_id,
        "main_reason": plan.main_reason,
        "profile_ids": list(plan.profile_ids),
        "unknown_profile_ids": [i for i in plan.profile_ids if i not in known],
        "fields": [
            {
                "field": name,
                "values": {i: values.get(name) for i, values in known.items()},
                "predicted": predicted.get(name),
                "rule": rules.get(name),
            }
            for name in names
        ],
        "calls": [
            {"merged_profile_ids": list(s.merged_profile_ids), "field_sources": s.field_sources}
            for s in plan.steps
        ],
        "disposals": [
            {"field": d.field, "value": d.value, "fate": d.fate, "target": d.target, "reason": d.reason}
            for d in plan.disposals
        ],
        "post_steps": [{"operation": s.operation, **s.request} for s in plan.post_steps],
        "object_count": plan.object_count,
        "after": list(plan.after),
    }


def render_plan(plan: MergePlan, members: Mapping[str, Profile]) -> str:
    """The same as plain text, for a terminal wide enough for six members."""
    told = describe_plan(plan, members)
    known = [i for i in plan.profile_ids if i in members]
    shown = known[:SHOWN]
    lines = [
        f"plan {plan.plan_id}   {plan.band}   cluster {plan.cluster_id}",
        f"main profile {plan.main_profile_id}: {plan.main_reason}",
        f"second opinion: {plan.second_opinion}   objects together: {plan.object_count}",
        *(f"review because {reason}" for reason in plan.reasons),
        *(f"after plan {plan_id}" for plan_id in plan.after),
        *(f"unknown profile {profile_id}" for profile_id in told["unknown_profile_ids"]),
        "",
    ]
    head = [
        "",
        *("main " + i[:8] if i == plan.main_profile_id else i[:8] for i in shown),
        "predicted",
        "rule",
    ]
    rows = [
        [
            _cell(entry["field"]),
            *(_cell(entry["values"][i]) for i in shown),
            _cell(entry["predicted"]),
            entry["rule"] or "",
        ]
        for entry in told["fields"]
    ]
    lines += _columns([head, *rows])
    if len(known) > len(shown):
        lines.append(f"and {len(known) - len(shown)} more members")
    lines += ["", "MergeProfiles" if plan.steps else "nothing will be merged"]
    for number, step in enumerate(plan.steps, start=1):
        named = (
            ", ".join(f"{c.field} from {c.source_profile_id[:8]}" for c in step.field_choices) or "none named"
        )
        lines.append(f"  {number}. takes in {len(step.merged_profile_ids)}; sources: {named}")
    lines += [f"  then {step.operation}" for step in plan.post_steps]
    for fate, title in _TITLES.items():
        entries = [d for d in plan.disposals if d.fate == fate]
        if entries:
            lines += ["", title]
            lines += [f"  {d.field}: {_cell(d.value)}{_to(d.target)} ({d.reason})" for d in entries]
    return "\n".join(line.rstrip() for line in lines) + "\n"


#: Headings of the account, the worst first.
_TITLES: Final = {
    "given_up": "given up",
    "attribute": "preserved as attributes",
    "key": "kept as search keys",
    "slot": "moved to free fields",
    "kept": "kept in another place",
}


def _order(name: str) -> tuple[int, str]:
    return MEMBER_ORDER.get(name, len(MEMBER_ORDER)), name


def _cell(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, dict):  # one order for all: a block that is kept must not look like another
        value = ", ".join(value[part] for part in ADDRESS_PARTS if part in value)
    text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _to(target: str | None) -> str:
    return f" → {_cell(target)}" if target else ""


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
