"""The queue and what stands around it: counts, pace, verdict mix, look-up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.batching import batch_of
from resolver.app.reviewing.bounds import agreement_at_least, percent_down, percent_up
from resolver.app.reviewing.history import contradictions
from resolver.app.reviewing.judging import FAST_LOOK_MS, VERDICTS
from resolver.app.reviewing.pacing import burn_down_of, pace_of, pause_words
from resolver.app.reviewing.patterns import LANE_HINTS, LANE_NAMES, LANE_SECONDS, LANES
from resolver.app.reviewing.relations import text_of
from resolver.app.reviewing.standing import State, same_answer
from resolver.app.reviewing.worth import callers_helped
from resolver.planning.members import flat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.givens import Pile
    from resolver.app.reviewing.sampling import Batch


#: Filters that are kept beside the look-up.
FILTERS: Final = {"mine": "Mine", "cases": "Has cases", "losses": "Gives up values"}


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers in the navigation."""

    batches: int
    second: int
    contradictions: int


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One pattern: what is shown of it, the weights for its picture, and the time that is left."""

    shown: dict[str, Any]
    weights: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class QueueLane:
    """One lane of the queue."""

    name: str
    hint: str
    rows: tuple[QueueRow, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue page."""

    lanes: tuple[QueueLane, ...]
    facts: dict[str, Any]


def counts(desk: Desk, reviewer: str) -> Counts:
    """What waits: batches, second looks for this reviewer, contradictions."""
    standings = desk.standings().values()
    second = sum(
        s.state is State.WAITING and s.verdict is not None and s.verdict.reviewer != reviewer
        for s in standings
    )
    batches = sum(bool(p.left) for p in desk.piles() if p.pattern.lane == "batch")
    return Counts(batches, second, len(contradictions(desk)))


def queue(desk: Desk, reviewer: str) -> Queue:
    """Lanes with their patterns, and how this reviewer is doing."""
    piles = desk.piles()
    pace = pace_of(desk, reviewer)
    current = next((p.pattern.key for p in piles if p.left), None)
    lanes = []
    for lane in LANES:
        rows = tuple(_row(desk, p, pace, current) for p in piles if p.pattern.lane == lane)
        if rows:
            lanes.append(QueueLane(LANE_NAMES[lane], LANE_HINTS[lane], rows))
    left = sum(len(p.left) for p in piles)
    verdicts = [s.verdict for s in desk.standings().values() if s.verdict]
    mix = Counter(v.content["verdict"] for v in verdicts)
    claims = desk.claims()
    held: dict[str, list[Any]] = {}
    for who, until in claims.values():
        held.setdefault(who, []).append(until)
    single = next(
        (
            i
            for p in piles
            if p.pattern.lane != "batch"
            for i in p.left
            if claims.get(i, (reviewer,))[0] == reviewer
        ),
        None,
    )
    facts: dict[str, Any] = {
        "left": left,
        "seconds": sum(row.seconds for lane in lanes for row in lane.rows),
        "batch_left": sum(len(p.left) for p in piles if p.pattern.lane == "batch"),
        "since": f"{verdicts[0].at:%H:%M}" if verdicts else "",
        "pace": f"{pace['single']:.0f} s" if "single" in pace else "",
        "fast": sum(0 < v.content.get("look_ms", 0) < FAST_LOOK_MS for v in verdicts),
        "mix": {v: mix[v] for v in VERDICTS},
        "agreement": _agreement(desk),
        "waiting": {
            "others": sum(
                s.state is State.WAITING and s.verdict is not None and s.verdict.reviewer == reviewer
                for s in desk.standings().values()
            ),
            "me": counts(desk, reviewer).second,
        },
        "lost": _lost_claims(desk, reviewer),
        "claims": [
            ("You" if who == reviewer else who, len(times), f"{max(times):%H:%M}")
            for who, times in sorted(held.items(), key=lambda x: (x[0] != reviewer, x[0]))
        ],
        "free": left - len(claims),
        "next_single": single,
        "resume": desk.resume(reviewer),
        "burn_down": burn_down_of(desk, reviewer),
        "saved_filters": [(key, name, len(shortlist(desk, reviewer, key))) for key, name in FILTERS.items()],
        "pause": pause_words(desk, reviewer),
    }
    return Queue(tuple(lanes), facts)


def find(desk: Desk, wanted: str) -> list[str]:
    """Clusters whose id, a member's id or any value holds the text, in the order of work."""
    if not wanted:
        return []
    if wanted in desk.batch.cases:
        return [wanted]
    text = wanted.casefold()
    return [i for i in desk.order if _holds(desk.batch.cases[i], text)]


def shortlist(desk: Desk, reviewer: str, wanted: str) -> list[str]:
    """Open clusters of one of the saved filters, in the order of work."""
    claims, standings = desk.claims(), desk.standings()

    def holds(cluster_id: str) -> bool:
        case = desk.batch.cases[cluster_id]
        if wanted == "mine":
            return claims.get(cluster_id, ("",))[0] == reviewer
        if wanted == "cases":
            return any(desk.batch.objects.get(i, (0, 0))[1] for i in case.profile_ids)
        return bool(case.plan and case.plan.given_up)

    return [i for i in desk.order if (i not in standings or not standings[i].decided) and holds(i)]


def lines(desk: Desk, cluster_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Clusters as rows of a list."""
    return [
        {
            "cluster_id": i,
            "pattern": desk.patterns[i].name,
            "size": len(desk.batch.cases[i].profile_ids),
            "state": desk.standing(i).state.value,
        }
        for i in cluster_ids
    ]


def earlier_words(desk: Desk, case: Case) -> str:
    """What was decided before on these profiles."""
    pairs = [pair for pair in desk.fights if pair <= set(case.profile_ids)]
    if not pairs:
        return "No earlier decision keeps any of these apart."
    names = ["–".join(sorted(case.letters[i] for i in pair)) for pair in pairs]
    return f"Kept apart before: {', '.join(sorted(names))}."


def _row(desk: Desk, pile: Pile, pace: dict[str, float], current: str | None) -> QueueRow:
    webs = [desk.batch.cases[i].web.weakest for i in pile.cluster_ids]
    lane = pile.pattern.lane
    batch = batch_of(desk, pile.pattern.key)
    shown = {
        "key": pile.pattern.key,
        "name": pile.pattern.name,
        "hint": _row_hint(desk, pile, batch),
        "href": f"/patterns/{pile.pattern.key}{'/batch' if _sampled(batch) else ''}",
        "left": len(pile.left),
        "done": pile.done,
        "total": len(pile.cluster_ids),
        "current": pile.pattern.key == current,
        "looks": batch.counted[0] if batch else 0,
        "bound": percent_up(batch.bound) if batch and batch.counted[0] else "",
        "over": bool(batch and batch.counted[0] and batch.bound > batch.gate),
        "helped": sum(callers_helped(desk.batch.cases[i]) for i in pile.cluster_ids),
    }
    seconds = len(pile.left) * (pace.get(lane) or LANE_SECONDS[lane])
    return QueueRow(shown, tuple(w.weight for w in webs if w), seconds)


def _sampled(batch: Batch | None) -> bool:
    """Whether the pattern is still judged as a batch."""
    return batch is not None and not batch.stopped and not batch.approved


def _row_hint(desk: Desk, pile: Pile, batch: Batch | None) -> str:
    """What is to be known of a pattern before it is opened."""
    changed = sum(desk.standing(i).state is State.CHANGED for i in pile.left)
    said = [f"{changed} changed since the verdict"] if changed else []
    if batch is not None and batch.stopped:
        said.append(f"{batch.counted[1]} wrong in {batch.counted[0]} looks: one by one")
    return " · ".join(said)


def _agreement(desk: Desk) -> dict[str, Any] | None:
    """How often a second reviewer said the same, before anybody changed."""
    firsts = {s.cluster_id: s.verdict for s in desk.standings().values()}
    pairs: Sequence[bool] = [
        same_answer(first.content, fact.content)
        for fact in desk.facts()
        if fact.kind == "second" and (first := firsts.get(fact.cluster_id)) is not None
    ]
    if not pairs:
        return None
    agreed = sum(pairs)
    return {
        "agreed": agreed,
        "pairs": len(pairs),
        "least": percent_down(agreement_at_least(len(pairs), agreed)),
    }


def _lost_claims(desk: Desk, reviewer: str) -> str:
    """What the reviewer held until it ran out; empty where nothing did, or somebody has taken it since."""
    now = desk.clock()
    every = desk.book.claims(desk.batch.domain)
    mine = [until for i, (who, until) in every.items() if who == reviewer and i in desk.batch.cases]
    times = [until for until in mine if until <= now]
    if not times:
        return ""
    went, them = ("cluster went", "it") if len(times) == 1 else ("clusters went", "them")
    return f"Your {len(times)} {went} back at {max(times):%H:%M}. Take {them} again?"


def _holds(case: Case, text: str) -> bool:
    if any(text in i.casefold() for i in (case.cluster_id, *case.profile_ids)):
        return True
    return any(text in text_of(v).casefold() for p in case.profiles.values() for v in flat(p).values())
