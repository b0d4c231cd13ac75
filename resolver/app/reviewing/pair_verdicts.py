"""What a verdict on a cluster says of each pair of its profiles, and what taking it back says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.standing import State
from resolver.app.reviewing.wording import apart_pairs
from resolver.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from resolver.app.reviewing.desk import Desk
    from resolver.model.review_fact import ReviewFact

SPOKEN: Final = {
    "merge": "merge",
    "split": "split",
    "not_same": "not the same",
    "unsure": "unsure",
    "ask": "ask",
    "fix": "fix at source",
}
#: A cluster larger than this is one chain of links to its main profile instead of every pair.
_EVERY_PAIR_UP_TO: Final = 21


def pairs_of(content: Mapping[str, Any], profile_ids: Sequence[str]) -> Iterator[tuple[str, str, Verdict]]:
    """What a verdict says of pairs of profiles."""
    groups = {i: content["groups"].get(i, 0) for i in profile_ids}
    if content["verdict"] in ("merge", "split"):
        for number_ in sorted({g for g in groups.values() if g}):
            ids = [i for i in profile_ids if groups[i] == number_]
            heads = ids if len(ids) <= _EVERY_PAIR_UP_TO else ids[:1]
            for n, left in enumerate(heads):
                for right in ids[n + 1 :]:
                    yield left, right, Verdict.MATCH
    if content["verdict"] == "split":
        for left, right in apart_pairs(profile_ids, groups):
            yield left, right, Verdict.NON_MATCH
    elif content["verdict"] in ("not_same", "unsure"):
        verdict = Verdict.NON_MATCH if content["verdict"] == "not_same" else Verdict.UNSURE
        for n, left in enumerate(profile_ids):
            for right in profile_ids[n + 1 :]:
                yield left, right, verdict


def decisions_of(desk: Desk, fact: ReviewFact, *, settled: bool) -> list[Decision]:
    """The verdicts on pairs; while a second look is waited for, only those that keep profiles apart."""
    case = desk.batch.cases[fact.cluster_id]
    return [
        Decision(left, right, verdict, fact.reviewer, _reason(fact), fact.version, fact.at)
        for left, right, verdict in pairs_of(fact.content, case.profile_ids)
        if settled or verdict is Verdict.NON_MATCH
    ]


def taken_back(desk: Desk, fact: ReviewFact, at: datetime) -> list[Decision]:
    """The pairs' earlier verdicts once more.

    Where there was none, ``unsure``, which matching takes as none.
    """
    case = desk.batch.cases[fact.cluster_id]
    waiting = fact.kind == "verdict" and bool(fact.content.get("needs_second"))
    return [
        Decision(
            left,
            right,
            Verdict(desk.earlier.get(frozenset((left, right)), Verdict.UNSURE.value)),
            fact.reviewer,
            "undone",
            fact.version,
            at,
        )
        for left, right, verdict in pairs_of(fact.content, case.profile_ids)
        if not waiting
        or verdict is Verdict.NON_MATCH
        or desk.standing(fact.cluster_id).state is State.APPROVED
    ]


def _reason(fact: ReviewFact) -> str:
    name = fact.content.get("pattern_name", "")
    return f"review of {fact.cluster_id}: {SPOKEN[fact.content['verdict']]} ({name})"
