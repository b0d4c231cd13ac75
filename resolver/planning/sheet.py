"""The profiles of many groups as columns, and the seats that groups give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from resolver.model.profile import MEMBER_ORDER, PREFERENCES
from resolver.model.survivorship_policy import ATTRIBUTE_PREFIX
from resolver.planning.fingerprint import fingerprint_columns
from resolver.planning.json_columns import attribute_entries, json_of_members
from resolver.planning.members import attribute_clocks, best_priorities, holdings_of, newest_dates

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy.typing as npt

    from resolver.model.survivorship_policy import Merging, Survivorship

    Ints = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

#: The date of a profile without any.
NEVER: Final = -(2**63)
#: Dates whose year every library writes with four digits: 1000 to 9999, microseconds since 1970.
_PLAIN_YEARS: Final = (-30_610_224_000_000_000, 253_402_300_799_999_999)
_KB: Final = 1024
#: Attribute keys that get a column of their own, the most frequent ones of a batch.
MOST_KEYS: Final = 256


@dataclass(frozen=True)
class Sheet:
    """Profiles, one row each.

    ``members`` holds canonical JSON by API name and ``entries`` the attributes (row, key, value); ``filled``
    counts the values. ``seen_at`` is ``NEVER`` without a date, ``priority`` -1 without a listed source.
    """

    profiles: pl.DataFrame
    members: dict[str, pl.Series]
    entries: pl.DataFrame
    fingerprints: pl.Series
    filled: Ints
    seen_at: Ints
    priority: Ints
    objects: Ints
    size: Ints
    shares_objects: Bools

    @property
    def ids(self) -> pl.Series:
        """The profile ids."""
        return self.profiles["profile_id"]

    @property
    def fields(self) -> tuple[str, ...]:
        """The members that any profile fills, in the order in which people read them."""
        return tuple(sorted(self.members, key=lambda name: MEMBER_ORDER[name]))


@dataclass(frozen=True)
class Seats:
    """Members by group: every group's seats stand together, ids ascending.

    ``start`` and ``size`` by group; ``group`` and ``row`` (of the sheet) by seat.
    """

    start: Ints
    size: Ints
    group: Ints
    row: Ints

    @property
    def groups(self) -> int:
        """How many groups."""
        return len(self.start)

    def any(self, by_seat: Bools) -> Bools:
        """By group: whether it is so of any member."""
        return np.logical_or.reduceat(by_seat, self.start) if self.groups else np.zeros(0, np.bool_)

    def sum(self, by_seat: Ints) -> Ints:
        """By group: the sum over its members."""
        return np.add.reduceat(by_seat, self.start) if self.groups else np.zeros(0, np.int64)

    def only(self, wanted: Bools) -> Seats:
        """The seats of some groups."""
        return seat(self.size[wanted], self.row[wanted[self.group]])


def seat(sizes: Ints, rows: Ints) -> Seats:
    """Seats of groups of those sizes, filled by those rows in order."""
    start = np.cumsum(sizes) - sizes
    return Seats(start, sizes, np.repeat(np.arange(len(sizes)), sizes), rows)


def make_sheet(profiles: pl.DataFrame, rules: Survivorship, objects: pl.DataFrame) -> Sheet:
    """The sheet of a PROFILES frame; ``objects`` is an OBJECTS frame."""
    members = json_of_members(profiles)
    entries = attribute_entries(profiles)
    clocks = [_texts_of(entries, clock, profiles.height) for clock in attribute_clocks(rules)]
    dates = newest_dates(profiles, clocks, rules, objects)
    holdings = holdings_of(profiles, objects) or (0, 0, ())
    per_row = np.bincount(entries["row"].to_numpy(), minlength=profiles.height)
    filled = per_row + sum(values.is_not_null().to_numpy().astype(np.int64) for values in members.values())
    return Sheet(
        profiles,
        members,
        entries,
        pl.Series(fingerprint_columns(profiles["profile_id"], members, entries), dtype=pl.String),
        filled.astype(np.int64),
        _ints(dates, NEVER),
        _ints(best_priorities(profiles, rules, objects), -1),
        np.broadcast_to(np.asarray(holdings[0], np.int64), profiles.height),
        np.broadcast_to(np.asarray(holdings[1], np.int64), profiles.height),
        np.array([bool(s) for s in holdings[2]] or np.zeros(profiles.height), np.bool_),
    )


def plain_groups(sheet: Sheet, seats: Seats, limits: tuple[Merging, int], named: Collection[str]) -> Bools:
    """By group: whether columns may plan it.

    All others are rare and left to the careful path: those that need several calls (``limits`` = the rules'
    limits and the members of one call), hold engagement preferences or are ``named`` in those of any profile,
    share objects or have too many, mix kinds of profiles, or hold attributes that hardly anybody has.
    """
    merging, largest = limits
    odd = sheet.shares_objects.copy()
    for name in PREFERENCES:
        if name in sheet.members:
            odd |= sheet.members[name].is_not_null().to_numpy()
    if named:
        odd |= sheet.ids.is_in(pl.Series(sorted(named), dtype=pl.String).implode()).to_numpy()
    odd[_rows_with_rare_keys(sheet.entries)] = True
    dated = sheet.seen_at != NEVER
    odd |= dated & ((sheet.seen_at < _PLAIN_YEARS[0]) | (sheet.seen_at > _PLAIN_YEARS[1]))
    rare = seats.any(odd[seats.row]) | (seats.size > largest)
    rare |= seats.sum(sheet.objects[seats.row]) > merging.max_objects
    rare |= seats.sum(sheet.size[seats.row]) > merging.max_size_kb * _KB
    if "ProfileType" in sheet.members:
        kind = sheet.members["ProfileType"].fill_null('"PROFILE"').gather(seats.row)
        first = kind.gather(np.repeat(seats.start, seats.size))
        rare |= seats.any((kind != first).to_numpy())
    return ~rare


def _rows_with_rare_keys(entries: pl.DataFrame) -> Ints:
    """The rows with an attribute key beyond the most frequent ones: a column each would cost too much."""
    counts = entries.group_by("key").len().sort("len", "key", descending=[True, False])
    rare = counts.slice(MOST_KEYS)
    return entries.join(rare, on="key", how="semi")["row"].to_numpy().astype(np.int64)


def _texts_of(entries: pl.DataFrame, field: str, rows: int) -> list[str | None]:
    """One attribute row by row."""
    texts: list[str | None] = [None] * rows
    chosen = entries.filter(pl.col("key") == field.removeprefix(ATTRIBUTE_PREFIX))
    for row, text in chosen.select("row", "value").iter_rows():
        texts[row] = text
    return texts


def _ints(values: list[Any], missing: int) -> Ints:
    return pl.Series(values, dtype=pl.Int64).fill_null(missing).to_numpy()
