"""Which profile stays: the one whose staying loses least."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from resolver.model.profile import UNSTEERABLE
from resolver.planning.survivorship import choose

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from resolver.model.survivorship_policy import Survivorship
    from resolver.planning.members import Member


class _Standing(NamedTuple):
    """How one member compares; smaller is better, compared from left to right."""

    wrong_unsteerable: int  # values that would stay though the members' choice is another
    open_unsteerable: int  # disputed fields it lacks, each of which costs a call of its own
    lacking_main: int  # disputed fields whose strategy is the main profile's value, and it has none
    objects: int
    filled: int
    seen_at: int


def choose_main(
    members: Sequence[Member], disputed: Collection[str], rules: Survivorship
) -> tuple[Member, str]:
    """The main profile of the members, and the reason in words.

    In this order: fewest conflicts in fields that a merge cannot steer (PartyTypeString, GenderString), no
    blank where the strategy trusts the main profile, most objects, most filled fields, newest data, smallest
    profile id. Everything else is kept or lost alike whichever profile stays.
    """
    wanted = {f: choose(f, members, "", rules)[0].value for f in UNSTEERABLE if f in disputed}
    by_main = [f for f in disputed if rules.strategy_of(f) in ("main", "never") and f not in UNSTEERABLE]
    standings = [
        _Standing(
            sum([m.values.get(f, value) != value for f, value in wanted.items()]) if wanted else 0,
            sum([f not in m.values for f in wanted]) if wanted else 0,
            sum([f not in m.values for f in by_main]) if by_main else 0,
            -m.objects,
            -len(m.values),
            0 if m.seen_at is None else -m.seen_at,
        )
        for m in members
    ]
    best, second, *_ = ranked = sorted(standings)
    rivals = (second,) if second is ranked[-1] else (ranked[-1], second)
    reasons = {_criterion(best, rival): _reason(best, rival, wanted) for rival in rivals}
    return members[standings.index(best)], "; then ".join(reasons.values())


def _criterion(best: _Standing, rest: _Standing) -> int:
    """The position of the first difference."""
    return next((n for n, (one, other) in enumerate(zip(best, rest, strict=True)) if one != other), len(best))


def _reason(best: _Standing, rest: _Standing, wanted: Collection[str]) -> str:
    """What sets the main profile apart from another."""
    if (best.wrong_unsteerable, best.open_unsteerable) != (rest.wrong_unsteerable, rest.open_unsteerable):
        return f"its {' and '.join(wanted)} should stay, and a merge could not choose that"
    if best.lacking_main != rest.lacking_main:
        return "it fills the fields in which the main profile is trusted"
    if best.objects != rest.objects:
        return f"it has more objects ({-best.objects} against {-rest.objects})"
    if best.filled != rest.filled:
        return f"it fills more fields ({-best.filled} against {-rest.filled})"
    if best.seen_at != rest.seen_at:
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=-best.seen_at)
        return f"its data are newer ({day:%Y-%m-%d})"
    return "all else equal, its profile id is the smallest"
