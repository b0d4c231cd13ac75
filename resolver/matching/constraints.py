"""What people decided about pairs, closed under transitivity: these together, those apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.matching.components import components
from resolver.matching.pair_index import find, pack, unpack

if TYPE_CHECKING:
    from resolver.matching.values import Array


@dataclass(frozen=True, eq=False)
class Constraints:
    """``group`` is a number that profiles share which must be together; ``apart`` sorted words of groups.

    ``contradicted`` marks profiles whose decisions contradict each other: those that would join them are set
    aside, those that keep profiles apart stand, because a merge cannot be undone. ``words`` are the decided
    pairs.
    """

    group: Array
    apart: Array
    contradicted: Array
    words: Array
    joins: Array
    unknown: int = 0

    def together(self, left: Array, right: Array) -> Array:
        """Which pairs people joined, directly or through others."""
        if not len(self.words):
            return np.zeros(len(left), bool)
        return self.group[left] == self.group[right]

    def sides_joined(self) -> tuple[Array, Array]:
        """The pairs that people joined and whose decisions stand."""
        return unpack(self.joins)

    def kept_apart(self, left: Array, right: Array) -> Array:
        """Which pairs people parted, directly or through others that must be together with them."""
        if not len(self.apart):
            return np.zeros(len(left), bool)
        a, b = self.group[left], self.group[right]
        return find(self.apart, pack(np.minimum(a, b), np.maximum(a, b))) >= 0


def no_constraints(profiles: int) -> Constraints:
    """Nobody decided anything."""
    none = np.empty(0, np.uint64)
    return Constraints(np.arange(profiles, dtype=np.int32), none, np.zeros(profiles, bool), none, none)


def constraints_of(
    decisions: pl.DataFrame, profile_ids: pl.Series, order: Array | None = None
) -> Constraints:
    """The decisions about this file's profiles; ``unsure`` binds nothing, unknown ids are counted.

    ``order`` says where each profile stands in ``profile_ids``, unless it is their own order.
    """
    profiles = len(profile_ids)
    if decisions.is_empty():
        return no_constraints(profiles)
    if order is not None:
        profile_ids = profile_ids.gather(order)
    rows = pl.DataFrame({"id": profile_ids, "row": np.arange(profiles, dtype=np.uint32)})
    bound = decisions.select("profile_id_left", "profile_id_right", pl.col("verdict").cast(pl.String)).filter(
        pl.col("verdict") != "unsure"
    )
    here = bound.join(rows, left_on="profile_id_left", right_on="id").join(
        rows, left_on="profile_id_right", right_on="id", suffix="_right"
    )
    left, right = here["row"].to_numpy(), here["row_right"].to_numpy()
    words = pack(np.minimum(left, right), np.maximum(left, right))
    proper = left != right
    match = (here["verdict"] == "match").to_numpy()
    joins = np.unique(words[match & proper])
    parts = np.unique(words[~match & proper])
    group, clash = _grouped(profiles, joins, parts)
    contradicted = clash[group]
    if contradicted.any():
        joins = joins[~contradicted[unpack(joins)[0]]]
        group, _ = _grouped(profiles, joins, parts)
    a, b = unpack(parts)
    a, b = group[a], group[b]
    apart = np.unique(pack(np.minimum(a, b), np.maximum(a, b)))
    both = np.unique(np.concatenate([joins, parts]))
    return Constraints(group, apart, contradicted, both, joins, bound.height - here.height)


def _grouped(profiles: int, joins: Array, parts: Array) -> tuple[Array, Array]:
    """Group number per profile, and per group whether a decision parts two of its own members."""
    group = components(profiles, *unpack(joins))
    a, b = unpack(parts)
    clash = np.zeros(int(group.max(initial=-1)) + 1, bool)
    clash[group[a[group[a] == group[b]]]] = True
    return group, clash
