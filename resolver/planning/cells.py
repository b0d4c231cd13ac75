"""The cells that members dispute, all groups at once: who holds what in which field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from resolver.model.profile import ADDRESSES, EMAILS, MEMBER_ORDER, PHONES, SCALARS, UNSTEERABLE
from resolver.model.survivorship_policy import ATTRIBUTE_PREFIX
from resolver.planning.json_columns import address_parts, quoted
from resolver.planning.likeness_columns import likenesses, likenesses_of_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.planning.board import Board
    from resolver.planning.sheet import Bools, Ints, Seats, Sheet

#: The places in one group, a power of two above the members of one call.
PLACES: Final = 32


class Column(NamedTuple):
    """One field over all groups.

    ``seat`` and ``source``: who holds a value, group by group, and the row of it in ``json``; ``first``: by
    group the position of the first of them (-1: nobody); ``disputed`` by group.
    """

    field: str
    json: pl.Series
    seat: Ints
    source: Ints
    first: Ints
    disputed: Bools


@dataclass(frozen=True)
class Cells:
    """Values of disputed fields, by segment (a group's field), the main profile's first, then ids ascending.

    ``group``, ``field`` (position in ``fields``), ``seat``, ``source`` (row of the sheet, of its entries for
    attributes) and ``json`` by cell; ``same`` and ``alike`` name the first cell of the segment that holds the
    same value, and one that reads the same. ``segment`` by cell, ``begin`` by segment.
    """

    fields: tuple[str, ...]
    group: Ints
    field: Ints
    seat: Ints
    source: Ints
    json: pl.Series
    same: Ints
    alike: Ints
    segment: Ints
    begin: Ints


def columns_of(sheet: Sheet, seats: Seats) -> list[Column]:
    """Every field that any member fills, attributes last, in the order in which people read them."""
    columns = []
    for name in sheet.fields:
        holds = sheet.members[name].is_not_null().to_numpy()[seats.row]
        seat = np.flatnonzero(holds)
        columns.append(_column(name, sheet.members[name], (seat, seats.row[seat]), seats))
    if sheet.entries.height:
        columns += _columns_of_attributes(sheet, seats)
    return columns


def _columns_of_attributes(sheet: Sheet, seats: Seats) -> list[Column]:
    rows = sheet.entries["row"].to_numpy()
    begin = np.searchsorted(rows, np.arange(sheet.profiles.height + 1))
    many = (begin[1:] - begin[:-1])[seats.row]
    seat = np.repeat(np.arange(len(seats.row)), many)
    within = np.arange(len(seat)) - np.repeat(np.cumsum(many) - many, many)
    source = begin[seats.row][seat] + within
    if not len(source):
        return []
    held = sheet.entries.select(pl.col("key").gather(source))
    keys = held["key"].unique().sort()
    codes = keys.to_frame("key").with_row_index("code")
    of_seat = held.join(codes, on="key", how="left", maintain_order="left")["code"].to_numpy()
    order = np.argsort(of_seat, kind="stable")
    ends = np.cumsum(np.bincount(of_seat, minlength=len(keys)))
    json = quoted(sheet.entries["value"])
    columns = []
    for key, chosen in zip(keys, np.split(order, ends[:-1]), strict=True):
        columns.append(_column(ATTRIBUTE_PREFIX + key, json, (seat[chosen], source[chosen]), seats))
    return columns


def _column(name: str, json: pl.Series, held: tuple[Ints, Ints], seats: Seats) -> Column:
    seat, source = held
    group = seats.group[seat]
    opens = np.flatnonzero(np.diff(group, prepend=-1))
    first = np.full(seats.groups, -1, np.int64)
    first[group[opens]] = opens
    disputed = np.zeros(seats.groups, np.bool_)
    disputed[group[_differs(json, source, source[first[group]])]] = True
    return Column(name, json, seat, source, first, disputed)


def _differs(json: pl.Series, one: Ints, other: Ints) -> Ints:
    """The positions at which the texts of two rows differ; the same row is not looked at."""
    asked = np.flatnonzero(one != other)
    differ = json.gather(one[asked]) != json.gather(other[asked])
    found: Ints = asked[differ.to_numpy()]
    return found


def cells_of(board: Board) -> Cells:
    """The cells of all disputed fields."""
    columns, seats = board.columns, board.seats
    fields = tuple(column.field for column in columns)
    picked = [np.flatnonzero(c.disputed[seats.group[c.seat]]) for c in columns]
    chosen = [(n, c, p) for n, (c, p) in enumerate(zip(columns, picked, strict=True)) if len(p)]
    seat = _joined([c.seat[p] for _, c, p in chosen])
    source = _joined([c.source[p] for _, c, p in chosen])
    field = _joined([np.full(len(p), n, np.int64) for n, _, p in chosen])
    group = seats.group[seat]
    place = seat - seats.start[group]
    main_place = (board.main - seats.start)[group]
    place = np.where(place == main_place, 0, np.where(place < main_place, place + 1, place))
    order = np.argsort((group * len(fields) + field) * PLACES + place)
    nothing = pl.Series("json", [], pl.String)
    json = pl.concat([nothing, *(c.json.gather(c.source[p]).alias("json") for _, c, p in chosen)])
    like = pl.concat([nothing, *(_likenesses(c, p, board).alias("json") for _, c, p in chosen)])
    json, like = json.gather(order), like.gather(order)
    group, field = group[order], field[order]
    begin = np.flatnonzero(np.diff(group * len(fields) + field, prepend=-1))
    segment = np.repeat(np.arange(len(begin)), np.diff(np.append(begin, len(group))))
    within = np.arange(len(group)) - begin[segment]
    return Cells(
        fields,
        group,
        field,
        seat[order],
        source[order],
        json,
        _first_of_each(json, within),
        _first_of_each(like, within),
        segment,
        begin,
    )


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _likenesses(column: Column, positions: Ints, board: Board) -> pl.Series:
    """What the column's values at those positions are like."""
    source = column.source[positions]
    if column.field in ADDRESSES:
        parts = address_parts(board.sheet.profiles, column.field)
        return likenesses_of_blocks({part: texts.gather(source) for part, texts in parts.items()})
    if column.field in PHONES or column.field in EMAILS:
        return board.likenesses_of(column.field).gather(source)
    return likenesses(column.field, raw_texts(board.sheet, column.field).gather(source))


def raw_texts(sheet: Sheet, field: str) -> pl.Series:
    """A scalar field's values row by row, of attributes entry by entry."""
    if field in MEMBER_ORDER:
        return sheet.profiles[SCALARS[field]]
    return sheet.entries["value"]


def _first_of_each(texts: pl.Series, within: Ints) -> Ints:
    """For each text the first equal one before it in its segment, or itself; ``within``: place in it."""
    first = np.arange(len(within))
    hashes = texts.hash().to_numpy()
    asked = np.flatnonzero(within >= 1)
    back = 1
    while len(asked):
        maybe = asked[hashes[asked] == hashes[asked - back]]
        equal = texts.gather(maybe) == texts.gather(maybe - back)
        same = maybe[equal.to_numpy()]
        first[same] = same - back
        back += 1
        asked = asked[within[asked] >= back]
    return first


def cannot_be_steered(columns: Sequence[Column], seats: Seats) -> Bools:
    """By group: whether members dispute a field that no source can be named for."""
    odd = np.zeros(seats.groups, np.bool_)
    for column in columns:
        if column.field in UNSTEERABLE:
            odd |= column.disputed
    return odd
