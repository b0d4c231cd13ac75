"""What a person may release: approved plans of clusters that are still what was judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk
    from resolver.model.merge_plan import MergePlan


def releasable(desk: Desk) -> tuple[MergePlan, ...]:
    """The plans of every verdict that holds, as approved, in band ``merge``, sorted by cluster.

    Left out: what waits for a second look, what two reviewers see differently, what contradicts another
    decision, and what changed since it was judged. The executor checks members' fingerprints once more.
    """
    settled = {
        standing.settled.fact_id: cluster_id
        for cluster_id, standing in desk.standings().items()
        if standing.settled is not None and cluster_id in desk.batch.cases
    }
    recorded = desk.book.plans_of(sorted(settled))
    plans = [
        replace(plan, band="merge")
        for fact_id in sorted(recorded, key=lambda i: settled[i])
        for plan in recorded[fact_id]
        if plan.steps
    ]
    return tuple(plans)
