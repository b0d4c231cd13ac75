"""People's verdicts: kept for ever, and carried over when the profiles they speak of are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from sqlalchemy import insert, select

from resolver.ledger.connection import reading, writing
from resolver.ledger.recollection import survivors
from resolver.ledger.tables import decisions
from resolver.model.decision import Verdict
from resolver.model.frames import DECISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Engine, Row

    from resolver.model.decision import Decision

#: Where two verdicts come to speak of the same two profiles, the cautious one stands.
_CAUTION: Final = {Verdict.MATCH.value: 0, Verdict.UNSURE.value: 1, Verdict.NON_MATCH.value: 2}


def record_decisions(engine: Engine, domain: str, made: Iterable[Decision]) -> None:
    """Add verdicts; an earlier one on the same pair stays in the history and is superseded."""
    rows = [
        {
            "domain": domain,
            "profile_id_left": min(decision.profile_id_left, decision.profile_id_right),
            "profile_id_right": max(decision.profile_id_left, decision.profile_id_right),
            "verdict": decision.verdict.value,
            "reviewer": decision.reviewer,
            "reason": decision.reason,
            "evidence": decision.evidence,
            "decided_at": decision.decided_at,
        }
        for decision in made
    ]
    if rows:
        with writing(engine) as connection:
            connection.execute(insert(decisions), rows)


def decisions_of(engine: Engine, domain: str) -> pl.DataFrame:
    """The verdicts that hold now, as a DECISIONS frame of today's profile ids, one row a pair, sorted.

    The latest verdict on a pair holds. An id that we merged away stands for its survivor: a verdict whose two
    sides have become one profile is dropped, and where two verdicts come to speak of the same pair a
    non-match outweighs an unsure, and that a match.
    """
    query = select(decisions).where(decisions.c.domain == domain).order_by(decisions.c.decision_id)
    with reading(engine) as connection:
        latest = {(row.profile_id_left, row.profile_id_right): row for row in connection.execute(query)}
    into = survivors(engine, domain)
    holding: dict[tuple[str, str], Row[Any]] = {}
    for (left, right), row in latest.items():
        today = _pair(left, right, into)
        if today and (today not in holding or _weight(row) > _weight(holding[today])):
            holding[today] = row
    rows = [
        (*pair, row.verdict, row.reviewer, row.reason, row.decided_at)
        for pair, row in sorted(holding.items())
    ]
    return pl.DataFrame(rows, schema=DECISIONS.columns, orient="row")


def _pair(left: str, right: str, into: Mapping[str, str]) -> tuple[str, str] | None:
    first, second = sorted((into.get(left, left), into.get(right, right)))
    return None if first == second else (first, second)


def _weight(row: Row[Any]) -> tuple[int, int]:
    return _CAUTION[row.verdict], row.decision_id
