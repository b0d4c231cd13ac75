"""``choose`` for every disputed field of many groups at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.model.profile import ADDRESSES, PHONES
from resolver.planning.cells import PLACES, raw_texts
from resolver.planning.json_columns import address_parts
from resolver.planning.likeness_columns import valid_emails, valid_phones
from resolver.planning.survivorship import STRATEGIES, TIE_BREAKS

if TYPE_CHECKING:
    from resolver.model.survivorship_policy import StrategyName
    from resolver.planning.board import Board
    from resolver.planning.cells import Cells
    from resolver.planning.sheet import Bools, Ints

_NAMES: Final = tuple(STRATEGIES)
#: The rule of each strategy and the position at which it was decided: the strategy itself, or a tie-break.
_RULES: Final = tuple(
    name if not position else f"{name}, then {TIE_BREAKS[position - 1]}"
    for name in _NAMES
    for position in range(len(TIE_BREAKS) + 1)
)


@dataclass(frozen=True)
class Choices:
    """By segment: the cell whose value survives, the seat that is named as its source, the rule as text."""

    winner: Ints
    source: Ints
    rule: pl.Series


def choose_all(cells: Cells, board: Board) -> Choices:
    """The choice of every segment."""
    sheet, rules, row = board.sheet, board.rules, board.seats.row[cells.seat]
    is_main = cells.seat == board.main[cells.group]
    alike = np.bincount(cells.alike, minlength=len(row))[cells.alike]
    same = np.bincount(cells.same, minlength=len(row))[cells.same]
    votes = alike * PLACES + same
    strategy = np.array([_NAMES.index(rules.strategy_of(f)) for f in cells.fields], np.int64)[cells.field]
    rank = np.zeros(len(row), np.int64)
    for number, name in enumerate(_NAMES):
        at = np.flatnonzero(strategy == number)
        if not len(at):
            continue
        if name == "most_frequent":
            rank[at] = votes[at]
        elif name in ("main", "never"):
            rank[at] = is_main[at]
        else:
            rank[at] = _rank(name, cells, at, board)
    levels = (rank, votes, is_main.astype(np.int64), sheet.filled[row], sheet.seen_at[row])
    everyone = np.ones(len(row), np.bool_)
    winner = _best(cells, levels, everyone)
    others = cells.same != cells.same[winner][cells.segment]
    rival = _best(cells, levels, others)
    differ = np.stack([level[winner] != level[rival] for level in levels])
    position = np.where(differ.any(axis=0), differ.argmax(axis=0), len(levels))
    rule = pl.Series(_RULES).gather(strategy[cells.begin] * (len(TIE_BREAKS) + 1) + position)
    first = cells.begin  # main's cell is the first where main has one
    by_main = is_main[first] & (cells.same[first] == cells.same[winner])
    return Choices(winner, np.where(by_main, cells.seat[first], cells.seat[winner]), rule)


def _best(cells: Cells, levels: tuple[Ints, ...], among: Bools) -> Ints:
    """By segment: the first cell that is best level by level, of those that take part."""
    if not len(cells.begin):
        return np.zeros(0, np.int64)
    left = among
    for level in levels:
        top = np.maximum.reduceat(np.where(left, level, np.iinfo(np.int64).min), cells.begin)
        left = left & (level == top[cells.segment])
    places = np.where(left, np.arange(len(left)), len(left))
    return np.minimum.reduceat(places, cells.begin)


def _rank(name: StrategyName, cells: Cells, at: Ints, board: Board) -> Ints:
    """How a strategy that looks at one cell ranks some cells; more is better."""
    sheet, rules, row = board.sheet, board.rules, board.seats.row[cells.seat[at]]
    if name == "most_recent":
        return sheet.seen_at[row]
    if name == "source_priority":
        priority = sheet.priority[row]
        return np.where(priority < 0, -len(rules.source_priority), -priority)
    rank = np.zeros(len(at), np.int64)
    for field in np.unique(cells.field[at]):
        mine = cells.field[at] == field
        rank[mine] = _rank_of_field(name, cells.fields[field], cells.source[at[mine]], board)
        if name == "most_complete" and cells.fields[field] not in ADDRESSES:
            rank[mine] = sheet.filled[row[mine]]
    return rank


def _rank_of_field(name: StrategyName, field: str, source: Ints, board: Board) -> Ints:
    sheet, rules = board.sheet, board.rules
    if field in ADDRESSES:
        parts = [texts.gather(source) for texts in address_parts(sheet.profiles, field).values()]
        if name == "most_complete":
            return sum(
                (p.is_not_null().to_numpy().astype(np.int64) for p in parts), np.zeros(len(source), np.int64)
            )
        lengths = [p.str.len_chars().fill_null(0).to_numpy().astype(np.int64) for p in parts]
        return sum(lengths, np.zeros(len(source), np.int64))
    if name == "most_complete":
        return np.zeros(len(source), np.int64)
    texts = raw_texts(sheet, field).gather(source)
    if name == "longest":
        return texts.str.len_chars().to_numpy().astype(np.int64)
    valid = valid_phones(texts, rules.phone_region) if field in PHONES else valid_emails(texts)
    return valid.to_numpy().astype(np.int64)
