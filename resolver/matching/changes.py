"""What is different between a file and the one that a state was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.fingerprints import names_of

if TYPE_CHECKING:
    from resolver.matching.fingerprints import Fingerprints
    from resolver.matching.state import State
    from resolver.matching.values import Array

#: Two files are compared so many profiles at a time; a profile is looked for so many further on; and files
#: are not taken to be in the same order where one in so many profiles is out of step.
_RUN: Final = 512
_NEAR: Final = 64
_OUT_OF_STEP: Final = 50


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


def changes_of(prints: Fingerprints, decisions: pl.DataFrame, state: State) -> Changes:
    """New, changed and deleted profiles, and those about which people decided otherwise than before."""
    name, content = prints.name, prints.content
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
    out = _in_step(held, wanted)
    rest = np.flatnonzero(out < 0)
    if len(rest):
        free = np.ones(len(held), bool)
        free[out[out >= 0]] = False
        others = np.flatnonzero(free)
        there = pl.DataFrame({"name": held[others], "row": others})
        joined = pl.DataFrame({"name": wanted[rest]}).join(
            there, on="name", how="left", maintain_order="left"
        )
        out[rest] = joined["row"].fill_null(-1).to_numpy()
    return out


def _in_step(held: Array, wanted: Array) -> Array:
    """``_places`` of what stands in the same order in both, as most of a file does; -1 for what may not."""
    out = np.full(len(wanted), -1, np.int64)
    i = j = missed = 0
    while i < len(held) and j < len(wanted) and missed <= len(wanted) // _OUT_OF_STEP:
        count = min(_RUN, len(held) - i, len(wanted) - j)
        other = held[i : i + count] != wanted[j : j + count]
        same = int(other.argmax()) if other.any() else count
        out[j : j + same] = np.arange(i, i + same)
        i, j = i + same, j + same
        if same < count:  # some are gone here, or this one is new
            missed += 1
            ahead = np.flatnonzero(held[i : i + _NEAR] == wanted[j])
            i, j = (i + int(ahead[0]), j) if len(ahead) else (i, j + 1)
    return out


def _decided_otherwise(now: pl.DataFrame, then: pl.DataFrame) -> pl.Series:
    """The profile ids of decisions that stand in one of the frames only."""
    pair = ("profile_id_left", "profile_id_right")
    both = [
        frame.select(*pair, pl.col("verdict").cast(pl.String)).filter(pl.col("verdict") != "unsure").unique()
        for frame in (now, then)
    ]
    lone = pl.concat(both).filter(pl.struct(pl.all()).is_unique())
    return pl.concat([lone[side].alias("id") for side in pair]).unique()
