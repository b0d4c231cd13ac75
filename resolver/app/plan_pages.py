"""Use case: look at merge plans of a run. Shows customers' data on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.app.running import read_plans
from resolver.errors import BadFile, BadInput
from resolver.model.profile import by_id, from_row
from resolver.planning.rendering import describe_plan, render_plan
from resolver.report.summary import pick_examples

if TYPE_CHECKING:
    from pathlib import Path

    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile


def show_plan(directory: Path, plan_id: str) -> tuple[dict[str, Any], str]:
    """One plan of a run as data and as text; the first characters of its id are enough.

    Raises:
        BadInput: no plan or several begin like that.
        BadFile: the directory holds no run.
    """
    found = [plan for plan in read_plans(directory) if plan.plan_id.startswith(plan_id)]
    if len(found) != 1:
        count = len(found) or "no"
        raise BadInput(f"{directory}: {count} plans begin with {plan_id!r}")
    members = _members(directory, found)
    return describe_plan(found[0], members), render_plan(found[0], members)


def example_texts(directory: Path, how_many: int = 3) -> list[str]:
    """A few plans of different kinds, as text."""
    picked = pick_examples(read_plans(directory), how_many)
    members = _members(directory, picked)
    return [render_plan(plan, members) for plan in picked]


def _members(directory: Path, plans: list[MergePlan]) -> dict[str, Profile]:
    ids = sorted({profile_id for plan in plans for profile_id in plan.profile_ids})
    path = directory / "profiles.parquet"
    try:
        rows = pl.scan_parquet(path).filter(pl.col("profile_id").is_in(ids)).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no profiles of a run there ({type(error).__name__})") from None
    return by_id(from_row(row) for row in rows.iter_rows(named=True))
