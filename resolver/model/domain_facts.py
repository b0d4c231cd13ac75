"""What the store itself knows beside the profiles: match groups, objects, settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolver.model.frames import MATCH_GROUPS, OBJECTS, empty

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """Evidence about a domain that matching does not need and planning may use.

    ``match_groups`` is a MATCH_GROUPS frame from the run of Identity Resolution at ``matches_generated_at``
    (null: never ran, or matching is off) and, with ``rule_matching``, of the domain's matching rules as of
    now; ``objects`` an OBJECTS frame, possibly of candidate clusters only. ``read_at`` is when all this was
    read: the age of the matching run is counted from there.
    """

    domain_name: str | None = None
    match_groups: pl.DataFrame = field(default_factory=lambda: empty(MATCH_GROUPS))
    matches_generated_at: datetime | None = None
    objects: pl.DataFrame = field(default_factory=lambda: empty(OBJECTS))
    read_at: datetime | None = None
    rule_matching: bool = False
