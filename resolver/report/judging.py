"""A run's figures held against its rule set's limits and the last released run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.model.gates import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.model.gates import Gates, Limit


def judge(gates: Gates, now: Mapping[str, float], before: Mapping[str, float] | None) -> list[Breach]:
    """Every figure beyond a limit, in the order of the limits; without ``before`` only absolute limits count.

    A field that nobody fills has a fill rate of 0; a blocking rule that only one of the runs used is not
    compared, because rules are learned from the profiles.
    """
    return [
        breach
        for limit in gates.limits
        for figure in _members(limit.figure, now, before or {})
        if (breach := _breach(limit, figure, now.get(figure, 0.0), _earlier(figure, before))) is not None
    ]


def _members(name: str, now: Mapping[str, float], before: Mapping[str, float]) -> Iterator[str]:
    if not name.endswith(".*"):
        if name in now:
            yield name
        return
    family = name.removesuffix("*")
    both = family.startswith("pairs_per_profile")
    for figure in sorted(now.keys() & before.keys() if both and before else now.keys() | before.keys()):
        if figure.startswith(family):
            yield figure


def _earlier(figure: str, before: Mapping[str, float] | None) -> float | None:
    return None if before is None else before.get(figure, 0.0)


def _breach(limit: Limit, figure: str, now: float, before: float | None) -> Breach | None:
    said = _absolute(limit, now) or (None if before is None else _jump(limit, now, before))
    return None if said is None else Breach(figure, before, now, said, limit.reason)


def _absolute(limit: Limit, now: float) -> str | None:
    if limit.at_most is not None and now > limit.at_most:
        return f"at most {limit.at_most:g}"
    if limit.at_least is not None and now < limit.at_least:
        return f"at least {limit.at_least:g}"
    return None


def _jump(limit: Limit, now: float, before: float) -> str | None:
    if abs(now - before) <= limit.grace:
        return None
    if limit.rise is not None and now > before * (1 + limit.rise):
        return f"a rise of at most {limit.rise:.0%}, or {limit.grace:g}"
    if limit.fall is not None and now < before * (1 - limit.fall):
        return f"a fall of at most {limit.fall:.0%}, or {limit.grace:g}"
    return None
