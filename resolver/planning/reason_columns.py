"""Why a person must look, for the groups of a batch: few have reasons, so this visits those only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.planning.bands import doubts, no_rule, protected_loss
from resolver.planning.fates import LOST
from resolver.planning.group_plan import objections
from resolver.planning.groups import groups_of

if TYPE_CHECKING:
    from resolver.planning.concluded import Concluded
    from resolver.planning.group_plan import Planner


def reasons_of(planner: Planner, concluded: Concluded) -> pl.Series:
    """The reasons of each group, in the order of ``plan_group``: a list each, mostly of none."""
    told = _reasons(planner, concluded)
    rows = (
        pl.DataFrame(
            [(place, reason) for place, reasons in told.items() for reason in reasons],
            schema={"place": pl.Int64, "reasons": pl.String},
            orient="row",
        )
        .group_by("place", maintain_order=True)
        .agg("reasons")
    )
    nothing = pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, concluded.groups.height)
    places = pl.DataFrame({"place": np.arange(len(nothing)), "nothing": nothing})
    joined = places.join(rows, on="place", how="left", maintain_order="left")
    return joined.select(pl.coalesce("reasons", "nothing")).to_series()


def _reasons(planner: Planner, concluded: Concluded) -> dict[int, list[str]]:
    """The reasons of the groups that have any."""
    reasons = _of_groups(planner, concluded.groups)
    cells, rules = concluded.cells, planner.survivorship
    never = [rules.strategy_of(field) == "never" for field in cells.fields]
    if any(never):
        open_fields = np.flatnonzero(np.array(never)[cells.field[cells.begin]])
        for cell in cells.begin[open_fields].tolist():
            reasons.setdefault(int(cells.group[cell]), []).append(no_rule(cells.fields[cells.field[cell]]))
    protected = [field in rules.protected for field in cells.fields]
    if any(protected) and "protected_value_given_up" not in planner.rules.merging.allow:
        lost = concluded.fates.cell[concluded.fates.outcome == LOST]
        lost = lost[np.array(protected)[cells.field[lost]]]
        pairs = {(int(cells.group[cell]), cells.fields[cells.field[cell]]) for cell in lost.tolist()}
        for group, field in sorted(pairs):
            reasons.setdefault(group, []).append(protected_loss(field))
    return {group: texts for group, texts in reasons.items() if texts}


def _of_groups(planner: Planner, groups: pl.DataFrame) -> dict[int, list[str]]:
    """What is against a group before its values are looked at."""
    merging, policy = planner.rules.merging, planner.rules.second_opinion
    reasons: dict[int, list[str]] = {}
    doubtful = pl.any_horizontal("contested", "bridge_held", "shared_contact_only")
    large = pl.col("profile_ids").list.len() > merging.max_profiles
    asked = doubtful | large | pl.col("reason").is_not_null() | pl.lit(policy.policy == "require_agreement")
    chosen = groups.with_row_index("place").filter(asked)
    for place, group in zip(chosen["place"], groups_of(chosen.drop("place")), strict=True):
        reasons[place] = [
            *group.reasons,
            *doubts(group.flags, group.profile_ids, merging),
            *objections(group, planner.facts, policy),
        ]
    return reasons
