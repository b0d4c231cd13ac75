"""What a reviewer said or did about one cluster, once and for good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from resolver.model.decision import Decision
    from resolver.model.merge_plan import MergePlan


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """One fact in the history of one cluster.

    ``kind`` is verdict, undo, second (a second reviewer's verdict), look (one sampled look of a batch), draw
    (the sample of a batch) or stop. ``seq`` is the fact's place in its cluster's history, from 1; ``version``
    names what was on the screen. ``content`` holds ids and choices, no customer's value; ``note`` is the
    reviewer's.
    """

    domain: str
    run_id: str
    cluster_id: str
    seq: int
    kind: str
    reviewer: str
    version: str
    content: Mapping[str, Any]
    at: datetime
    note: str = ""
    fact_id: int = 0


@dataclass(frozen=True, slots=True)
class Ruling:
    """A fact with all that must be on disk together with it: verdicts on pairs, and plans to be released."""

    fact: ReviewFact
    decisions: Sequence[Decision] = field(default=())
    plans: Sequence[MergePlan] = field(default=())
