"""A low-risk pattern judged by sampled looks: what is drawn, how wrong it could be, when it may be approved.

The sample is drawn once, from a seed that is stored before the first look, and its size is fixed from the
gate; nobody may look a bit longer until the number is good. Odd ones never count for the bound, but one that
is wrong stops the batch. Looks of earlier runs count while rule set and sources are the same.
"""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any, Final

from resolver.app.reviewing.bounds import looks_needed
from resolver.app.reviewing.judging import Answer
from resolver.app.reviewing.outcome import Wish
from resolver.app.reviewing.sampling import Batch, Look
from resolver.model.decision import Decision, Verdict
from resolver.model.review_fact import ReviewFact, Ruling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.desk import Desk
    from resolver.model.merge_plan import MergePlan

#: The largest share of wrong merges that a batch may have to be approved as one.
GATE: Final = 0.015
#: Fewest and most fresh random looks of one batch; above, the pattern is judged one by one.
LEAST_LOOKS: Final = 7
MOST_LOOKS: Final = 60
#: How many of the clusters least like the rest are looked at beside the sample.
ODD_ONES: Final = 2
#: Runs whose looks are pooled, this one included.
POOLED_RUNS: Final = 9
LOOKS: Final = ("right", "wrong", "unsure")


def batch_of(desk: Desk, key: str, gate: float = GATE) -> Batch | None:
    """The batch of a pattern; None where it is not judged as one. Nothing is drawn by looking."""
    ids = tuple(i for i in desk.order if desk.patterns[i].key == key and desk.patterns[i].lane == "batch")
    if not ids:
        return None
    standings = desk.standings()
    facts = [f for f in desk.facts() if f.cluster_id == _place(key)]
    here = [f for f in facts if f.run_id == desk.batch.run_id]
    draw = next((f for f in here if f.kind == "draw"), None)
    said = {f.content["cluster"]: f.content["look"] for f in here if f.kind == "look"}
    out = {f.content["cluster"] for f in here if f.kind == "out"}
    approved = any(f.kind == "approve" for f in here) and not any(f.kind == "pull" for f in here)
    looks = (
        tuple(
            Look(i, odd, said.get(i, ""), i in out)
            for odd, cluster_ids in ((False, draw.content["random"]), (True, draw.content["odd"]))
            for i in cluster_ids
        )
        if draw
        else ()
    )
    wrong = next((x.cluster_id for x in looks if x.said and x.said != "right"), "")
    open_ids = tuple(
        i for i in ids if i not in out and (approved or i not in standings or not standings[i].decided)
    )
    return Batch(
        key=key,
        cluster_ids=open_ids,
        looks=looks,
        drawn=draw is not None,
        seq=max((f.seq for f in facts), default=0),
        stopped=wrong or ("one by one" if any(f.kind == "stop" for f in here) else ""),
        approved=approved,
        earlier=_earlier(desk, facts),
        gate=gate,
    )


def draw(desk: Desk, key: str, reviewer: str) -> Answer:
    """Fix the sample of a batch: from a stored seed, never again, as many looks as the gate asks for."""
    batch = batch_of(desk, key)
    if batch is None or batch.drawn:
        return Answer("refused", "The looks of this batch are drawn already.")
    seed = hashlib.sha256(f"{desk.batch.run_id}|{key}|{sorted(batch.cluster_ids)}".encode()).hexdigest()
    wanted = looks_needed(batch.gate, batch.earlier[1]) - batch.earlier[0]
    count = min(max(wanted, LEAST_LOOKS), MOST_LOOKS, len(batch.cluster_ids))
    odd = _odd(desk, batch.cluster_ids)
    sample = random.Random(seed).sample(list(batch.cluster_ids), count)  # noqa: S311 - a reproducible draw, no secret
    content = {
        "seed": seed,
        "random": sample,
        "odd": [i for i in odd if i not in sample],
        "rules": _terms(desk),
    }
    return _write(desk, _fact(desk, (key, reviewer), ("draw", batch.seq + 1), content))


def look(desk: Desk, key: str, said: str, who: tuple[str, str, int]) -> Answer:
    """Remember what a look found; ``who`` = (reviewer, cluster that was shown, place in the history seen)."""
    reviewer, cluster_id, seq = who
    batch = batch_of(desk, key)
    if batch is None or said not in LOOKS:
        return Answer("refused", "No such look.")
    due = batch.due(cluster_id)
    if batch.seq != seq or due is None:
        return Answer("conflict", "Somebody else looked meanwhile. Your key did nothing.")
    content = {"cluster": cluster_id, "look": said, "odd": due.odd, "rules": _terms(desk)}
    answer = _write(desk, _fact(desk, (key, reviewer), ("look", seq + 1), content))
    if answer.kind == "saved" and said != "right":
        return Answer(
            "saved", f"Wrong look in {cluster_id}. This batch is judged one by one.", answer.fact_id
        )
    return answer


def take_out(desk: Desk, key: str, who: tuple[str, str, int]) -> Answer:
    """Leave the cluster that is shown out of what is approved; its look stays due and counts.

    ``who`` = (reviewer, cluster that was shown, place in the history seen). It is judged by itself.
    """
    reviewer, cluster_id, seq = who
    batch = batch_of(desk, key)
    due = batch.due(cluster_id) if batch else None
    if batch is None or batch.seq != seq or due is None:
        return Answer("conflict", "Somebody else looked meanwhile. Your key did nothing.")
    if due.out:
        return Answer("refused", "It is taken out already.")
    answer = _write(desk, _fact(desk, (key, reviewer), ("out", seq + 1), {"cluster": cluster_id}))
    if answer.kind != "saved":
        return answer
    return Answer("saved", "Taken out: it is judged by itself. Its look still counts.", answer.fact_id)


def one_by_one(desk: Desk, key: str, reviewer: str) -> Answer:
    """Give the batch up: its clusters are judged one by one."""
    batch = batch_of(desk, key)
    if batch is None:
        return Answer("refused", "No such batch.")
    return _write(desk, _fact(desk, (key, reviewer), ("stop", batch.seq + 1), {"rules": _terms(desk)}))


def approve(desk: Desk, key: str, typed: str, who: tuple[str, int]) -> Answer:
    """Approve every cluster of the batch, if its bound meets the gate and the number typed is theirs."""
    reviewer, seq = who
    batch = batch_of(desk, key)
    if batch is None or batch.seq != seq:
        return Answer("conflict", "This batch changed meanwhile. Nothing is approved.")
    if not batch.drawn or batch.missing or batch.approved:
        return Answer("refused", batch.missing or "Nothing to approve.")
    if typed.strip() != str(len(batch.cluster_ids)):
        return Answer("refused", f"Type {len(batch.cluster_ids)} to approve. Nothing is approved.")
    rulings = [
        Ruling(_fact(desk, (key, reviewer), ("approve", seq + 1), {"clusters": len(batch.cluster_ids)}))
    ]
    rulings += [_merge(desk, cluster_id, reviewer) for cluster_id in batch.cluster_ids]
    ids = desk.record(rulings)
    if ids is None:
        return Answer("conflict", "A cluster of this batch was decided meanwhile. Nothing is approved.")
    return Answer("saved", f"{len(batch.cluster_ids)} clusters approved.", ids[0])


def _merge(desk: Desk, cluster_id: str, reviewer: str) -> Ruling:
    """The merge verdict of one cluster of an approved batch."""
    case, pattern = desk.batch.cases[cluster_id], desk.patterns[cluster_id]
    plan = desk.foresee(Wish(cluster_id, case.profile_ids))
    plans: Sequence[MergePlan] = (plan,) if plan else ()
    content = {
        "verdict": "merge",
        "groups": dict.fromkeys(case.profile_ids, 1),
        "pattern": pattern.key,
        "pattern_name": pattern.name,
        "lane": "batch",
        "guards": [],
        "fingerprints": case.fingerprints,
        "letters": case.letters,
        "rules": desk.batch.rule_set_fingerprint,
        "by_batch": True,
        "given_up": sum(len(p.given_up) for p in plans),
    }
    fact = ReviewFact(
        domain=desk.batch.domain,
        run_id=desk.batch.run_id,
        cluster_id=cluster_id,
        seq=desk.standing(cluster_id).seq + 1,
        kind="verdict",
        reviewer=reviewer,
        version=case.version,
        content=content,
        at=desk.clock(),
    )
    ids = case.profile_ids
    reason = f"batch: {pattern.name}"
    decisions = [
        Decision(left, right, Verdict.MATCH, reviewer, reason, case.version, fact.at)
        for n, left in enumerate(ids)
        for right in ids[n + 1 :]
    ]
    return Ruling(fact, decisions, plans)


def _place(key: str) -> str:
    """Where a batch's own facts stand in the history."""
    return f"pattern:{key}"


def _terms(desk: Desk) -> str:
    """What must stay the same for looks to be pooled: the rule set and the sources."""
    sources = sorted(
        {
            str(p.get("Attributes", {}).get("source", ""))
            for case in desk.batch.cases.values()
            for p in case.profiles.values()
        }
    )
    return hashlib.sha256(f"{desk.batch.rule_set_fingerprint}|{sources}".encode()).hexdigest()[:16]


def _earlier(desk: Desk, facts: Sequence[ReviewFact]) -> tuple[int, int]:
    """Random looks and wrong ones of earlier runs under the same terms."""
    terms = _terms(desk)
    runs = list(dict.fromkeys(f.run_id for f in facts if f.run_id != desk.batch.run_id))[-(POOLED_RUNS - 1) :]
    said = [
        f.content["look"]
        for f in facts
        if f.kind == "look" and f.run_id in runs and f.content["rules"] == terms and not f.content["odd"]
    ]
    return len(said), sum(s != "right" for s in said)


def _odd(desk: Desk, cluster_ids: Sequence[str]) -> list[str]:
    """The clusters least like the rest: most members, then the weakest evidence."""

    def oddity(cluster_id: str) -> tuple[int, float, str]:
        case = desk.batch.cases[cluster_id]
        weakest = case.web.weakest
        return -len(case.profile_ids), weakest.weight if weakest else 0.0, cluster_id

    return sorted(cluster_ids, key=oddity)[:ODD_ONES]


def _fact(
    desk: Desk, whose: tuple[str, str], place: tuple[str, int], content: Mapping[str, Any]
) -> ReviewFact:
    key, reviewer = whose
    kind, seq = place
    return ReviewFact(
        domain=desk.batch.domain,
        run_id=desk.batch.run_id,
        cluster_id=_place(key),
        seq=seq,
        kind=kind,
        reviewer=reviewer,
        version=desk.batch.run_id,
        content=content,
        at=desk.clock(),
    )


def _write(desk: Desk, fact: ReviewFact) -> Answer:
    ids = desk.record([Ruling(fact)])
    if ids is None:
        return Answer("conflict", "Somebody else was faster. Your key did nothing.")
    return Answer("saved", "", ids[0])
