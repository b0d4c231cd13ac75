"""The reviewers' desk: one batch, one ledger, any number of reviewers at any number of desks.

The desk holds no truth of its own: what people said is read from the ledger before every answer, and a
verdict is written only where it finds the cluster as the reviewer saw it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.givens import Clock, Pile, Reader, drawn, utc_now
from resolver.app.reviewing.merged import Merged
from resolver.app.reviewing.outcome import Wish, foresee
from resolver.app.reviewing.patterns import LANES, Guard, Pattern, guards_of, sort_into_patterns
from resolver.app.reviewing.standing import Standing, State, checked, stand
from resolver.app.reviewing.walking import next_open
from resolver.app.reviewing.watching import renewed, with_case
from resolver.app.reviewing.worth import worth
from resolver.errors import ServiceFailed
from resolver.model.decision import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.batch import ReviewBatch
    from resolver.ledger.carried_out import Done
    from resolver.ledger.reviews import ReviewBook
    from resolver.model.merge_plan import MergePlan
    from resolver.model.review_fact import ReviewFact, Ruling

#: How long claimed clusters are held, and how long a cluster that somebody has open is offered to nobody
#: else.
CLAIM: Final = timedelta(hours=2)
PRESENCE: Final = timedelta(minutes=3)
#: Share of clusters that a second reviewer or a blind look is drawn for, from their id: nobody can choose.
#: One answer asks for the facts a dozen times; they are read from the ledger once. What is written on them is
#: checked by the ledger itself, so that an older view can only lead to a conflict, never to a wrong verdict.
_FRESH_SECONDS: Final = 0.02
#: Plans kept for the next key; then all are forgotten.
_MOST_FORESEEN: Final = 2_000
SECOND_SHARE: Final = 0.05
BLIND_SHARE: Final = 0.05


@dataclass
class Desk:
    """What the faces ask. ``second_share`` and ``blind_share`` are for tests and careful sites."""

    batch: ReviewBatch
    book: ReviewBook
    clock: Clock = utc_now
    reader: Reader | None = None
    second_share: float = SECOND_SHARE
    blind_share: float = BLIND_SHARE
    #: What was said of pairs before this run, and beside this review.
    earlier: dict[frozenset[str], str] = field(default_factory=dict, init=False)
    #: The store did not answer when it was last asked.
    unread: bool = field(default=False, init=False)
    _facts: dict[int, ReviewFact] = field(default_factory=dict)
    _standings: dict[str, Standing] = field(default_factory=dict)
    _open_by: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _foreseen: dict[object, MergePlan | None] = field(default_factory=dict)
    _read_at: float = -1.0
    _lock: Lock = field(default_factory=Lock)
    _carried_out: dict[str, Done] = field(default_factory=dict)

    @cached_property
    def fights(self) -> frozenset[frozenset[str]]:
        """Pairs that a decision from before this batch says are not the same."""
        return frozenset(pair for pair, verdict in self.earlier.items() if verdict == Verdict.NON_MATCH.value)

    @cached_property
    def guards(self) -> dict[str, tuple[Guard, ...]]:
        """Each cluster's reasons for care."""
        return {i: guards_of(case, self.batch, self.fights) for i, case in self.batch.cases.items()}

    @cached_property
    def patterns(self) -> dict[str, Pattern]:
        """Each cluster's pattern."""
        return sort_into_patterns(self.batch, self.guards)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All clusters in the order of work: lane, what a pattern is worth, the strongest evidence first."""
        worths: dict[str, float] = {}
        for cluster_id, pattern in self.patterns.items():
            worths[pattern.key] = worths.get(pattern.key, 0.0) + worth(self.batch.cases[cluster_id])

        def place(cluster_id: str) -> tuple[Any, ...]:
            pattern, weakest = self.patterns[cluster_id], self.batch.cases[cluster_id].web.weakest
            weight = -weakest.weight if weakest else 0.0
            return (LANES.index(pattern.lane), -worths[pattern.key], pattern.name, weight, cluster_id)

        return tuple(sorted(self.batch.cases, key=place))

    def __post_init__(self) -> None:
        self._merged = Merged(self.book, self.batch.domain)
        own = {(f.reviewer, f.at) for f in self.facts() if f.run_id == self.batch.run_id}
        self.earlier = self.book.earlier_verdicts(self.batch.domain, own)
        self._stand()

    def facts(self) -> list[ReviewFact]:
        """Every fact of the domain, oldest first, read up to now."""
        with self._lock:
            if monotonic() - self._read_at < _FRESH_SECONDS:
                return list(self._facts.values())
            newest = max(self._facts, default=0)
            fresh = [
                f for f in self.book.facts_since(self.batch.domain, newest) if f.fact_id not in self._facts
            ]
            if fresh:
                self._facts.update((f.fact_id, f) for f in fresh)
                self._facts = dict(sorted(self._facts.items()))
            if self._merged.learn() or fresh:
                self._stand()
            self._read_at = monotonic()
            return list(self._facts.values())

    def record(self, rulings: Sequence[Ruling]) -> list[int] | None:
        """Put facts on disk with all that follows from them; None where another fact was faster."""
        ids = self.book.record(self.batch.domain, rulings)
        with self._lock:
            self._read_at = -_FRESH_SECONDS
        return ids

    def foresee(self, wish: Wish) -> MergePlan | None:
        """The plan of a wish, computed once as long as its cluster stays as it is."""
        case = self.batch.cases[wish.cluster_id]
        key = (case.version, wish.profile_ids, wish.main, tuple(sorted(wish.sources.items())), wish.kept)
        if key not in self._foreseen:
            if len(self._foreseen) >= _MOST_FORESEEN:
                self._foreseen.clear()
            self._foreseen[key] = foresee(self.batch, wish)
        return self._foreseen[key]

    def standings(self) -> Mapping[str, Standing]:
        """How every cluster that has a fact stands now."""
        self.facts()
        return self._standings

    def standing(self, cluster_id: str) -> Standing:
        """How one cluster stands now."""
        return self.standings().get(cluster_id, Standing(cluster_id))

    def piles(self) -> list[Pile]:
        """The queue: every pattern in the order of work."""
        standings = self.standings()
        held: dict[str, list[str]] = {}
        for cluster_id in self.order:
            held.setdefault(self.patterns[cluster_id].key, []).append(cluster_id)
        return [
            Pile(
                self.patterns[ids[0]],
                tuple(ids),
                tuple(i for i in ids if i not in standings or not standings[i].decided),
            )
            for ids in held.values()
        ]

    def left(self) -> int:
        """How many clusters nobody has judged."""
        standings = self.standings()
        return sum(i not in standings or not standings[i].decided for i in self.batch.cases)

    def after(self, cluster_id: str | None, reviewer: str, pattern: str | None = None) -> str | None:
        """The next cluster to judge: the same pattern first, then on in the order of work.

        Clusters that somebody else holds or has open are passed over.
        """
        return next_open(self, cluster_id, reviewer, pattern)

    def before(self, cluster_id: str) -> str | None:
        """The cluster one place earlier in the order of work, judged or not."""
        place = self.order.index(cluster_id) if cluster_id in self.batch.cases else 0
        return self.order[place - 1] if place else None

    def skip(self, cluster_id: str) -> str:
        """The next cluster in the order of work, wherever it stands; the first one after the last."""
        standings = self.standings()
        place = self.order.index(cluster_id)
        turned = self.order[place + 1 :] + self.order[: place + 1]
        return next((i for i in turned if i not in standings or not standings[i].decided), turned[0])

    def refresh(self, cluster_id: str) -> None:
        """Read a cluster's profiles anew, where there is a store to read from.

        What changed or vanished since is kept with the case, whose version then differs from what was shown.
        A store that does not answer stops nobody: the executor reads every profile once more.
        """
        if self.reader is None:
            return
        case = self.batch.cases[cluster_id]
        try:
            read = self.reader(case.profile_ids)
        except ServiceFailed:
            self.unread = True
            return
        self.unread = False
        fresh = renewed(case, read)
        if fresh is None:
            return
        with self._lock:
            self.batch = with_case(self.batch, fresh)
            self._stand()

    def recheck(self) -> None:
        """Read every judged cluster's profiles anew: what changed since its verdict must be judged again."""
        for cluster_id, standing in self.standings().items():
            if standing.decided and cluster_id in self.batch.cases and not self.unread:
                self.refresh(cluster_id)

    def merged(self, cluster_id: str) -> Done | None:
        """The executor's merge of what was approved of a cluster, or of its own plan; None where none."""
        self.facts()
        return self._carried_out.get(cluster_id)

    def opened_by(self, cluster_id: str) -> tuple[str, datetime] | None:
        """Who has a cluster open and until when that counts."""
        return self._open_by.get(cluster_id)

    def look_at(self, cluster_id: str, reviewer: str) -> None:
        """Note that somebody has a cluster open, so that it is offered to nobody else for a moment."""
        self._open_by[cluster_id] = (reviewer, self.clock() + PRESENCE)

    def resume(self, reviewer: str) -> str | None:
        """Where the reviewer left off: opened last and not judged, else the one after their last verdict."""
        opened = [(until, i) for i, (who, until) in self._open_by.items() if who == reviewer]
        standings = self.standings()
        for _, cluster_id in sorted(opened, reverse=True):
            if cluster_id not in standings or not standings[cluster_id].decided:
                return cluster_id
        mine = self.mine(reviewer)
        if not mine or mine[0].cluster_id not in self.batch.cases:
            return None
        return self.after(mine[0].cluster_id, reviewer, self.patterns[mine[0].cluster_id].key)

    def holder(self, cluster_id: str) -> tuple[str, datetime] | None:
        """Who has claimed a cluster and until when; None where nobody does now."""
        claim = self.claims().get(cluster_id)
        return claim if claim and claim[1] > self.clock() else None

    def claims(self) -> dict[str, tuple[str, datetime]]:
        """Every claim that holds now."""
        now = self.clock()
        return {i: c for i, c in self.book.claims(self.batch.domain).items() if c[1] > now}

    def take(self, reviewer: str, count: int = 50) -> list[str]:
        """Claim the next clusters in the order of work that nobody holds."""
        self.book.drop_expired(self.batch.domain, self.clock())
        standings, claims = self.standings(), self.claims()
        free = [i for i in self.order if i not in claims and (i not in standings or not standings[i].decided)]
        return self.book.claim(self.batch.domain, free[:count], reviewer, self.clock() + CLAIM)

    def take_over(self, cluster_id: str, reviewer: str) -> None:
        """Hold a cluster that somebody else holds."""
        self.book.take_over(self.batch.domain, cluster_id, reviewer, self.clock() + CLAIM)

    def hand_back(self, reviewer: str) -> int:
        """Let go of all claims of a reviewer."""
        return self.book.hand_back(self.batch.domain, reviewer)

    def needs_second(self, cluster_id: str, verdict: str) -> bool:
        """A merge of the hard lane, or one of the share that chance picks."""
        if verdict == "merge" and self.patterns[cluster_id].lane == "hard":
            return True
        return (
            verdict in ("merge", "split")
            and drawn(self.batch.run_id, cluster_id, "second") < self.second_share
        )

    def blind_by_lot(self, cluster_id: str) -> bool:
        """One of the share of one-by-one clusters that are judged without seeing weights."""
        single = self.patterns[cluster_id].lane == "single"
        return single and drawn(self.batch.run_id, cluster_id, "blind") < self.blind_share

    def mine(self, reviewer: str) -> list[ReviewFact]:
        """The reviewer's verdicts of this run that nobody took back, newest first."""
        standings = self.standings()
        found = []
        for fact in reversed(self.facts()):
            if fact.reviewer != reviewer or fact.run_id != self.batch.run_id:
                continue
            standing = standings.get(fact.cluster_id)
            if (
                standing
                and standing.state is not State.MERGED
                and fact in (standing.verdict, standing.second)
            ):
                found.append(fact)
        return found

    def _stand(self) -> None:
        standings = stand(self._facts.values(), self.batch.run_id)
        self._carried_out = self._merged.clusters(self.batch, standings)
        self._standings = checked(standings, self.batch.cases, self.earlier, self._carried_out)
