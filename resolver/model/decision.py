"""A person's verdict about two profiles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Verdict(StrEnum):
    """What a reviewer says of a pair."""

    MATCH = "match"
    NON_MATCH = "non_match"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Decision:
    """One verdict, by whom, why, and on which evidence (a hash of what the reviewer saw)."""

    profile_id_left: str
    profile_id_right: str
    verdict: Verdict
    reviewer: str
    reason: str
    evidence: str
    decided_at: datetime
