"""Everything that was said, newest first; what contradicts what.

And the decisions as a table to take away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.app.reviewing.pair_verdicts import SPOKEN
from resolver.app.reviewing.standing import State, statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resolver.app.reviewing.desk import Desk
    from resolver.model.review_fact import ReviewFact

#: A cell that a spreadsheet would take for a formula begins with one of these.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


_KINDS: Final = {
    "undo": "took back",
    "second": "second look:",
    "approve": "approved a batch",
    "restore": "asked for a restore",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact as a row of the history; what was ``merged`` is not undone but restored, if anything."""

    fact: ReviewFact
    said: str
    state: str
    undoable: bool
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two statements about the same pair of profiles that cannot both hold."""

    cluster_id: str
    letters: tuple[str, str]
    old: str
    new: str
    fact: ReviewFact


def lines_of(desk: Desk, reviewer: str, wanted: str = "") -> list[Line]:
    """The history of this run, newest first.

    ``wanted`` keeps one verdict, state or the reviewer's own (mine).
    """
    standings = desk.standings()
    found = []
    for fact in reversed(desk.facts()):
        if fact.run_id != desk.batch.run_id or (fact.kind not in _KINDS and fact.kind != "verdict"):
            continue
        standing = standings.get(fact.cluster_id)
        holds = standing is not None and fact in (standing.verdict, standing.second)
        state = standing.state.value if standing and holds else "" if fact.kind == "undo" else "undone"
        if fact.kind in ("approve", "restore"):
            state = "approved" if fact.kind == "approve" else ""
        verdict = str(fact.content.get("verdict", ""))
        said = SPOKEN.get(verdict, fact.kind)
        if fact.kind != "verdict":
            said = f"{_KINDS[fact.kind]} {said if verdict else ''}".strip()
        merged = holds and state == State.MERGED.value
        line = Line(fact, said, state, holds and not merged and fact.reviewer == reviewer, merged)
        if wanted in ("", verdict, state) or (wanted == "mine" and fact.reviewer == reviewer):
            found.append(line)
    return found


def contradictions(desk: Desk) -> list[Contradiction]:
    """Verdicts of this run that contradict what was said before, newest first; none of them is released."""
    found = []
    for standing in desk.standings().values():
        case = desk.batch.cases.get(standing.cluster_id)
        fact = standing.verdict
        if standing.state is not State.FIGHTS or case is None or fact is None:
            continue
        for pair, verdict in statements(fact.content):
            old = desk.earlier.get(pair)
            if old in (None, verdict, "unsure"):
                continue
            left, right = sorted(pair, key=case.profile_ids.index)
            found.append(
                Contradiction(
                    cluster_id=fact.cluster_id,
                    letters=(case.letters[left], case.letters[right]),
                    old="the same" if old == "match" else "not the same",
                    new=f"{SPOKEN[fact.content['verdict']]}, {fact.reviewer} at {fact.at:%H:%M}",
                    fact=fact,
                )
            )
    return sorted(found, key=lambda c: c.fact.fact_id, reverse=True)


def export(desk: Desk) -> pl.DataFrame:
    """Every fact of this run as a table: ids, verdicts, times and notes, no profile's value."""
    rows = [
        {
            "decided_at": fact.at,
            "reviewer": fact.reviewer,
            "cluster_id": fact.cluster_id,
            "kind": fact.kind,
            "verdict": str(fact.content.get("verdict", "")),
            "groups": " ".join(f"{i}:{g}" for i, g in sorted(fact.content.get("groups", {}).items())),
            "main_profile_id": fact.content.get("main") or "",
            "pattern": str(fact.content.get("pattern_name", "")),
            "look_ms": fact.content.get("look_ms"),
            "version": fact.version,
            "note": fact.note,
        }
        for fact in desk.facts()
        if fact.run_id == desk.batch.run_id
    ]
    schema = {
        "decided_at": pl.Datetime("us", "UTC"),
        **dict.fromkeys(
            ("reviewer", "cluster_id", "kind", "verdict", "groups", "main_profile_id", "pattern"), pl.String()
        ),
        "look_ms": pl.Int64(),
        "version": pl.String(),
        "note": pl.String(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def safe_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before every text that a spreadsheet would run as a formula."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    risky = [pl.any_horizontal(pl.col(name).str.starts_with(c) for c in _FORMULA) for name in texts]
    return frame.with_columns(
        pl.when(risk).then(pl.concat_str(pl.lit("'"), pl.col(name))).otherwise(pl.col(name)).alias(name)
        for name, risk in zip(texts, risky, strict=True)
    )


def waiting(desk: Desk, reviewer: str) -> list[dict[str, Any]]:
    """Clusters that wait for a second look, the oldest first; whose they are not is not told."""
    found: Iterable[Any] = sorted(
        (s for s in desk.standings().values() if s.state in (State.WAITING, State.DIFFERS) and s.verdict),
        key=lambda s: s.verdict.fact_id if s.verdict else 0,
    )
    return [
        {
            "cluster_id": s.cluster_id,
            "pattern": desk.patterns[s.cluster_id].name,
            "size": len(desk.batch.cases[s.cluster_id].profile_ids),
            "state": s.state.value,
            "own": s.verdict.reviewer == reviewer,
            "differs": s.state is State.DIFFERS,
        }
        for s in found
        if s.cluster_id in desk.batch.cases
    ]
