"""What a merge of some of a cluster's members would leave, with the reviewer's own choices in it.

The same parts of planning as in a run, in the same order; only the choice of the main profile and of field
sources may come from a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.planning.group_plan import Planner, plan_group
from resolver.planning.groups import Group
from resolver.planning.members import gather
from resolver.planning.plans import in_its_region
from resolver.planning.preferences import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.app.reviewing.batch import ReviewBatch
    from resolver.model.merge_plan import MergePlan


@dataclass(frozen=True, slots=True)
class Wish:
    """Which members become one, and what the reviewer chose.

    The main profile, a source by field, and (field, profile) whose value is kept as an attribute.
    """

    cluster_id: str
    profile_ids: tuple[str, ...]
    main: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[tuple[str, str]] = frozenset()


def wish_of(cluster_id: str, profile_ids: Iterable[str], chosen: Mapping[str, Any]) -> Wish:
    """The wish that those members become one, with the choices of a draft or of a verdict's content."""
    kept = frozenset((name, i) for name, ids in (chosen.get("kept") or {}).items() for i in ids)
    return Wish(cluster_id, tuple(profile_ids), chosen.get("main"), chosen.get("sources") or {}, kept)


def foresee(batch: ReviewBatch, wish: Wish) -> MergePlan | None:
    """The plan of that wish; None where fewer than two members are left or no rules are at hand.

    A whole cluster without a choice of the reviewer's has the plan that the run made.
    """
    if len(wish.profile_ids) < 2 or batch.rules is None:  # noqa: PLR2004 - one profile has nothing to merge with
        return None
    case = batch.cases.get(wish.cluster_id)
    chosen = wish.main or wish.sources or wish.kept
    known = case.plan if case and not case.before and not chosen else None
    if known is not None and set(known.profile_ids) == set(wish.profile_ids):
        return known
    rules = batch.rules
    survivorship = in_its_region(rules)
    ids = tuple(sorted(wish.profile_ids))
    rows = batch.profiles.filter(pl.col("profile_id").is_in(pl.Series(ids, dtype=pl.String).implode()))
    members = {m.profile_id: m for m in gather(rows, survivorship, batch.facts.objects)}
    planner = Planner(
        rules, rules.fingerprint, batch.facts, survivorship, members, references(batch.profiles)
    )
    main = wish.main if wish.main in wish.profile_ids else None
    group = Group(wish.cluster_id, ids, "review", opinion="", main=main, sources=wish.sources, kept=wish.kept)
    return plan_group(planner, group, ())
