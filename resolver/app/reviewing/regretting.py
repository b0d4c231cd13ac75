"""A merge that should not have been: what the reviewer asks for, and what no restore brings back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resolver.app.reviewing.judging import Answer, record_fact
from resolver.app.reviewing.wording import day, listed, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from resolver.app.reviewing.desk import Desk

#: Fact by which a reviewer asks for a restore.
ASKED = "restore"


@dataclass(frozen=True, slots=True)
class Regret:
    """What is known before anybody asks: the merge, when, who is gone, and what stays lost.

    ``command`` is what the data engineer runs; it tells first and does nothing without ``--apply``.
    """

    cluster_id: str
    plan_id: str
    at: datetime
    gone: Sequence[str]
    lost: Sequence[str]
    command: str
    asked: Sequence[str]


def regret(desk: Desk, cluster_id: str) -> Regret | None:
    """What the page of a restore request shows; None where the executor has not merged that cluster."""
    done = desk.merged(cluster_id)
    case = desk.batch.cases.get(cluster_id)
    if done is None or case is None:
        return None
    into = desk.book.merged_into(case.profile_ids)
    cases = sum(desk.batch.objects.get(i, (0, 0))[1] for i in case.profile_ids)
    old = "The old ProfileId" if len(into) == 1 else f"The {number(len(into))} old ProfileIds"
    lost = [f"{old}: profiles are made again under new ids."]
    if cases:
        lost.append(f"{number(cases)} case{'' if cases == 1 else 's'}: they stay with the surviving profile.")
    lost.append("Search keys that were put on by hand and that no call lists.")
    return Regret(
        cluster_id=cluster_id,
        plan_id=done.plan_id,
        at=done.at,
        gone=[case.letters[i] for i in case.profile_ids if i in into],
        lost=lost,
        command=f"resolver restore {done.plan_id[:12]} --domain {desk.batch.domain}",
        asked=[
            f"{fact.reviewer} asked on {day(fact.at)} at {fact.at:%H:%M}."
            for fact in desk.facts()
            if fact.kind == ASKED and fact.cluster_id == cluster_id
        ],
    )


def ask_for_restore(desk: Desk, reviewer: str, cluster_id: str, reason: str) -> Answer:
    """Put the request into the history, where ``resolver status`` counts it; nothing is restored by it."""
    done = desk.merged(cluster_id)
    if done is None:
        return Answer("refused", "This cluster was not merged. Not done.")
    if not reason:
        return Answer("refused", "Say why. Not done.")
    content = {"plan_id": done.plan_id, "verdict": "", "pattern": desk.patterns[cluster_id].key}
    return record_fact(desk, (cluster_id, reviewer, ASKED), content, reason)


def gone_words(desk: Desk, cluster_id: str) -> str:
    """What became of members that are no longer there: merged by this tool, or not by it."""
    case = desk.batch.cases[cluster_id]
    into = desk.book.merged_into(case.gone)
    said = []
    for profile_id in (i for i in case.gone if i in into):
        survivor, at = into[profile_id]
        name = case.letters.get(survivor) or f"{survivor[:6]}…{survivor[-4:]}"
        said.append(f"{case.letters[profile_id]} was merged into {name} on {day(at)}, by this tool.")
    others = [case.letters[i] for i in case.gone if i not in into]
    if others:
        verb = "no longer exists" if len(others) == 1 else "no longer exist"
        said.append(f"{listed(others)} {verb}: merged or deleted elsewhere, not by this tool.")
    return " ".join(said)
