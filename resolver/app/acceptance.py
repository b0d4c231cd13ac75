"""Use case: acceptance sampling. What needs no person is released by pattern, while looks bound its errors.

A pattern is a kind of evidence (what the weakest link of a cluster rests on). Reviewers look at a random
sample of each pattern's clusters in the review app; looks are pooled over runs of one rule set and the same
sources.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from resolver.app.reviewing.batching import batch_of
from resolver.app.reviewing.bounds import CONFIDENCE, wrong_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.app.reviewing.desk import Desk
    from resolver.model.merge_plan import MergePlan


@dataclass(frozen=True, slots=True)
class PatternAccepted:
    """One pattern: its ready ``plans``, pooled random ``looks`` and how many were not right, and the bound.

    ``wrong_at_most`` is the exact one-sided 95 % bound (Clopper-Pearson) on the share of wrong merges, 1
    where nobody has looked; ``released`` says whether it is at or under the gate, and this run's looks found
    nothing.
    """

    pattern: str
    plans: int
    looks: int
    wrong: int
    wrong_at_most: float
    released: bool


def accept(
    desk: Desk, plans: Sequence[MergePlan], gate: float
) -> tuple[list[MergePlan], list[PatternAccepted]]:
    """The plans that may run, and what is known of each pattern, most plans first.

    ``gate`` is the largest share of wrong merges that a pattern's bound may admit.
    """
    patterns = {plan.plan_id: desk.patterns.get(plan.cluster_id) for plan in plans}
    counts = Counter(pattern for pattern in patterns.values() if pattern is not None)
    known = {}
    for pattern, count in sorted(counts.items(), key=lambda item: (-item[1], item[0].name)):
        batch = batch_of(desk, pattern.key)
        looks, wrong = batch.counted if batch is not None else (0, 0)
        bound = wrong_at_most(looks, wrong) if looks else 1.0
        released = bound <= gate and not (batch is not None and batch.stopped)
        known[pattern.key] = PatternAccepted(pattern.name, count, looks, wrong, bound, released)
    good = {pattern for pattern in counts if known[pattern.key].released}
    ready = [plan for plan in plans if patterns[plan.plan_id] in good]
    return ready, list(known.values())


def describe_acceptance(gate: float, patterns: Sequence[PatternAccepted] | None) -> dict[str, Any]:
    """For report.json; ``patterns`` is null where the rule set asks for no looks."""
    return {
        "gate": gate,
        "confidence": CONFIDENCE,
        "patterns": None if patterns is None else [asdict(one) for one in patterns],
        "plans_held": sum(one.plans for one in patterns or () if not one.released),
    }
