"""A reviewer's verdict: checked against what was on the screen, turned into pair decisions and plans.

A verdict is written with all that follows from it in one transaction, or not at all. Undo is a new fact: the
verdict stays in the history, and the pairs' verdicts go back to what they were before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.outcome import wish_of
from resolver.app.reviewing.pair_verdicts import SPOKEN, decisions_of, taken_back
from resolver.app.reviewing.standing import Standing, State, same_answer
from resolver.app.reviewing.wording import day, number
from resolver.model.review_fact import ReviewFact, Ruling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.batch import Case
    from resolver.app.reviewing.desk import Desk
    from resolver.model.merge_plan import MergePlan

VERDICTS: Final = ("merge", "split", "not_same", "unsure", "ask", "fix")
#: Verdicts that pass the cluster on, with a note and to whom.
WITH_NOTE: Final = frozenset(("ask", "fix"))
#: Looks shorter than this are counted in the report.
FAST_LOOK_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Ask:
    """What a reviewer wants to be remembered, and what was on the screen: ``seq`` and ``version``."""

    cluster_id: str
    verdict: str
    seq: int
    version: str
    reviewer: str
    groups: Mapping[str, int] = field(default_factory=dict)
    confirmed: bool = False
    look_ms: int = 0
    note: str = ""
    blind: bool = False
    to: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it.

    ``kind`` is saved, confirm (nothing stored, a second key is wanted), conflict (decided meanwhile), changed
    (no longer what was seen), held (claimed by another), forbidden or refused.
    """

    kind: str
    message: str
    fact_id: int = 0


def judge(desk: Desk, ask: Ask) -> Answer:
    """Remember a verdict, if the cluster is still as the reviewer saw it."""
    if ask.verdict not in VERDICTS:
        return Answer("refused", "No such verdict.")
    desk.refresh(ask.cluster_id)
    case = desk.batch.cases[ask.cluster_id]
    standing = desk.standing(ask.cluster_id)
    stopped = _stopped(desk, case, standing, ask)
    if stopped:
        return stopped
    groups = _groups(case, ask)
    if ask.verdict == "split" and not _says_something(groups):
        return Answer("refused", "A split needs two members in different groups. Not done.")
    draft = desk.book.draft(desk.batch.domain, ask.cluster_id, ask.reviewer)
    plans = _plans(desk, case, groups, draft) if ask.verdict in ("merge", "split") else []
    second = desk.needs_second(ask.cluster_id, ask.verdict)
    wanted = _wants_confirmation(desk, ask, plans)
    if wanted and (not ask.confirmed or ask.verdict in WITH_NOTE):
        return Answer("confirm", wanted)
    pattern = desk.patterns[ask.cluster_id]
    content = {
        "verdict": ask.verdict,
        "groups": dict(groups),
        "main": draft.get("main"),
        "sources": draft.get("sources", {}),
        "kept": draft.get("kept", {}),
        "look_ms": ask.look_ms,
        "pattern": pattern.key,
        "pattern_name": pattern.name,
        "lane": pattern.lane,
        "guards": [guard.key for guard in desk.guards[ask.cluster_id]],
        "fingerprints": case.fingerprints,
        "rules": desk.batch.rule_set_fingerprint,
        "needs_second": second,
        "blind": ask.blind,
        "to": ask.to,
        "letters": case.letters,
        "given_up": sum(len(plan.given_up) for plan in plans),
    }
    fact = _fact(desk, ask, ("verdict", standing.seq + 1), content)
    return _write(desk, Ruling(fact, decisions_of(desk, fact, settled=not second), () if second else plans))


def judge_second(desk: Desk, ask: Ask) -> Answer:
    """Remember a second reviewer's verdict; where both agree the verdict holds and the plans are released.

    Nobody is the second reviewer of their own verdict.
    """
    case = desk.batch.cases[ask.cluster_id]
    standing = desk.standing(ask.cluster_id)
    first = standing.verdict
    if first is None or standing.state not in (State.WAITING, State.DIFFERS):
        return Answer("refused", "This cluster does not wait for a second look.")
    if first.reviewer == ask.reviewer:
        return Answer("forbidden", "Nobody takes the second look at their own decision.")
    if standing.seq != ask.seq or case.version != ask.version:
        return Answer("changed", "This cluster changed while you looked. Your key did nothing.")
    groups = _groups(case, ask)
    content = {**first.content, "verdict": ask.verdict, "groups": dict(groups), "look_ms": ask.look_ms}
    agree = same_answer(first.content, content)
    fact = _fact(desk, ask, ("second", standing.seq + 1), content)
    plans = _plans(desk, case, groups, first.content) if agree and ask.verdict in ("merge", "split") else []
    decisions = decisions_of(desk, fact, settled=True) if agree else []
    answer = _write(desk, Ruling(fact, decisions, plans))
    if answer.kind == "saved" and not agree:
        return Answer("saved", f"You and {first.reviewer} differ.", answer.fact_id)
    return answer


def undo(desk: Desk, reviewer: str, cluster_id: str | None = None) -> Answer:
    """Take back the reviewer's last verdict that still stands, or the one on that cluster."""
    facts = desk.mine(reviewer)
    fact = next((f for f in facts if cluster_id in (None, f.cluster_id)), None)
    merged = desk.merged(cluster_id) if fact is None and cluster_id else None
    if merged:
        return Answer(
            "refused", f"Merged on {day(merged.at)}: nothing here takes that back. Ask for a restore."
        )
    if fact is None:
        return Answer("refused", "Nothing to undo.")
    return _undo(desk, reviewer, fact)


def _undo(desk: Desk, reviewer: str, fact: ReviewFact) -> Answer:
    standing = desk.standing(fact.cluster_id)
    ask = Ask(fact.cluster_id, "undo", standing.seq, fact.version, reviewer)
    content = {"undone": fact.fact_id, "verdict": fact.content["verdict"], "pattern": fact.content["pattern"]}
    back = _fact(desk, ask, ("undo", standing.seq + 1), content)
    answer = _write(desk, Ruling(back, taken_back(desk, fact, back.at)))
    if answer.kind != "saved":
        return answer
    return Answer("saved", f"Undone: {SPOKEN[fact.content['verdict']]} {fact.cluster_id}.", fact.fact_id)


def keep(desk: Desk, reviewer: str, cluster_id: str) -> Answer:
    """Keep a verdict that contradicts an earlier one: somebody has looked at both."""
    standing = desk.standing(cluster_id)
    if standing.state is not State.FIGHTS or standing.verdict is None:
        return Answer("refused", "Nothing here contradicts anything.")
    ask = Ask(cluster_id, "settle", standing.seq, standing.verdict.version, reviewer)
    content = {"verdict": standing.verdict.content["verdict"], "pattern": standing.verdict.content["pattern"]}
    fact = _fact(desk, ask, ("settle", standing.seq + 1), content)
    return _write(desk, Ruling(fact))


def withdraw(desk: Desk, reviewer: str, cluster_id: str) -> Answer:
    """Take back whoever's verdict on a cluster that contradicts an earlier one; the cluster is open again."""
    standing = desk.standing(cluster_id)
    if standing.state is not State.FIGHTS or standing.verdict is None:
        return Answer("refused", "Nothing here contradicts anything.")
    return _undo(desk, reviewer, standing.verdict)


def people_of(desk: Desk, reviewer: str) -> list[str]:
    """Everybody else who has judged or holds something in this domain."""
    held = {who for who, _ in desk.claims().values()}
    return sorted({fact.reviewer for fact in desk.facts()} | held - {reviewer})


def conflict_sentence(standing: Standing) -> str:
    """Who decided it, when and what, for the reviewer whose key came too late."""
    fact = standing.second or standing.verdict or standing.last
    if fact is None:
        return "This cluster changed while you looked. Your key did nothing."
    what = SPOKEN.get(str(fact.content.get("verdict")), fact.kind)
    verb = "took back their verdict" if fact.kind == "undo" else "decided this"
    return f"{fact.reviewer} {verb} at {fact.at:%H:%M}: {what}. Your key did nothing."


def _stopped(desk: Desk, case: Case, standing: Standing, ask: Ask) -> Answer | None:
    """Why this key must not decide anything; None where it may."""
    if standing.seq != ask.seq:
        return Answer("conflict", conflict_sentence(standing))
    if case.version != ask.version:
        return Answer("changed", "This cluster changed while you looked. Your key did nothing.")
    if case.gone:
        return Answer("refused", "A member no longer exists. Not done.")
    if standing.state in (State.WAITING, State.DIFFERS, State.APPROVED, State.MERGED):
        return Answer("conflict", conflict_sentence(standing))
    holder = desk.holder(case.cluster_id)
    if holder and holder[0] != ask.reviewer:
        return Answer("held", f"{holder[0]} holds this until {holder[1]:%H:%M}. Your key did nothing.")
    return None


def _groups(case: Case, ask: Ask) -> dict[str, int]:
    if ask.verdict == "split":
        return {i: ask.groups.get(i, 0) for i in case.profile_ids}
    return dict.fromkeys(case.profile_ids, 1) if ask.verdict == "merge" else {}


def _says_something(groups: Mapping[str, int]) -> bool:
    placed = [g for g in groups.values() if g]
    return (
        len(set(placed)) > 1
        or (len(placed) > 1 and len(placed) < len(groups))
        or (0 < len(placed) < len(groups))
    )


def _plans(desk: Desk, case: Case, groups: Mapping[str, int], chosen: Mapping[str, Any]) -> list[MergePlan]:
    """One plan for each group of two or more."""
    plans = []
    for group in sorted({g for g in groups.values() if g}):
        ids = tuple(i for i in case.profile_ids if groups[i] == group)
        plan = desk.foresee(wish_of(case.cluster_id, ids, chosen))
        if plan is not None:
            plans.append(plan)
    return plans


def _wants_confirmation(desk: Desk, ask: Ask, plans: Sequence[MergePlan]) -> str:
    """The sentence that a second key must answer; empty where one key is enough."""
    if ask.verdict in WITH_NOTE and not ask.note:
        return "Ask whom, and what?" if ask.verdict == "ask" else "Fix what, and who?"
    if ask.verdict != "merge":
        return ""
    if desk.patterns[ask.cluster_id].lane == "hard":
        chip = next((g.chip for g in desk.guards[ask.cluster_id] if g.pattern), "")
        stop = "" if chip.endswith("?") else "."
        return f"This merge has a guard: {chip}{stop} A second reviewer decides too."
    lost = sum(len(plan.given_up) for plan in plans)
    if lost and any("protected" in reason for plan in plans for reason in plan.reasons):
        return f"Gives up {number(lost)} value{'s' if lost > 1 else ''} that stay only in the restore kit."
    return ""


def _fact(desk: Desk, ask: Ask, place: tuple[str, int], content: Mapping[str, Any]) -> ReviewFact:
    """The fact of that kind and place in the cluster's history."""
    kind, seq = place
    return ReviewFact(
        domain=desk.batch.domain,
        run_id=desk.batch.run_id,
        cluster_id=ask.cluster_id,
        seq=seq,
        kind=kind,
        reviewer=ask.reviewer,
        version=ask.version,
        content=content,
        at=desk.clock(),
        note=ask.note,
    )


def record_fact(desk: Desk, what: tuple[str, str, str], content: Mapping[str, Any], note: str = "") -> Answer:
    """Put a fact of its own kind on disk, as its cluster stands now; ``what``: cluster id, reviewer, kind."""
    cluster_id, reviewer, kind = what
    seq, version = desk.standing(cluster_id).seq, desk.batch.cases[cluster_id].version
    ask = Ask(cluster_id, kind, seq, version, reviewer, note=note)
    return _write(desk, Ruling(_fact(desk, ask, (kind, seq + 1), content)))


def _write(desk: Desk, ruling: Ruling) -> Answer:
    ids = desk.record([ruling])
    if ids is None:
        return Answer("conflict", conflict_sentence(desk.standing(ruling.fact.cluster_id)))
    desk.book.save_draft(desk.batch.domain, (ruling.fact.cluster_id, ruling.fact.reviewer), {}, desk.clock())
    return Answer("saved", "", ids[0])
