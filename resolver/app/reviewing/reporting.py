"""The run report's numbers: where clusters went, what becomes of conflicting values, who said what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resolver.app.reviewing import batching, history
from resolver.app.reviewing.bounds import percent_up
from resolver.app.reviewing.comparing import alike
from resolver.app.reviewing.judging import FAST_LOOK_MS, SPOKEN
from resolver.app.reviewing.outcome import Wish
from resolver.app.reviewing.standing import State
from resolver.planning.members import flat

if TYPE_CHECKING:
    from resolver.app.reviewing.desk import Desk

Counted = tuple[tuple[str, int], ...]
_FATES: Final = {
    "spelling": "Spelling dropped, same value",
    "elsewhere": "Kept in another field or key",
    "attribute": "Kept in Attributes",
    "given_up": "Only in the restore kit",
}
_STEP: Final = 5  # bits
_LAST: Final = 40  # bits


@dataclass(frozen=True, slots=True)
class Person:
    """What one reviewer did."""

    name: str
    verdicts: int
    median_seconds: str
    fast: int
    undone: int


@dataclass(frozen=True, slots=True)
class Report:
    """The run so far. ``outcomes`` sum to all clusters; ``fates`` sum to ``conflicts``."""

    clusters: int
    decided: int
    plans: int
    profiles_gone: int
    conflicts: int
    outcomes: Counted
    fates: Counted
    weakest: Counted
    verdicts: Counted
    people: tuple[Person, ...]
    bounds: tuple[tuple[str, int, int, str, str], ...]
    contradictions: int
    checks: tuple[tuple[str, bool, str], ...]


def summarise(desk: Desk) -> Report:
    """The report of the desk's run as it stands now."""
    standings = desk.standings()
    outcomes: Counter[str] = Counter()
    gone = plans = 0
    for cluster_id in desk.batch.cases:
        standing = standings.get(cluster_id)
        state = standing.state if standing else State.OPEN
        settled = standing.settled if standing else None
        if settled:
            outcomes[SPOKEN[settled.content["verdict"]].capitalize()] += 1
            groups = Counter(g for g in settled.content.get("groups", {}).values() if g)
            sizes = [size for size in groups.values() if size > 1]
            plans += len(sizes)
            gone += sum(sizes) - len(sizes)
        else:
            outcomes["Open" if state is State.OPEN else state.value.capitalize()] += 1
    conflicts = history.contradictions(desk)
    fates = _fates(desk)
    verdicts = Counter(
        SPOKEN[s.verdict.content["verdict"]] for s in standings.values() if s.verdict is not None
    )
    waiting = sum(s.state in (State.WAITING, State.DIFFERS) for s in standings.values())
    changed = sum(s.state is State.CHANGED for s in standings.values())
    return Report(
        clusters=len(desk.batch.cases),
        decided=len(desk.batch.cases) - desk.left(),
        plans=plans,
        profiles_gone=gone,
        conflicts=sum(fates.values()),
        outcomes=tuple(outcomes.most_common()),
        fates=tuple((_FATES[name], fates[name]) for name in _FATES),
        weakest=_histogram(desk),
        verdicts=tuple(verdicts.most_common()),
        people=_people(desk),
        bounds=_bounds(desk),
        contradictions=len(conflicts),
        checks=(
            ("No contradiction is open", not conflicts, f"{len(conflicts)} open"),
            ("No second look is waited for", not waiting, f"{waiting} wait; they are not released"),
            ("Nothing changed since its verdict", not changed, f"{changed} changed; they are not released"),
        ),
    )


def _fates(desk: Desk) -> Counter[str]:
    """Where each conflicting value of every open or approved merge goes."""
    fates: Counter[str] = Counter()
    for case in desk.batch.cases.values():
        plan = case.plan or desk.foresee(Wish(case.cluster_id, case.profile_ids))
        if plan is None:
            continue
        predicted = flat(dict(plan.predicted))
        for disposal in plan.disposals:
            kept = predicted.get(disposal.field)
            if kept is not None and alike(disposal.field, disposal.value, kept):
                fates["spelling"] += 1
            elif disposal.fate in ("kept", "slot", "key"):
                fates["elsewhere"] += 1
            else:
                fates[disposal.fate] += 1
    return fates


def _histogram(desk: Desk) -> Counted:
    counts: Counter[int] = Counter()
    for case in desk.batch.cases.values():
        weakest = case.web.weakest
        if weakest:
            counts[int(min(max(weakest.weight, -_STEP), _LAST) // _STEP)] += 1
    return tuple((f"{n * _STEP} to {(n + 1) * _STEP} bits", counts[n]) for n in sorted(counts))


def _people(desk: Desk) -> tuple[Person, ...]:
    facts = [f for f in desk.facts() if f.run_id == desk.batch.run_id]
    people = []
    for name in sorted({f.reviewer for f in facts}):
        own = [f for f in facts if f.reviewer == name]
        looks = sorted(f.content["look_ms"] for f in own if f.kind == "verdict" and f.content.get("look_ms"))
        median = f"{looks[len(looks) // 2] / 1000:.0f} s" if looks else "–"
        people.append(
            Person(
                name,
                sum(f.kind in ("verdict", "second") for f in own),
                median,
                sum(look < FAST_LOOK_MS for look in looks),
                sum(f.kind == "undo" for f in own),
            )
        )
    return tuple(people)


def _bounds(desk: Desk) -> tuple[tuple[str, int, int, str, str], ...]:
    rows = []
    for pile in desk.piles():
        batch = batching.batch_of(desk, pile.pattern.key)
        if batch is not None:
            looks, wrong = batch.counted
            bound = percent_up(batch.bound) if looks else "–"
            rows.append((pile.pattern.name, looks, wrong, bound, percent_up(batch.gate)))
    return tuple(rows)
