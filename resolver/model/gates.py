"""What may differ between two runs before a person looks: limits of a rule set, and a gate's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, model_validator

from resolver.model.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: What a run is measured by. A name with ``.*`` is a family: one figure a field or blocking rule.
FIGURES: Final[Mapping[str, str]] = {
    "profiles": "profiles found; before is less those that we have merged away since",
    "fill_rate.*": "share of profiles that have the field, by field",
    "pairs_per_profile": "candidate pairs, all blocking rules together, a profile",
    "pairs_per_profile.*": "candidate pairs of one blocking rule a profile, by blocking rule",
    "match_rate": "share of profiles in clusters of two or more",
    "largest_cluster": "profiles in the largest cluster",
    "share_above_five": "share of profiles in clusters of more than five",
    "merges_per_profile": "profiles that the ready merge plans would remove, a profile",
}

GateState = Literal["passed", "held", "released"]


class Limit(Section):
    """How far one figure may go. ``rise`` and ``fall`` are shares of its value in the last released run.

    A change of at most ``grace`` (in the figure's own unit) never holds a run. ``at_least`` and ``at_most``
    hold in every run, the first one too.
    """

    figure: str
    rise: float | None = Field(default=None, ge=0)
    fall: float | None = Field(default=None, ge=0, le=1)
    grace: float = Field(default=0.0, ge=0)
    at_least: float | None = None
    at_most: float | None = None
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.figure not in FIGURES:
            raise ValueError(f"unknown figure {self.figure!r}; known are {', '.join(FIGURES)}")
        if (self.rise, self.fall, self.at_least, self.at_most) == (None, None, None, None):
            raise ValueError(
                f"the limit of {self.figure} limits nothing: give rise, fall, at_least or at_most"
            )
        return self


class Gates(Section):
    """Limits between conclusion and merge; a run beyond one of them is held until a person releases it."""

    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure beyond its limit. ``examples`` are profile ids; ``before`` is null in a first run."""

    figure: str
    before: float | None
    now: float
    limit: str
    reason: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateFact:
    """What the gates said of one run. ``compared_with`` is the run that it was measured against, or null."""

    run_id: str
    domain: str
    state: GateState
    compared_with: str | None
    figures: Mapping[str, float]
    breaches: tuple[Mapping[str, Any], ...]
    at: datetime
    released_by: str | None = None
    release_reason: str | None = None
