"""What is different between a file and the one that a state was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.matching.state import contents_of, names_of

if TYPE_CHECKING:
    from resolver.matching.state import State
    from resolver.matching.values import Array


@dataclass(frozen=True, eq=False)
class Changes:
    """Where profiles stood and stand.

    ``before`` is each profile's row in the earlier file, -1 for new ones; ``after`` the row now of each
    earlier profile, -1 for those that are gone. ``fresh`` marks profiles to be blocked and scored anew.
    """

    name: Array
    content: Array
    before: Array
    after: Array
    fresh: Array

    @property
    def stayed(self) -> Array:
        """Which earlier rows are there still, unchanged."""
        there = self.after >= 0
        out = np.zeros(len(self.after), bool)
        out[there] = ~self.fresh[self.after[there]]
        return out

    def also(self, rows: Array) -> Changes:
        """With further rows to be looked at anew."""
        fresh = self.fresh.copy()
        fresh[rows] = True
        return Changes(self.name, self.content, self.before, self.after, fresh)


def changes_of(profiles: pl.DataFrame, decisions: pl.DataFrame, state: State) -> Changes:
    """New, changed and deleted profiles, and those about which people decided otherwise than before."""
    name, content = names_of(profiles["profile_id"]), contents_of(profiles)
    before = _places(state.rows.name, name)
    after = np.full(len(state.rows.name), -1, np.int64)
    known = np.flatnonzero(before >= 0)
    after[before[known]] = known
    fresh = before < 0
    fresh[known] = content[known] != state.rows.content[before[known]]
    decided = _decided_otherwise(decisions, state.decisions)
    if len(decided):
        fresh |= np.isin(name, names_of(decided))
    return Changes(name, content, before, after, fresh)


def _places(held: Array, wanted: Array) -> Array:
    """Where each wanted hash stands among those held, -1 where it does not."""
    shared = min(len(held), len(wanted))
    if np.array_equal(held[:shared], wanted[:shared]) and shared == len(held):
        out = np.full(len(wanted), -1, np.int64)
        out[:shared] = np.arange(shared)
        return out
    there = pl.DataFrame({"name": held, "row": np.arange(len(held), dtype=np.int64)})
    joined = pl.DataFrame({"name": wanted}).join(there, on="name", how="left", maintain_order="left")
    return joined["row"].fill_null(-1).to_numpy()


def _decided_otherwise(now: pl.DataFrame, then: pl.DataFrame) -> pl.Series:
    """The profile ids of decisions that stand in one of the frames only."""
    pair = ("profile_id_left", "profile_id_right")
    both = [
        frame.select(*pair, pl.col("verdict").cast(pl.String)).filter(pl.col("verdict") != "unsure").unique()
        for frame in (now, then)
    ]
    lone = pl.concat(both).filter(pl.struct(pl.all()).is_unique())
    return pl.concat([lone[side].alias("id") for side in pair]).unique()
