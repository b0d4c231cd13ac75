"""One file after another: what changed and its neighbours are worked out again, all else is as it was.

The model is one that was learned before. The answer is that of ``link_again`` on the whole file: what
clustering concludes about a profile depends on the profiles near it (``Rows.near``) and on pairs with others;
where a change brings two neighbourhoods together, both are looked at again, until none is left.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.blocking import Candidates
from resolver.matching.changes import changes_of
from resolver.matching.comparison import compare, rebin
from resolver.matching.constraints import constraints_of
from resolver.matching.doubts import with_doubts
from resolver.matching.evidence import ASKED_FOR, Evidence
from resolver.matching.fresh_pairs import Blocked, Standing, every_pair_of, pairs_of_fresh
from resolver.matching.linkage import Linkage, concluded
from resolver.matching.neighbourhood import Neighbourhood, Values, settle
from resolver.matching.pair_index import find, pack, unpack
from resolver.matching.passes import Scored
from resolver.matching.results import Answer, Learned, cluster_frame, pair_frame
from resolver.matching.scoring import match_weights
from resolver.matching.state import Links, Rows, State
from resolver.matching.strata import Strata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from resolver.matching.changes import Changes
    from resolver.matching.constraints import Constraints
    from resolver.matching.fresh_pairs import Found
    from resolver.matching.neighbourhood import Settled
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

    OnStage = Callable[[str, Mapping[str, int | float]], None]


#: A model is stale when one in so many of the profiles that it was learned from has changed.
_STALE: Final = 4


class TooMuchChanged(Exception):
    """A full run is quicker, or the block index has no number left for a profile."""


def outgrown(profiles: int, state: State) -> str | None:
    """Why the state is of no use for a file of so many profiles; None if it is."""
    trained = state.trained
    if profiles < 2:  # noqa: PLR2004 - one profile makes no pair
        return "there are no two profiles to compare"
    if _STALE * state.changed > trained.profiles:
        return f"{state.changed} profiles have changed since the model was learned from {trained.profiles}"
    if profiles > 2 * trained.profiles or 2 * profiles < trained.profiles:
        return f"the model was learned from {trained.profiles} profiles, and there are {profiles} now"
    return None


def link_changes(
    profiles: pl.DataFrame, rules: RuleSet, known: tuple[pl.DataFrame, State], on_stage: OnStage
) -> tuple[Linkage, State]:
    """Who is who, from an earlier state; and the state for the next time.

    ``known`` are people's decisions and the state. ``profiles`` is a PROFILES frame.
    """
    decisions, state = known
    ids = profiles["profile_id"]
    changes = changes_of(profiles, decisions, state)
    constraints = constraints_of(decisions, ids)
    touched = int(changes.fresh.sum() + (changes.after < 0).sum())
    on_stage("changes", {"profiles": len(ids), "changed": touched})
    if 2 * touched > len(ids):
        raise TooMuchChanged(f"{touched} of {len(ids)} profiles have changed")

    changes, found, came = find_fresh(profiles, rules, state, changes)
    on_stage("block", {"pairs": len(found.words), "profiles": int(changes.fresh.sum())})

    area = Neighbourhood.of(state, changes, ids, (decisions, constraints))
    fresh_pairs = _with_decided(found, constraints, changes.fresh)
    rows = area.rows_to_read(fresh_pairs[0])
    values = Values.of(profiles, rows, rules, state.trained)
    area = area.with_pairs(_scored(rules, values, fresh_pairs, constraints), values)
    on_stage("compare", {"pairs": len(fresh_pairs[0]), "profiles": len(rows)})

    settled = settle(rules, area, lambda wanted: Values.of(profiles, wanted, rules, state.trained))
    on_stage("cluster", {"profiles": settled.looked_at})
    following = _state(state, changes, settled, (decisions, found, came, touched))
    answer = _answer(following, settled, constraints)
    with ThreadPoolExecutor(1) as pool:  # neither frame needs the other
        others = pool.submit(pair_frame, answer)
        clusters = cluster_frame(ids, rules, answer)
        pairs = others.result()
    following, clusters = _with_doubts(clusters, pairs, rules, (following, settled))
    return concluded(ids, answer, (pairs, clusters), on_stage), following


def _with_doubts(
    clusters: pl.DataFrame, pairs: pl.DataFrame, rules: RuleSet, known: tuple[State, Settled]
) -> tuple[State, pl.DataFrame]:
    """``with_doubts``, worked out for what was looked at again, and the state that knows it."""
    state, settled = known
    again = settled.again
    place = np.cumsum(again) - 1
    left, right = pairs["left"].to_numpy(), pairs["right"].to_numpy()
    inside = pairs.filter(pl.Series(again[left] & again[right]))
    inside = inside.with_columns(
        pl.Series(side, place[inside[side].to_numpy()].astype(np.uint32)) for side in ("left", "right")
    )
    doubts = with_doubts(clusters.filter(pl.Series(again)), inside, rules)
    bridged, shared = state.rows.bridged.copy(), state.rows.shared.copy()
    bridged[again] = doubts["bridge_held"].to_numpy()
    shared[again] = doubts["shared_contact_only"].to_numpy()
    told = clusters.with_columns(bridge_held=pl.Series(bridged), shared_contact_only=pl.Series(shared))
    return replace(state, rows=replace(state.rows, bridged=bridged, shared=shared)), told


def find_fresh(
    profiles: pl.DataFrame, rules: RuleSet, state: State, changes: Changes
) -> tuple[Changes, Found, list[Array]]:
    """The candidates of all that is fresh, and its words in the block index.

    Where a block has become too large, or is so no longer, its members are looked at anew, too.
    """
    trained, bits = state.trained, state.trained.bits

    def blocked(rows: Array) -> Blocked:
        columns = Values.of(profiles, rows, rules, trained).view.columns
        return Blocked.of(trained.keys_of(columns), rows, bits)

    fresh = np.flatnonzero(changes.fresh)
    if trained.keys is None:
        return changes, every_pair_of(fresh, profiles.height), []
    known = blocked(fresh)
    place = np.zeros(profiles.height, np.int64)
    while True:
        fresh = np.flatnonzero(changes.fresh)
        if state.numbers + len(fresh) > 1 << bits:
            raise TooMuchChanged(f"{state.numbers} profiles have been numbered since the model was learned")
        place[fresh] = np.arange(len(fresh))
        standing = _standing(state, changes, fresh)
        found = pairs_of_fresh(state, known.words(place, bits), standing)
        if not len(found.crossed):
            return changes, found, known.words(place + state.numbers, bits)
        crossed = np.sort(standing.row_of[found.crossed])
        changes, known = changes.also(crossed), known.also(blocked(crossed))


def _standing(state: State, changes: Changes, fresh: Array) -> Standing:
    number = state.rows.number.astype(np.intp)
    row_of = np.full(state.numbers, -1, np.int64)
    row_of[number] = changes.after
    were = np.zeros(state.numbers, bool)
    were[number] = True
    stayed = np.zeros(state.numbers, bool)
    stayed[number] = changes.stayed
    return Standing(fresh, row_of, were, stayed)


def _with_decided(found: Found, constraints: Constraints, fresh: Array) -> tuple[Array, Array]:
    """The words and keys of the pairs found, with those that people decided about fresh profiles."""
    left, right = unpack(constraints.words)
    mine = constraints.words[fresh[left] | fresh[right]]
    more = mine[find(found.words, mine) < 0]
    at = np.searchsorted(found.words, more)
    return np.insert(found.words, at, more), np.insert(found.key, at, ASKED_FOR)


def _scored(rules: RuleSet, values: Values, pairs: tuple[Array, Array], constraints: Constraints) -> Links:
    """The pairs that are not hopeless, and those that people decided."""
    words, key = pairs
    left, right = unpack(words)
    sides = values.local[left], values.local[right]
    bytes_ = compare(values.first.columns, values.first.bins, sides)
    hopeful = match_weights(values.first.model, bytes_) >= rules.estimation.drop_below
    kept = hopeful | (find(constraints.words, words) >= 0)
    key = np.where(hopeful, key, ASKED_FOR).astype(np.uint16)
    bytes_, sides = np.ascontiguousarray(bytes_[:, kept]), (sides[0][kept], sides[1][kept])
    rebin(values.view.columns, values.view.bins, sides, bytes_)
    weight = match_weights(values.view.model, bytes_, values.view.strata.of(sides))
    return Links(left[kept], right[kept], key[kept], weight, bytes_)


def _state(
    state: State, changes: Changes, settled: Settled, known: tuple[pl.DataFrame, Found, Sequence[Array], int]
) -> State:
    """What the next run needs.

    ``known`` are decisions, candidates, index words of fresh profiles, and how many changed.
    """
    decisions, found, came, touched = known
    old, stayed, area = state.rows, changes.stayed, settled.area
    there = np.flatnonzero(stayed)
    now = changes.after[there]
    fresh = np.flatnonzero(changes.fresh)
    number = np.zeros(len(changes.fresh), np.uint32)
    number[now] = old.number[there]
    number[fresh] = state.numbers + np.arange(len(fresh))
    mine = np.flatnonzero(settled.again[settled.rows])

    def firsts(earlier: Array, settled_now: Array) -> Array:
        out = np.empty(len(number), np.uint32)
        out[now] = np.maximum(changes.after, 0)[earlier[there]]  # of those looked at again, overwritten next
        out[settled.rows[mine]] = settled.rows[settled_now[mine]]
        return out

    def doubts(earlier: Array) -> Array:
        out = np.zeros(len(number), bool)
        out[now] = earlier[there]
        return out

    clusters = np.stack([firsts(a, b) for a, b in zip(old.clusters, settled.scored.clusters, strict=True)])
    rows = Rows(
        changes.name,
        changes.content,
        area.cleaned,
        number,
        area.part,
        firsts(old.near, settled.near),
        clusters,
        firsts(old.core, settled.core),
        doubts(old.bridged),
        doubts(old.shared),
    )
    gone = np.ones(state.numbers, bool)
    gone[old.number[there].astype(np.intp)] = False
    figures, candidates = state.figures, state.candidates
    if state.trained.keys is None:
        candidates = len(number) * (len(number) - 1) / 2
    if found.more:
        made = sum(int(str(one["pairs"])) for one in figures)
        candidates *= 1 + sum(found.more) / max(made, 1)
        figures = tuple(
            {**one, "pairs": int(one["pairs"]) + more}  # type: ignore[call-overload]
            for one, more in zip(figures, found.more, strict=True)
        )
    return State(
        state.trained,
        rows,
        settled.links(),
        state.index.changed(gone, came) if came else state.index,
        decisions,
        state.numbers + len(fresh),
        state.changed + touched,
        figures,
        candidates,
    )


def _answer(state: State, settled: Settled, constraints: Constraints) -> Answer:
    """The answer about the whole file, with the values of those looked at only."""
    trained, rows, links, values = state.trained, state.rows, state.links, settled.area.values
    strata = Strata.of_parts(rows.part, values.view.strata.names, values.view.strata.present)
    view = replace(values.view, strata=strata, model=replace(values.view.model, profiles=len(rows.part)))
    evidence = Evidence(pack(links.left, links.right), links.key, links.bytes_)
    names = tuple(name for name, _ in trained.keys) if trained.keys is not None else ("all pairs",)
    return Answer(
        np.arange(len(rows.part)),
        view,
        Scored(evidence, links.weight, rows.clusters.astype(np.int64)),
        constraints,
        rows.core.astype(np.int64),
        Candidates(evidence.words, evidence.key, names, state.figures, total=state.candidates),
        Learned(values.first.bins, values.first.model, trained.fields, trained.context, rows.cleaned),
    )
