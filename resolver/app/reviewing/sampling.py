"""A batch as it stands: its looks, the bound they give, and what is missing before it may be approved."""

from __future__ import annotations

from dataclasses import dataclass

from resolver.app.reviewing.bounds import percent_up, wrong_among, wrong_at_most


@dataclass(frozen=True, slots=True)
class Look:
    """One cluster to be looked at; ``said`` is right, wrong, unsure or nothing yet."""

    cluster_id: str
    odd: bool
    said: str
    out: bool = False  #: the cluster itself is no longer of the batch; the look counts all the same


@dataclass(frozen=True, slots=True)
class Batch:
    """One pattern's batch as it stands."""

    key: str
    cluster_ids: tuple[str, ...]
    looks: tuple[Look, ...]
    drawn: bool
    seq: int
    stopped: str
    approved: bool
    earlier: tuple[int, int]
    gate: float

    @property
    def random(self) -> tuple[Look, ...]:
        """The looks that count for the bound."""
        return tuple(x for x in self.looks if not x.odd)

    @property
    def odd(self) -> tuple[Look, ...]:
        """The looks that can only stop the batch."""
        return tuple(x for x in self.looks if x.odd)

    @property
    def others(self) -> tuple[str, ...]:
        """Clusters that nobody looks at."""
        looked = {x.cluster_id for x in self.looks}
        return tuple(i for i in self.cluster_ids if i not in looked)

    @property
    def counted(self) -> tuple[int, int]:
        """Looks and wrong ones, all weeks; unsure counts as wrong."""
        said = [x.said for x in self.random if x.said]
        return self.earlier[0] + len(said), self.earlier[1] + sum(s != "right" for s in said)

    @property
    def bound(self) -> float:
        """At most this share is wrong, with 95 % confidence."""
        return wrong_at_most(*self.counted)

    @property
    def alone(self) -> int:
        """How many of this batch could be wrong by its own clean looks alone."""
        clean = sum(x.said == "right" for x in self.random)
        return wrong_among(len(self.cluster_ids), clean) if clean else len(self.cluster_ids)

    @property
    def current(self) -> Look | None:
        """The look that is due."""
        return next((x for x in self.looks if not x.said), None) if not self.stopped else None

    def due(self, cluster_id: str) -> Look | None:
        """The look at that cluster, where it is still due: looks may be taken in any order."""
        due = (x for x in self.looks if not x.said and x.cluster_id == cluster_id)
        return None if self.stopped else next(due, None)

    def beside(self, cluster_id: str) -> tuple[str, str]:
        """The looks that are due before and after that one, round and round."""
        ids = [x.cluster_id for x in self.looks if not x.said]
        place = ids.index(cluster_id)
        return ids[place - 1], ids[(place + 1) % len(ids)]

    @property
    def missing(self) -> str:
        """Why it cannot be approved yet, in words; empty when it can."""
        if self.stopped:
            return f"Wrong look in {self.stopped}. This batch is judged one by one."
        random_left = sum(not x.said for x in self.random)
        odd_left = sum(not x.said for x in self.odd)
        left = []
        if random_left:
            left.append(f"{random_left} random look{'s' if random_left > 1 else ''}")
        if odd_left:
            left.append(f"{odd_left} odd one{'s' if odd_left > 1 else ''}")
        if left:
            return f"Not yet: {' and '.join(left)} to go."
        if self.bound > self.gate and self.others:
            bound, gate = percent_up(self.bound), percent_up(self.gate)
            return f"The bound is {bound}, the gate {gate}: the rest is judged one by one this week."
        return ""

    @property
    def feasible(self) -> bool:
        """The drawn looks can reach the gate."""
        return wrong_at_most(self.earlier[0] + len(self.random), self.earlier[1]) <= self.gate
