"""The profiles around a change: clustered again, as if the whole file were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.constraints import constraints_of
from resolver.matching.evidence import ASKED_FOR, Evidence
from resolver.matching.linkage import last_pass
from resolver.matching.ordering import content_hashes, order_of
from resolver.matching.pair_index import find, pack, unpack
from resolver.matching.standardisation import standardise
from resolver.matching.state import Links, nearness
from resolver.matching.strata import Strata

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from resolver.matching.changes import Changes
    from resolver.matching.columns import Column
    from resolver.matching.constraints import Constraints
    from resolver.matching.passes import Scored, View
    from resolver.matching.state import State
    from resolver.matching.trained import Trained
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet


@dataclass(frozen=True, eq=False)
class Values:
    """Some profiles, standardised: ``local`` is where each row of the file stands among ``rows``, or -1."""

    rows: Array
    local: Array
    first: View
    view: View
    cleaned: Array

    @classmethod
    def of(cls, profiles: pl.DataFrame, rows: Array, rules: RuleSet, trained: Trained) -> Values:
        """The values of those rows of the file, as the model sees them."""
        standardised = standardise(profiles[rows], rules.reference, rules.default_region, trained.context)
        cleaned = content_hashes(trained.fields_of(standardised))
        first, view = trained.views(trained.columns_of(rules, standardised))
        local = np.full(profiles.height, -1, np.int64)
        local[rows] = np.arange(len(rows))
        return cls(rows, local, first, view, cleaned)


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """What is known of the file before anything is clustered again.

    ``near`` gives profiles near each other one number; ``again`` marks those whose clusters may be different,
    ``links`` all pairs known.
    """

    ids: pl.Series
    decisions: pl.DataFrame
    constraints: Constraints
    trained: Trained
    near: Array
    part: Array
    cleaned: Array
    fresh: Array
    again: Array
    links: Links
    held: Values | None = None

    @property
    def values(self) -> Values:
        """The values of the profiles that were read; there from ``with_pairs`` on."""
        assert self.held is not None  # noqa: S101 - the order of the stages
        return self.held

    @classmethod
    def of(
        cls, state: State, changes: Changes, ids: pl.Series, decided: tuple[pl.DataFrame, Constraints]
    ) -> Neighbourhood:
        """What is left of the earlier state."""
        rows, links, stayed = state.rows, state.links, changes.stayed
        there = np.flatnonzero(stayed)
        now = changes.after[there]
        near = len(rows.near) + np.arange(len(ids))
        near[now] = rows.near[there]
        part, cleaned = np.zeros(len(ids), np.uint8), np.zeros(len(ids), np.uint64)
        part[now], cleaned[now] = rows.part[there], rows.cleaned[there]
        touched = np.zeros(len(rows.near), bool)
        touched[rows.near[~stayed]] = True
        again = changes.fresh.copy()
        again[now] = touched[rows.near[there]]
        kept = stayed[links.left] & stayed[links.right]
        left, right = (changes.after[side[kept]].astype(np.uint32) for side in (links.left, links.right))
        left, right = np.minimum(left, right), np.maximum(left, right)
        held = Links(left, right, links.key[kept], links.weight[kept], links.bytes_[:, kept])
        decisions, constraints = decided
        return cls(
            ids, decisions, constraints, state.trained, near, part, cleaned, changes.fresh, again, held
        )

    def around(self, rows: Array) -> Array:
        """A mask of all profiles near any of those that are marked."""
        marked = np.zeros(int(self.near.max(initial=0)) + 1, bool)
        marked[self.near[rows]] = True
        out: Array = marked[self.near]
        return out

    def ends(self, which: Array) -> Array:
        """A mask of all profiles at either end of those links."""
        out = np.zeros(len(self.ids), bool)
        out[self.links.left[which]] = True
        out[self.links.right[which]] = True
        return out

    def rows_to_read(self, words: Array) -> Array:
        """The rows whose values will be compared: all near a new pair, or whose clusters may change."""
        rows = self.again.copy()
        for side in unpack(words):
            rows[side] = True
        return np.flatnonzero(self.around(rows) | self.again)

    def with_pairs(self, links: Links, values: Values) -> Neighbourhood:
        """With the scored pairs of fresh profiles; who may be joined by them is looked at again."""
        old = self.links
        every = Links(
            np.concatenate([old.left, links.left]),
            np.concatenate([old.right, links.right]),
            np.concatenate([old.key, links.key]),
            np.concatenate([old.weight, links.weight]),
            np.concatenate([old.bytes_, links.bytes_], axis=1),
        )
        part, cleaned = self.part.copy(), self.cleaned.copy()
        mine = self.fresh[values.rows]
        part[values.rows[mine]] = values.view.strata.part[mine]
        cleaned[values.rows[mine]] = values.cleaned[mine]
        return replace(self, part=part, cleaned=cleaned, links=every, held=values)


@dataclass(frozen=True, eq=False)
class Settled:
    """The clusters around a change.

    ``again`` marks the profiles with new clusters; ``rows`` are those looked at, in content order, and the
    rest is about them by their place there, but for ``area``, which is of the whole file. ``gone`` are places
    in its links that are not asked for any more, ``new`` places in the evidence that are.
    """

    area: Neighbourhood
    again: Array
    rows: Array
    view: View
    constraints: Constraints
    scored: Scored
    core: Array
    near: Array
    gone: Array
    new: Array

    @cached_property
    def links(self) -> Links:
        """All pairs of the file now."""
        old, evidence = self.area.links, self.scored.evidence
        kept = np.ones(len(old.left), bool)
        kept[self.gone] = False
        one, other = (self.rows[side[self.new]].astype(np.uint32) for side in evidence.sides)
        return Links(
            np.concatenate([old.left[kept], np.minimum(one, other)]),
            np.concatenate([old.right[kept], np.maximum(one, other)]),
            np.concatenate([old.key[kept], evidence.key[self.new]]),
            np.concatenate([old.weight[kept], self.scored.weight[self.new]]),
            np.concatenate([old.bytes_[:, kept], evidence.bytes_[:, self.new]], axis=1),
        )

    @property
    def looked_at(self) -> int:
        """How many profiles were clustered again."""
        return len(self.rows)


def settle(rules: RuleSet, area: Neighbourhood, read: Callable[[Array], Values]) -> Settled:
    """Cluster again what may be different, until all that it touches has been looked at.

    ``read`` gives the values of further rows.
    """
    again, links, values = area.again, area.links, area.values
    joins = links.weight >= rules.clustering.join_from
    asked = links.key == ASKED_FOR
    if len(area.constraints.words):
        joins |= area.constraints.together(links.left, links.right)
        asked &= find(area.constraints.words, pack(links.left, links.right)) < 0
    while True:
        edge = again[links.left] | again[links.right]
        join = joins & edge
        again = area.around(again | area.ends(join))
        edge = again[links.left] | again[links.right]
        if (values.local[again] < 0).any():
            values = read(np.union1d(values.rows, np.flatnonzero(again)))
        rows = np.flatnonzero(area.around(again | area.ends(edge)))
        rows = rows[order_of(area.cleaned[rows], area.ids.gather(rows))]
        settled, unread = _settle(rules, replace(area, again=again, held=values), rows, asked)
        reached = np.isin(settled.near, settled.near[again[rows]])
        missed = rows[reached & ~again[rows]]
        if not len(missed) and not len(unread):
            return settled
        again = again.copy()
        again[missed] = True
        if len(unread):
            values = read(np.union1d(values.rows, unread))


def _settle(rules: RuleSet, area: Neighbourhood, rows: Array, asked: Array) -> tuple[Settled, Array]:
    """The clusters of those rows, and rows that must be read before that can be told.

    ``asked`` marks the links that earlier clusters asked for: new ones ask for their own.
    """
    links, again = area.links, area.again
    place = np.full(len(area.ids), -1, np.int64)
    place[rows] = np.arange(len(rows))
    inside = np.flatnonzero((place[links.left] >= 0) & (place[links.right] >= 0))
    dropped = asked[inside] & again[links.left[inside]] & again[links.right[inside]]
    gone, inside = inside[dropped], inside[~dropped]
    one, other = place[links.left[inside]], place[links.right[inside]]
    own = pack(np.minimum(one, other), np.maximum(one, other))
    order = np.argsort(own, kind="stable")
    evidence = Evidence(
        own[order], links.key[inside][order], np.ascontiguousarray(links.bytes_[:, inside[order]])
    )
    constraints = constraints_of(area.decisions, area.ids.gather(rows))
    view = _view_of(area, rows)
    scored, view, core = last_pass(rules, view, (evidence, constraints))
    left, right = scored.evidence.sides
    met = scored.met if scored.met is not None else np.empty(0, np.uint64)
    known = scored.weight, constraints.together(left, right), met
    near = nearness(rules, len(rows), scored.evidence, known)
    new = np.flatnonzero(find(evidence.words, scored.evidence.words) < 0)
    asked_rows = rows[np.unique(np.concatenate([left[new], right[new]]))] if len(new) else rows[:0]
    unread = asked_rows[area.values.local[asked_rows] < 0]
    return Settled(area, again, rows, view, constraints, scored, core, near, gone, new), unread


def _view_of(area: Neighbourhood, rows: Array) -> View:
    """The model over those rows; those that were not read have no values."""
    values = area.values
    at = values.local[rows]
    columns = tuple(placed(column, at) for column in values.view.columns)
    strata = Strata.of_parts(area.part[rows], values.view.strata.names, values.view.strata.present)
    model = replace(values.view.model, profiles=len(rows))
    return replace(values.view, columns=columns, model=model, strata=strata)


def placed(column: Column, at: Array) -> Column:
    """The column with a row for each place in ``at``, the values of which it holds there; nothing for -1."""
    read = at >= 0

    def spread(codes: Array) -> Array:
        out = np.zeros((len(at), codes.shape[1]), codes.dtype)
        out[read] = codes[at[read]]
        return out

    return replace(column, codes=tuple(spread(codes) for codes in column.codes), whole=spread(column.whole))
