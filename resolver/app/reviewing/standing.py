"""How each cluster stands, read off its facts.

What was said last, by whom, and whether it may be released.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from resolver.model.decision import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from resolver.app.reviewing.batch import Case
    from resolver.model.review_fact import ReviewFact


class State(StrEnum):
    """What has become of a cluster."""

    OPEN = "open"  #: nobody has judged it
    APPROVED = "approved"  #: judged; its plan, if there is one, may be released
    WAITING = "waiting for second look"
    DIFFERS = "two reviewers differ"
    CHANGED = "changed since the verdict"  #: a member or a weight is no longer what was judged
    MERGED = "merged"  #: the executor has merged it and read that back
    FIGHTS = "in a contradiction"  #: another decision says otherwise


@dataclass(frozen=True, slots=True)
class Standing:
    """One cluster's state. ``seq`` is the place of its newest fact: who decides must have seen that one."""

    cluster_id: str
    seq: int = 0
    verdict: ReviewFact | None = None
    second: ReviewFact | None = None
    last: ReviewFact | None = None
    state: State = State.OPEN
    kept: bool = False  #: somebody looked at what the verdict contradicts, and kept the verdict

    @property
    def decided(self) -> bool:
        """Somebody has judged it as it is now, and nobody took that back."""
        return self.state not in (State.OPEN, State.CHANGED)

    @property
    def settled(self) -> ReviewFact | None:
        """The verdict that holds: the second reviewer's where both agree, none while they do not."""
        return (self.second or self.verdict) if self.state is State.APPROVED else None


def stand(facts: Iterable[ReviewFact], run_id: str) -> dict[str, Standing]:
    """Each cluster's standing after those facts of a domain, in the order of recording.

    Only verdicts given in this run count; facts of earlier runs still take places in the history.
    """
    standings: dict[str, Standing] = {}
    for fact in facts:
        before = standings.get(fact.cluster_id, Standing(fact.cluster_id))
        after = replace(before, seq=fact.seq, last=fact)
        if fact.run_id == run_id:
            after = _after(after, fact)
        standings[fact.cluster_id] = after
    return standings


def same_answer(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Two verdicts that leave the same profiles together and apart."""
    if one["verdict"] == other["verdict"] and one["verdict"] != "split":
        return True
    return _partition(one) == _partition(other)


def statements(content: Mapping[str, object]) -> Iterator[tuple[frozenset[str], str]]:
    """Every pair of profiles that a verdict speaks of, with match or non_match."""
    said = content.get("groups")
    groups: dict[str, int] = said if isinstance(said, dict) else {}
    members = content.get("letters")
    ids = sorted(members if isinstance(members, dict) else groups)
    for n, left in enumerate(ids):
        for right in ids[n + 1 :]:
            pair = frozenset((left, right))
            if content["verdict"] == "not_same":
                yield pair, "non_match"
            elif content["verdict"] in ("merge", "split") and groups.get(left) and groups.get(right):
                yield pair, "match" if groups[left] == groups[right] else "non_match"


def checked(
    standings: Mapping[str, Standing],
    cases: Mapping[str, Case],
    earlier: Mapping[frozenset[str], str],
    merged: Collection[str] = (),
) -> dict[str, Standing]:
    """The standings as they hold today.

    A verdict on something that is no longer so does not hold, nor one that an earlier decision contradicts.
    Clusters in ``merged`` are past all that, judged or not.
    """
    found = {i: Standing(i, state=State.MERGED) for i in merged if i not in standings}
    for cluster_id, standing in standings.items():
        case = cases.get(cluster_id)
        holds = standing.settled
        now = standing
        if cluster_id in merged:
            now = replace(standing, state=State.MERGED)
        elif case is not None and holds is not None and holds.version != case.version:
            now = replace(standing, state=State.CHANGED)
        elif holds is not None and standing.second is None and not standing.kept:
            fought = any(
                earlier.get(pair) not in (None, verdict, Verdict.UNSURE.value)
                for pair, verdict in statements(holds.content)
            )
            now = replace(standing, state=State.FIGHTS) if fought else standing
        found[cluster_id] = now
    return found


def _partition(content: Mapping[str, object]) -> frozenset[frozenset[str]]:
    groups: dict[object, set[str]] = {}
    said = content.get("groups")
    for profile_id, number in (said if isinstance(said, dict) else {}).items():
        if number:
            groups.setdefault(number, set()).add(profile_id)
    return frozenset(map(frozenset, groups.values()))


def _after(standing: Standing, fact: ReviewFact) -> Standing:
    if fact.kind == "verdict":
        standing = replace(standing, verdict=fact, kept=False)
    elif fact.kind == "settle":
        standing = replace(standing, kept=True)
    elif fact.kind == "second":
        standing = replace(standing, second=fact)
    elif fact.kind == "undo":
        undone = fact.content["undone"]
        if standing.second and standing.second.fact_id == undone:
            standing = replace(standing, second=None)
        if standing.verdict and standing.verdict.fact_id == undone:
            standing = replace(standing, verdict=None, second=None)
    return replace(standing, state=_state(standing))


def _state(standing: Standing) -> State:
    if standing.verdict is None:
        return State.OPEN
    if not standing.verdict.content.get("needs_second"):
        return State.APPROVED
    if standing.second is None:
        return State.WAITING
    agree = same_answer(standing.verdict.content, standing.second.content)
    return State.APPROVED if agree else State.DIFFERS
