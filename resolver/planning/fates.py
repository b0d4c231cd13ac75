"""``dispose`` for every displaced value of many groups at once, where nothing is written into fields.

That is without free slots and preserving attributes: a value is kept elsewhere, a search key, or given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.model.profile import ADDRESSES, DEFAULT_MAX_LENGTH, EMAILS, PHONES
from resolver.planning.cells import raw_texts
from resolver.planning.conservation import (
    ADDED_KEY,
    FOUND_ANYWAY,
    KEY_OF,
    MOVING_KEY,
    NO_OTHERS,
    PART_OF_BLOCK,
    SAME_IN_FORM,
    SAME_KIND,
    STANDS_THERE,
)
from resolver.planning.json_columns import address_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.planning.board import Board
    from resolver.planning.cells import Cells, Column
    from resolver.planning.choice_columns import Choices
    from resolver.planning.sheet import Bools, Ints, Sheet


#: The outcomes in the order in which they are tried: fate, reason.
OUTCOMES: Final = (
    ("kept", PART_OF_BLOCK),
    ("kept", STANDS_THERE),
    ("key", FOUND_ANYWAY),
    ("key", ADDED_KEY),
    ("key", MOVING_KEY),
    ("given_up", SAME_IN_FORM),
    ("given_up", NO_OTHERS),
)
(IN_BLOCK, ELSEWHERE, FOUND, ADDED, MOVES, SAME, LOST) = range(len(OUTCOMES))
#: Outcomes from here on are given up.
GIVEN_UP: Final = SAME
_UNDECIDED: Final = -1


@dataclass(frozen=True)
class Fates:
    """By displaced value, in the order of plans: its cell, its outcome, where it is now (null: nowhere)."""

    cell: Ints
    outcome: Ints
    target: pl.Series


@dataclass(frozen=True)
class Survivor:
    """What every group's profile will hold: by field, the row of each group's value (-1: none)."""

    columns: Mapping[str, Column]
    source: Mapping[str, Ints]

    def json(self, field: str, groups: Ints) -> pl.Series:
        """The values of a field in some groups, null where there is none."""
        source = self.source[field][groups]
        return self.columns[field].json.gather(
            pl.Series(np.maximum(source, 0)).set(pl.Series(source < 0), None)
        )


def survivors(cells: Cells, choices: Choices, board: Board) -> Survivor:
    """The values after each merge: the chosen one, else the only one."""
    sources = {}
    of_field = cells.field[choices.winner]
    for number, column in enumerate(board.columns):
        there = column.first >= 0
        source = np.full(len(column.first), -1, np.int64)
        source[there] = column.source[column.first[there]]
        mine = choices.winner[of_field == number]
        source[cells.group[mine]] = cells.source[mine]
        sources[column.field] = source
    return Survivor({c.field: c for c in board.columns}, sources)


def dispose_all(cells: Cells, choices: Choices, survivor: Survivor, board: Board) -> Fates:
    """The fate of every displaced value."""
    kept = cells.same[choices.winner][cells.segment]
    cell = np.flatnonzero((cells.same == np.arange(len(kept))) & (cells.same != kept))
    winner = choices.winner[cells.segment[cell]]
    alike = cells.alike[cell] == cells.alike[winner]
    outcome = np.where(alike, SAME, LOST)
    target = pl.Series("target", [None], pl.String).new_from_index(0, len(cell))
    field = cells.field[cell]
    for number in np.unique(field):
        at = np.flatnonzero(field == number)
        name = cells.fields[number]
        mine = cell[at]
        decided = np.full(len(at), _UNDECIDED, np.int64)
        place = pl.Series([None], dtype=pl.String).new_from_index(0, len(at))
        if name in ADDRESSES:
            inside = _within(board.sheet, name, cells.source[mine], cells.source[winner[at]])
            decided[inside] = IN_BLOCK
            place = place.set(pl.Series(inside), name)
        for other in SAME_KIND.get(name, ()):
            if other != name and other in survivor.columns:
                stands = (cells.json.gather(mine) == survivor.json(other, cells.group[mine])).fill_null(
                    value=False
                )
                stands &= pl.Series(decided == _UNDECIDED)
                decided[stands.to_numpy()] = ELSEWHERE
                place = place.set(stands, other)
        if name in KEY_OF:
            asked = np.flatnonzero(decided == _UNDECIDED)
            decided[asked] = _as_keys(name, cells, mine[asked], (survivor, board))
            place = place.set(pl.Series((decided >= FOUND) & (decided <= MOVES)), KEY_OF[name])
        outcome[at] = np.where(decided == _UNDECIDED, outcome[at], decided)
        target = target.scatter(at, place)
    return Fates(cell, outcome, target)


def _within(sheet: Sheet, name: str, blocks: Ints, kept: Ints) -> Bools:
    """Whether every part of a block stands in another."""
    inside = np.ones(len(blocks), np.bool_)
    for texts in address_parts(sheet.profiles, name).values():
        part = texts.gather(blocks)
        inside &= (part.is_null() | (part == texts.gather(kept)).fill_null(value=False)).to_numpy()
    return inside


def _as_keys(name: str, cells: Cells, mine: Ints, where: tuple[Survivor, Board]) -> Ints:
    """By value of one field: how a search still finds the profile by it, or undecided."""
    survivor, board = where
    texts = raw_texts(board.sheet, name).gather(cells.source[mine])
    found = np.zeros(len(mine), np.bool_)
    if name in PHONES or name in EMAILS:
        like, plus = (
            board.likenesses_of(name).gather(cells.source[mine]),
            texts.str.contains("+", literal=True),
        )
        for other in SAME_KIND[name]:
            if other in survivor.columns:
                source = survivor.source[other][cells.group[mine]]
                there = np.flatnonzero(source >= 0)
                kept = raw_texts(board.sheet, other).gather(source[there])
                equal = (board.likenesses_of(other).gather(source[there]) == like.gather(there)) & (
                    kept.str.contains("+", literal=True) == plus.gather(there)
                )
                found[there] |= equal.to_numpy()
    moves = cells.seat[mine] != board.main[cells.group[mine]]
    added = np.full(len(mine), ADDED) if board.search_keys else np.where(moves, MOVES, _UNDECIDED)
    outcome = np.where(found, FOUND, added)
    short = (texts.str.len_chars() <= DEFAULT_MAX_LENGTH).to_numpy()
    return np.where(short, outcome, _UNDECIDED)
