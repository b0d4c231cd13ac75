"""The next cluster: which one a reviewer is given after the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk


def next_open(desk: Desk, cluster_id: str | None, reviewer: str, pattern: str | None = None) -> str | None:
    """The next cluster to judge: the same pattern first, then on in the order of work.

    Clusters that somebody else holds or has open are passed over; None where nothing is left for them.
    """
    standings, claims, now = desk.standings(), desk.claims(), desk.clock()
    place = desk.order.index(cluster_id) if cluster_id in desk.batch.cases else -1
    turned = desk.order[place + 1 :] + desk.order[: place + 1]

    def free(candidate: str) -> bool:
        if candidate in standings and standings[candidate].decided:
            return False
        if claims.get(candidate, (reviewer, now))[0] != reviewer:
            return False
        who, until = desk.opened_by(candidate) or (reviewer, now)
        return who == reviewer or until <= now

    open_ones = [i for i in turned if free(i)]
    same = [i for i in open_ones if desk.patterns[i].key == pattern] if pattern else []
    single = [i for i in open_ones if desk.patterns[i].lane != "batch"]
    return next(iter(same or single or open_ones), None)
