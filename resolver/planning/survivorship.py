"""Which value survives, and why: one strategy per field, as the rule set states.

A strategy ranks the candidates of one disputed field. Where it leaves several different values on top, the
tie-breaks decide in this order: the value that more profiles hold, the main profile's, the one of the profile
with more filled fields, the one with newer data, the smallest profile id. Blanks never take part: a blank
field is always filled, whatever the strategy.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from resolver.model.profile import PHONES
from resolver.planning.likeness import likeness
from resolver.planning.validity import valid_email, valid_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resolver.model.survivorship_policy import StrategyName, Survivorship
    from resolver.planning.members import Member

#: The rule recorded for what a person chose, over any strategy.
BY_PERSON: Final = "chosen by the reviewer"
_NEVER_SEEN: Final = -(2**63)
#: The votes of two profiles that differ.
_EVEN: Final = ((1, 1), (1, 1))


class Candidate(NamedTuple):
    """One member's value of a disputed field; ``votes``: profiles with a like value, with the same."""

    member: Member
    field: str
    value: Any
    is_main: bool
    votes: tuple[int, int]


def most_recent(candidate: Candidate, _: Survivorship) -> int:
    """The value of the profile with the newest date; profiles without any date come last.

    Without a date on any of them every value ranks alike and the tie-breaks decide.
    """
    return _NEVER_SEEN if candidate.member.seen_at is None else candidate.member.seen_at


def most_frequent(candidate: Candidate, _: Survivorship) -> tuple[int, int]:
    """The value that most profiles hold, its forms counted together; of those the most usual form."""
    return candidate.votes


def most_complete(candidate: Candidate, _: Survivorship) -> int:
    """The address block with most parts; any other value from the profile with most filled fields."""
    return len(candidate.value) if isinstance(candidate.value, dict) else len(candidate.member.values)


def longest(candidate: Candidate, _: Survivorship) -> int:
    """The longest text; of address blocks the one with most characters."""
    value = candidate.value
    return sum(map(len, value.values())) if isinstance(value, dict) else len(value)


def source_priority(candidate: Candidate, rules: Survivorship) -> int:
    """The value of the profile whose best object type, or source, stands first in the list; unlisted last."""
    rank = candidate.member.priority
    return -len(rules.source_priority) if rank is None else -rank


def valid_first(candidate: Candidate, rules: Survivorship) -> bool:
    """A number that its country's plan knows, an address that can receive mail, over one that is neither."""
    if candidate.field in PHONES:
        return valid_phone(candidate.value, rules.phone_region)
    return valid_email(candidate.value)


def main(candidate: Candidate, _: Survivorship) -> bool:
    """The main profile's value."""
    return candidate.is_main


def never(candidate: Candidate, _: Survivorship) -> bool:
    """No rule may choose: the main profile's value stays for now and the plan goes to a person."""
    return candidate.is_main


#: Every strategy that a rule set may name.
STRATEGIES: Final[dict[StrategyName, Callable[[Candidate, Survivorship], Any]]] = {
    "most_recent": most_recent,
    "most_frequent": most_frequent,
    "most_complete": most_complete,
    "longest": longest,
    "source_priority": source_priority,
    "valid_first": valid_first,
    "main": main,
    "never": never,
}

#: What decides between values that a strategy ranks alike, in this order; the last: the smallest id.
TIE_BREAKS: Final = ("most_frequent", "main", "most_complete", "most_recent", "profile_id")


def choose(field: str, members: Sequence[Member], main_id: str, rules: Survivorship) -> tuple[Candidate, str]:
    """The candidate whose value survives in a disputed field, and the rule that chose it.

    The rule is the strategy's name, with the tie-break after a comma where one was needed
    (``most_recent, then main``). Members come in ascending order of profile id.
    """
    holders = [m for m in members if field in m.values]
    name = rules.strategy_of(field)
    strategy = STRATEGIES[name]
    if name != "most_frequent":  # votes cost most, and are asked for only where the strategy leaves a tie
        candidates = _candidates(field, holders, main_id, _EVEN * len(holders))
        ranks = [strategy(c, rules) for c in candidates]
        best = max(ranks)
        top = [c for c, rank in zip(candidates, ranks, strict=True) if rank == best]
        if all(c.value == top[0].value for c in top):
            return max(top, key=_standing), name
    several = len(holders) > len(_EVEN)
    votes = _votes(field, [m.values[field] for m in holders]) if several else _EVEN
    candidates = _candidates(field, holders, main_id, votes)
    ranked = [(strategy(c, rules), c.votes, *_standing(c)) for c in candidates]
    first = max(ranked)
    winner = candidates[ranked.index(first)]
    others = [r for r, c in zip(ranked, candidates, strict=True) if c.value != winner.value]
    return winner, _rule(name, first, max(others, default=None))


def _candidates(
    field: str, holders: Sequence[Member], main_id: str, votes: Sequence[tuple[int, int]]
) -> list[Candidate]:
    return [
        Candidate(m, field, m.values[field], m.profile_id == main_id, vote)
        for m, vote in zip(holders, votes, strict=False)
    ]


def _standing(candidate: Candidate) -> tuple[bool, int, int]:
    """The tie-breaks after the votes, in their order."""
    member = candidate.member
    seen_at = _NEVER_SEEN if member.seen_at is None else member.seen_at
    return candidate.is_main, len(member.values), seen_at


def _votes(field: str, values: Sequence[Any]) -> list[tuple[int, int]]:
    """How many of the values are alike to each, and how many are the same."""
    like = [likeness(field, value) for value in values]
    forms = [frozenset(value.items()) if isinstance(value, dict) else value for value in values]
    alike, same = Counter(like), Counter(forms)
    return [(alike[kind], same[form]) for kind, form in zip(like, forms, strict=True)]


def _rule(name: str, best: tuple[Any, ...], runner_up: tuple[Any, ...] | None) -> str:
    if runner_up is None or best[0] != runner_up[0]:
        return name
    for position, tie_break in enumerate(TIE_BREAKS[:-1], start=1):
        if best[position] != runner_up[position]:
            return f"{name}, then {tie_break}"
    return f"{name}, then {TIE_BREAKS[-1]}"
