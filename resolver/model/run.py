"""One run of a command against a domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Run:
    """Who started what, where and when. ``run_id`` is unique; what the run does is recorded under it."""

    run_id: str
    domain: str
    command: str
    actor: str
    started_at: datetime
