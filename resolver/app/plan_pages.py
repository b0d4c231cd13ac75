"""Use case: look at merge plans of a run. Shows customers' data on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.app.near_misses import aws_only_reasons, near_misses, render_near_misses
from resolver.app.results import read_plans
from resolver.errors import BadFile, BadInput
from resolver.model.profile import by_id, from_row
from resolver.planning.rendering import describe_plan, render_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile


def show_plan(directory: Path, plan_id: str) -> tuple[dict[str, Any], str]:
    """One plan of a run and what it left out, as data and text; the first characters of its id are enough.

    Raises:
        BadInput: no plan or several begin like that.
        BadFile: the directory holds no run.
    """
    found = [plan for plan in read_plans(directory) if plan.plan_id.startswith(plan_id)]
    if len(found) != 1:
        count = len(found) or "no"
        raise BadInput(f"{directory}: {count} plans begin with {plan_id!r}")
    members = _members(directory, found)
    misses, reasons = near_misses(directory, found[0]), aws_only_reasons(directory, found[0].plan_id)
    data = describe_plan(found[0], members) | {"left_out": misses, "why_not_linked": reasons}
    return data, render_plan(found[0], members) + render_near_misses(misses, reasons)


def example_texts(directory: Path, examples: Sequence[Mapping[str, Any]]) -> list[str]:
    """The plans of ``examples`` (of report.json) as text, each with why its profiles were joined."""
    plans = {plan.plan_id: plan for plan in read_plans(directory)}
    picked = [plans[example["plan_id"]] for example in examples]
    members = _members(directory, picked)
    return [
        "\n".join((render_plan(plan, members), "", "why", *_why(example)))
        for plan, example in zip(picked, examples, strict=True)
    ]


def _why(example: Mapping[str, Any]) -> Iterator[str]:
    for link in example["links"]:
        yield f"  {link['left'][:8]} and {link['right'][:8]}: {link['why']}"
    yield f"  {example['held_together']}"


def _members(directory: Path, plans: list[MergePlan]) -> dict[str, Profile]:
    ids = sorted({profile_id for plan in plans for profile_id in plan.profile_ids})
    path = directory / "profiles.parquet"
    try:
        rows = pl.scan_parquet(path).filter(pl.col("profile_id").is_in(ids)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no profiles of a run there ({type(error).__name__})") from None
    return by_id(from_row(row) for row in rows.iter_rows(named=True))
