"""What a run left behind: its plans as written, and what became of them in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.app.calls import Result
from resolver.errors import BadFile
from resolver.planning.plan_table import plans_from_frame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from resolver.app.apply_report import ApplyReport
    from resolver.model.merge_plan import MergePlan

#: Characters of a plan's id that people are shown.
SHORT: Final = 12


def read_plans(directory: Path) -> tuple[MergePlan, ...]:
    """The merge plans of a run, as written.

    Raises:
        BadFile: the directory holds no run, its plans are not readable, or a plan that needs a person stands
            there as one that does not. A plan's id does not cover its band, so that it stays the same plan
            when a person approves it; approvals come from the ledger, never from this file.
    """
    path = directory / "plans.parquet"
    try:
        plans = plans_from_frame(pl.read_parquet(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no plans of a run there ({type(error).__name__})") from None
    flipped = [p for p in plans if p.band == "merge" and (p.reasons or not p.steps)]
    if flipped:
        first = flipped[0]
        why = f"reason: {first.reasons[0]}" if first.reasons else "nothing to send"
        raise BadFile(
            f"{path}: {len(flipped)} plans of band merge need a person, e.g. {first.plan_id} ({why})"
        )
    return plans


def describe_apply(applied: ApplyReport) -> dict[str, Any]:
    """The figures of an apply: plans by result, profiles gone, reasons for what was not done."""
    return {
        "plans": len(applied.outcomes),
        "by_result": applied.counts,
        "profiles_merged_away": applied.merged,
        "complete": applied.complete,
        "reached_limit": applied.reached_limit,
        "stopped": applied.stopped,
        "settled_from_an_earlier_run": len(applied.settled),
        "undo": [
            {"plan_id": o.plan_id, "profiles_merged_away": o.merged}
            for o in applied.outcomes
            if o.merged or o.result is Result.APPLIED
        ],
        "reasons": {o.plan_id: o.reason for o in applied.outcomes if o.reason},
        **({"would_send": _would_send(applied)} if applied.dry_run else {}),
    }


def render_dry_run(data: Mapping[str, Any]) -> str:
    """The figures of a dry run for people: each plan's calls, and why the others would not be made."""
    counts = ", ".join(f"{count:,} {result}" for result, count in data["by_result"].items())
    calls = sum(len(plan["calls"]) for plan in data["would_send"])
    lines = [
        f"Dry run of {data['plans']:,} plans: {counts or 'none'}. {calls:,} calls would be made; none was."
    ]
    if held := (data.get("acceptance") or {}).get("plans_held"):
        lines.append(f"{held:,} more plans are held by the acceptance gate.")
    for plan in data["would_send"]:
        lines.append(f"plan {plan['plan_id'][:SHORT]}")
        lines += [f"  {_in_words(call)}" for call in plan["calls"]]
    lines += [f"plan {plan_id[:SHORT]}: {reason}" for plan_id, reason in data["reasons"].items()]
    return "\n".join(lines)


def _would_send(applied: ApplyReport) -> list[dict[str, Any]]:
    return [{"plan_id": o.plan_id, "calls": list(o.calls)} for o in applied.outcomes if o.calls]


def _in_words(call: Mapping[str, Any]) -> str:
    if call["operation"] != "merge_profiles":
        return f"{call['operation']} of {call['ProfileId']}: {', '.join(call['Fields'])}"
    sources = call.get("FieldSourceProfileIds", {})
    named = {name: source for name, source in sources.items() if name != "Attributes"}
    named |= {f"Attributes.{key}": source for key, source in sources.get("Attributes", {}).items()}
    taken = f"; {', '.join(f'{name} of {source}' for name, source in named.items())}" if named else ""
    return f"merge_profiles into {call['MainProfileId']}: {', '.join(call['ProfileIdsToBeMerged'])}{taken}"
