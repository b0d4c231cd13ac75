"""The run report's numbers: where clusters went, what becomes of conflicting values, who said what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from resolver.app.reviewing import batching, history
from resolver.app.reviewing.bounds import percent_up
from resolver.app.reviewing.judging import FAST_LOOK_MS
from resolver.app.reviewing.outcome import Wish
from resolver.app.reviewing.pair_verdicts import SPOKEN
from resolver.app.reviewing.relations import alike
from resolver.app.reviewing.standing import State
from resolver.app.reviewing.worth import callers_helped
from resolver.planning.members import flat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from resolver.app.reviewing.desk import Desk

Counted = tuple[tuple[str, int], ...]
_FATES: Final = {
    "spelling": "Spelling dropped, same value",
    "elsewhere": "Kept in another field or key",
    "attribute": "Kept in Attributes",
    "given_up": "Only in the restore kit",
}
_MINUTE: Final = timedelta(minutes=1)
_HELD: Final = {
    State.WAITING: "Waits for a second look",
    State.DIFFERS: "Two reviewers differ",
    State.CHANGED: "Changed since the verdict",
    State.FIGHTS: "In a contradiction",
}
#: What Amazon Connect's own groups say beside ours (planning/second_opinion.py).
_OPINIONS: Final = {
    "same": "Both say the same",
    "ours_only": "Only this run",
    "split": "Linked by parts",
    "joined": "Joined with others",
    "differently": "Joined differently",
    "aws_only": "Only Amazon Connect",
}


@dataclass(frozen=True, slots=True)
class Person:
    """What one reviewer did."""

    name: str
    verdicts: int
    median_seconds: str
    fast: int
    most_in_a_minute: int
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
    weakest: tuple[float, ...]
    by_field: tuple[tuple[str, int, int, int, int], ...]
    held_back: Counted
    opinions: Counted
    callers: int
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
    by_field = _fates(desk)
    fates = sum(by_field.values(), Counter[str]())
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
        weakest=tuple(case.web.weakest.weight for case in desk.batch.cases.values() if case.web.weakest),
        by_field=_rows(by_field),
        held_back=_held_back(desk),
        opinions=_opinions(desk),
        callers=sum(callers_helped(desk.batch.cases[i]) for i in _merging(desk)),
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


def _merging(desk: Desk) -> list[str]:
    """Clusters whose approved verdict merges something."""
    settled = {i: s.settled for i, s in desk.standings().items() if i in desk.batch.cases}
    return [i for i, fact in settled.items() if fact and fact.content["verdict"] in ("merge", "split")]


def _held_back(desk: Desk) -> Counted:
    """Why judged clusters are not released, and what asks for care among those that nobody has judged."""
    states = Counter(s.state for s in desk.standings().values() if s.cluster_id in desk.batch.cases)
    found: Counter[str] = Counter(
        {_HELD[state]: states[state] for state in _HELD if states[state]},
    )
    standings = desk.standings()
    for cluster_id, guards in desk.guards.items():
        standing = standings.get(cluster_id)
        pile = next((g.pattern for g in guards if g.pattern), None)
        if pile and (standing is None or not standing.decided):
            found[f"Not judged: {pile[0].lower()}{pile[1:]}"] += 1
    return tuple(found.most_common())


def _opinions(desk: Desk) -> Counted:
    said = Counter(case.plan.second_opinion for case in desk.batch.cases.values() if case.plan)
    return tuple((name, said[key]) for key, name in _OPINIONS.items() if said[key])


def _rows(by_field: Mapping[str, Counter[str]]) -> tuple[tuple[str, int, int, int, int], ...]:
    """Field, conflicts, spelling only, kept elsewhere, given up; the fields that give up most first."""
    rows = [
        (name, sum(c.values()), c["spelling"], c["elsewhere"] + c["attribute"], c["given_up"])
        for name, c in by_field.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row[4], -row[1], row[0])))


def _fates(desk: Desk) -> dict[str, Counter[str]]:
    """Where each conflicting value goes, field by field, should every cluster be merged whole."""
    by_field: dict[str, Counter[str]] = {}
    for case in desk.batch.cases.values():
        plan = case.plan or desk.foresee(Wish(case.cluster_id, case.profile_ids))
        if plan is None:
            continue
        predicted = flat(dict(plan.predicted))
        for disposal in plan.disposals:
            kept = predicted.get(disposal.field)
            fates = by_field.setdefault(disposal.field, Counter())
            if kept is not None and alike(disposal.field, disposal.value, kept):
                fates["spelling"] += 1
            elif disposal.fate in ("kept", "slot", "key"):
                fates["elsewhere"] += 1
            else:
                fates[disposal.fate] += 1
    return by_field


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
                _most_in_a_minute(
                    [f.at for f in own if f.kind in ("verdict", "second") and not f.content.get("by_batch")]
                ),
                sum(f.kind == "undo" for f in own),
            )
        )
    return tuple(people)


def _most_in_a_minute(times: Sequence[datetime]) -> int:
    """The most verdicts within any sixty seconds: nobody reads that fast for long."""
    most, start = 0, 0
    for end, at in enumerate(times):  # in the order of recording; a window that slides
        while at - times[start] > _MINUTE:
            start += 1
        most = max(most, end - start + 1)
    return most


def _bounds(desk: Desk) -> tuple[tuple[str, int, int, str, str], ...]:
    rows = []
    for pile in desk.piles():
        batch = batching.batch_of(desk, pile.pattern.key)
        if batch is not None:
            looks, wrong = batch.counted
            bound = percent_up(batch.bound) if looks else "–"
            rows.append((pile.pattern.name, looks, wrong, bound, percent_up(batch.gate)))
    return tuple(rows)
