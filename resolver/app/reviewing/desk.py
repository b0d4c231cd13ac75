"""The reviewers' desk: one batch, one ledger, any number of reviewers at any number of desks.

The desk holds no truth of its own: what people said is read from the ledger before every answer, and a
verdict is written only where it finds the cluster as the reviewer saw it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from statistics import median
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from resolver.app.reviewing.outcome import Wish, foresee
from resolver.app.reviewing.patterns import LANE_SECONDS, LANES, Guard, Pattern, guards_of, sort_into_patterns
from resolver.app.reviewing.standing import Standing, State, stand, statements
from resolver.errors import ServiceFailed
from resolver.model.decision import Verdict
from resolver.model.frames import PROFILES
from resolver.model.profile import from_row, to_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.batch import ReviewBatch
    from resolver.ledger.reviews import ReviewBook
    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile
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


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...


class Reader(Protocol):
    """Reads profiles as they are now; those that are gone are absent."""

    def __call__(self, profile_ids: Sequence[str], /) -> Mapping[str, Profile]:
        """The profiles that are there under exactly these ids."""
        ...


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pile:
    """One pattern of the queue with its clusters in the order of work."""

    pattern: Pattern
    cluster_ids: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def done(self) -> int:
        """How many are judged."""
        return len(self.cluster_ids) - len(self.left)


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
        """All clusters in the order of work: lane, largest pattern, then the strongest evidence first."""
        sizes: dict[str, int] = {}
        for pattern in self.patterns.values():
            sizes[pattern.key] = sizes.get(pattern.key, 0) + 1

        def place(cluster_id: str) -> tuple[Any, ...]:
            pattern, weakest = self.patterns[cluster_id], self.batch.cases[cluster_id].web.weakest
            weight = -weakest.weight if weakest else 0.0
            return (LANES.index(pattern.lane), -sizes[pattern.key], pattern.name, weight, cluster_id)

        return tuple(sorted(self.batch.cases, key=place))

    def __post_init__(self) -> None:
        own = {(f.reviewer, f.at) for f in self.facts() if f.run_id == self.batch.run_id}
        self.earlier = self.book.earlier_verdicts(self.batch.domain, own)
        self._standings = self._checked(stand(self._facts.values(), self.batch.run_id))

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
                self._standings = self._checked(stand(self._facts.values(), self.batch.run_id))
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
        key = (case.version, wish.profile_ids, wish.main, tuple(sorted(wish.sources.items())))
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
        return self._walk(cluster_id, reviewer, pattern)

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
        now = {i: from_row(to_row(p)) for i, p in read.items()}
        gone = tuple(i for i in case.profile_ids if i not in now)
        changed = {i: p for i, p in now.items() if p != case.profiles[i]}
        if not changed and gone == case.gone:
            return
        with self._lock:
            profiles = {**case.profiles, **changed}
            before = {i: case.before.get(i, case.profiles[i]) for i in (*case.before, *changed)}
            fresh = replace(case, profiles=profiles, before=before, gone=gone)
            rows = pl.DataFrame([to_row(p) for p in changed.values()], schema=PROFILES.columns)
            others = self.batch.profiles.filter(~pl.col("profile_id").is_in(list(changed)))
            self.batch = replace(
                self.batch,
                cases={**self.batch.cases, cluster_id: fresh},
                profiles=pl.concat([others, rows.select(others.columns)]) if changed else self.batch.profiles,
            )
            self._standings = self._checked(stand(self._facts.values(), self.batch.run_id))

    def look_at(self, cluster_id: str, reviewer: str) -> None:
        """Note that somebody has a cluster open, so that it is offered to nobody else for a moment."""
        self._open_by[cluster_id] = (reviewer, self.clock() + PRESENCE)

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
            and _drawn(self.batch.run_id, cluster_id, "second") < self.second_share
        )

    def blind_by_lot(self, cluster_id: str) -> bool:
        """One of the share of one-by-one clusters that are judged without seeing weights."""
        single = self.patterns[cluster_id].lane == "single"
        return single and _drawn(self.batch.run_id, cluster_id, "blind") < self.blind_share

    def mine(self, reviewer: str) -> list[ReviewFact]:
        """The reviewer's verdicts of this run that nobody took back, newest first."""
        standings = self.standings()
        found = []
        for fact in reversed(self.facts()):
            if fact.reviewer != reviewer or fact.run_id != self.batch.run_id:
                continue
            standing = standings.get(fact.cluster_id)
            if standing and fact in (standing.verdict, standing.second):
                found.append(fact)
        return found

    def seconds_left(self, reviewer: str) -> float:
        """How long the rest takes: one by one and hard at the reviewer's own median, batches at theirs."""
        own = self.pace(reviewer)
        return sum(
            len(pile.left) * (own.get(pile.pattern.lane) or LANE_SECONDS[pile.pattern.lane])
            for pile in self.piles()
        )

    def pace(self, reviewer: str) -> dict[str, float]:
        """The reviewer's median seconds a look by lane, where there are three looks or more."""
        looks: dict[str, list[float]] = {}
        for fact in self.facts():
            spent = fact.content.get("look_ms")
            if (
                fact.reviewer == reviewer
                and fact.kind == "verdict"
                and spent
                and not fact.content.get("by_batch")
            ):
                looks.setdefault(fact.content.get("lane", "single"), []).append(spent / 1000)
        return {lane: median(spent) for lane, spent in looks.items() if len(spent) >= 3}  # noqa: PLR2004 - fewer say nothing

    def _walk(self, cluster_id: str | None, reviewer: str, pattern: str | None) -> str | None:
        standings, claims, now = self.standings(), self.claims(), self.clock()
        place = self.order.index(cluster_id) if cluster_id in self.batch.cases else -1
        turned = self.order[place + 1 :] + self.order[: place + 1]

        def free(candidate: str) -> bool:
            if candidate in standings and standings[candidate].decided:
                return False
            if claims.get(candidate, (reviewer, now))[0] != reviewer:
                return False
            who, until = self._open_by.get(candidate, (reviewer, now))
            return who == reviewer or until <= now

        open_ones = [i for i in turned if free(i)]
        same = [i for i in open_ones if self.patterns[i].key == pattern] if pattern else []
        single = [i for i in open_ones if self.patterns[i].lane != "batch"]
        return next(iter(same or single or open_ones), None)

    def _checked(self, standings: dict[str, Standing]) -> dict[str, Standing]:
        """Verdicts on something that is no longer so do not hold."""
        checked = {}
        for cluster_id, standing in standings.items():
            case = self.batch.cases.get(cluster_id)
            holds = standing.settled
            now = standing
            if case is not None and holds is not None and holds.version != case.version:
                now = replace(standing, state=State.CHANGED)
            elif holds is not None and standing.second is None and not standing.kept:
                fought = any(
                    self.earlier.get(pair) not in (None, verdict, Verdict.UNSURE.value)
                    for pair, verdict in statements(holds.content)
                )
                now = replace(standing, state=State.FIGHTS) if fought else standing
            checked[cluster_id] = now
        return checked


def _drawn(*parts: str) -> float:
    """A number in [0, 1) that the same parts always draw."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
