"""One file after another: what changed and its neighbours are worked out again, all else is as it was.

The model is one that was learned before. The answer is that of ``link_again`` on the whole file: what
clustering concludes about a profile depends on the profiles near it (``Rows.near``) and on pairs with others;
where a change brings two neighbourhoods together, both are looked at again, until none is left.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np

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
from resolver.matching.results import Answer, Learned, Membership, cluster_frame, membership_of, pair_frame
from resolver.matching.scoring import match_weights
from resolver.matching.state import Links, Rows, State
from resolver.matching.strata import Strata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from resolver.matching.changes import Changes
    from resolver.matching.constraints import Constraints
    from resolver.matching.fingerprints import Fingerprints
    from resolver.matching.fresh_pairs import Found
    from resolver.matching.neighbourhood import Settled
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

    OnStage = Callable[[str, Mapping[str, int | float]], None]
    Meanwhile = Callable[[pl.DataFrame, State], None]


#: Columns of ``Membership`` that are rows of the file.
_ROWS_TOLD: Final = ("named", "core")
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


def link_changes(  # noqa: PLR0913 - what is linked, and who listens
    file: tuple[pl.DataFrame, Fingerprints],
    rules: RuleSet,
    known: tuple[pl.DataFrame, State],
    on_stage: OnStage,
    *,
    meanwhile: Meanwhile | None = None,
) -> tuple[Linkage, State]:
    """Who is who, from an earlier state; and the state for the next time.

    ``file`` is a PROFILES frame with its fingerprints; ``known`` are people's decisions and the state.
    ``meanwhile`` is given the clusters and the state while the frame of pairs is still being made.
    """
    (profiles, prints), (decisions, state) = file, known
    ids = profiles["profile_id"]
    changes = changes_of(prints, decisions, state)
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
    patch = _Patch.of(changes, settled)
    answer = _answer(state, patch, (constraints, found))
    with ThreadPoolExecutor(1) as pool:  # neither frame needs the other
        others = pool.submit(pair_frame, answer)
        now = _rows(state, patch, answer, _told(rules, ids, answer, settled))
        following = _state(state, changes, (now, settled.links), (decisions, answer, came, touched))
        clusters = cluster_frame(ids, now.told)
        if meanwhile is not None:
            meanwhile(clusters, following)
        pairs = others.result()
    return concluded(ids, (answer, now.told), (pairs, clusters), on_stage), following


@dataclass(frozen=True, eq=False)
class _Patch:
    """The earlier file's columns for the file now, but for the profiles that were looked at again.

    ``mine`` are the places in ``settled`` of those.
    """

    changes: Changes
    settled: Settled
    after: Array
    mine: Array

    @classmethod
    def of(cls, changes: Changes, settled: Settled) -> _Patch:
        """All fresh profiles are among those looked at again."""
        after = np.maximum(changes.after, 0).astype(np.uint32)
        return cls(changes, settled, after, np.flatnonzero(settled.again[settled.rows]))

    def values(self, earlier: Array, now: Array) -> Array:
        """Of values as they are."""
        out: Array = earlier[self.changes.before]
        out[self.settled.rows[self.mine]] = now[self.mine]
        return out

    def rows(self, earlier: Array, now: Array) -> Array:
        """Of rows: those of the earlier file, and places in ``settled``."""
        return self.values(self.after[earlier], self.settled.rows[now].astype(np.uint32))


def _told(rules: RuleSet, ids: pl.Series, answer: Answer, settled: Settled) -> Membership:
    """What CLUSTERS says of the profiles that were looked at; rows are their places in ``settled``."""
    own = ids.gather(settled.rows)
    mine = replace(
        answer,
        order=np.arange(len(own)),
        view=settled.view,
        scored=settled.scored,
        constraints=settled.constraints,
        core=settled.core,
    )
    return with_doubts(membership_of(own, rules.thresholds, mine), pair_frame(mine), rules)


def find_fresh(
    profiles: pl.DataFrame, rules: RuleSet, state: State, changes: Changes
) -> tuple[Changes, Found, list[Array]]:
    """The candidates of all that is fresh, and its words in the block index.

    Where a block has become too large, or is so no longer, its members are looked at anew, too.
    """
    trained, bits = state.trained, state.trained.bits

    fresh = np.flatnonzero(changes.fresh)
    if trained.keys is None:
        return changes, every_pair_of(fresh, profiles.height), []
    with ThreadPoolExecutor(1) as pool:  # where they stood does not depend on what they are
        values = pool.submit(Values.of, profiles, fresh, rules, trained)
        moved = np.zeros(state.numbers, bool)
        moved[state.rows.number[~changes.stayed].astype(np.intp)] = True
        left = [np.unique(block) for block, _ in state.index.places_of(moved)]
        standing = _standing(state, changes, fresh)
        columns = values.result().view.columns
    known = Blocked.of(trained.keys_of(columns), fresh, bits)
    place = np.zeros(profiles.height, np.int64)
    while True:
        if state.numbers + len(fresh) > 1 << bits:
            raise TooMuchChanged(f"{state.numbers} profiles have been numbered since the model was learned")
        place[fresh] = np.arange(len(fresh))
        found = pairs_of_fresh(state, known.words(place, bits), left, standing)
        if not len(found.crossed):
            return changes, found, known.words(place + state.numbers, bits)
        moved = np.zeros(state.numbers, bool)
        moved[found.crossed] = True
        stood = state.index.places_of(moved)  # they are as they were: so are their blocks
        left = [np.union1d(held, block) for held, (block, _) in zip(left, stood, strict=True)]
        known = known.also(Blocked(tuple((block, standing.row_of[number]) for block, number in stood)))
        changes = changes.also(np.sort(standing.row_of[found.crossed]))
        fresh = np.flatnonzero(changes.fresh)
        standing = _standing(state, changes, fresh)


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


def _rows(state: State, patch: _Patch, answer: Answer, told: Membership) -> Rows:
    """What is known of each profile now; ``told`` is that of those looked at again."""
    old, changes, settled = state.rows, patch.changes, patch.settled
    fresh = np.flatnonzero(changes.fresh)
    number = old.number[changes.before]
    number[fresh] = state.numbers + np.arange(len(fresh), dtype=np.uint32)
    columns = {
        field.name: (patch.rows if field.name in _ROWS_TOLD else patch.values)(
            getattr(old.told, field.name), getattr(told, field.name)
        )
        for field in fields(Membership)
    }
    return Rows(
        changes.name,
        changes.content,
        settled.area.cleaned,
        number,
        settled.area.part,
        patch.rows(old.near, settled.near),
        answer.scored.clusters.astype(np.uint32),
        answer.core.astype(np.uint32),
        Membership(**columns),
    )


def _candidates(state: State, found: Found, evidence: Evidence, profiles: int) -> Candidates:
    """The pairs at hand; how many each key finds now, and how many all together."""
    figures, candidates, keys = state.figures, state.candidates, state.trained.keys
    if keys is None:
        candidates = profiles * (profiles - 1) / 2
    if found.more:
        made = sum(int(str(one["pairs"])) for one in figures)
        candidates *= 1 + sum(found.more) / max(made, 1)
        figures = tuple(
            {**one, "pairs": int(one["pairs"]) + more}  # type: ignore[call-overload]
            for one, more in zip(figures, found.more, strict=True)
        )
    names = tuple(name for name, _ in keys) if keys is not None else ("all pairs",)
    return Candidates(evidence.words, evidence.key, names, figures, total=candidates)


def _state(
    state: State,
    changes: Changes,
    now: tuple[Rows, Links],
    known: tuple[pl.DataFrame, Answer, Sequence[Array], int],
) -> State:
    """What the next run needs.

    ``known`` are decisions, the answer, index words of fresh profiles, and how many changed.
    """
    decisions, answer, came, touched = known
    rows, links = now
    gone = np.ones(state.numbers, bool)
    gone[state.rows.number[changes.stayed].astype(np.intp)] = False
    return State(
        state.trained,
        rows,
        links,
        state.index.changed(gone, came) if came else state.index,
        decisions,
        state.numbers + int(changes.fresh.sum()),
        state.changed + touched,
        tuple(dict(one) for one in answer.candidates.figures),
        answer.candidates.total or 0.0,
    )


def _answer(state: State, patch: _Patch, known: tuple[Constraints, Found]) -> Answer:
    """The answer about the whole file, with the values of those looked at only.

    ``known`` are what people decided, and the pairs of fresh profiles.
    """
    constraints, found = known
    trained, settled, area = state.trained, patch.settled, patch.settled.area
    links, values, profiles = settled.links, area.values, len(area.ids)
    strata = Strata.of_parts(area.part, values.view.strata.names, values.view.strata.present)
    both = zip(state.rows.clusters, settled.scored.clusters, strict=True)
    clusters = np.stack([patch.rows(earlier, now) for earlier, now in both])
    evidence = Evidence(pack(links.left, links.right), links.key, links.bytes_)
    return Answer(
        np.arange(profiles),
        replace(values.view, strata=strata, model=replace(values.view.model, profiles=profiles)),
        Scored(evidence, links.weight, clusters.astype(np.int64)),
        constraints,
        patch.rows(state.rows.core, settled.core).astype(np.int64),
        _candidates(state, found, evidence, profiles),
        Learned(values.first.bins, values.first.model, trained.fields, trained.context, area.cleaned),
    )
