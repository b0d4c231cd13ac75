"""Passes over one file: known entities make better frequencies, which make better entities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import library
from resolver.matching import estimation
from resolver.matching.clustering import MUST, NEVER, Edges, softened
from resolver.matching.comparison import compare, rebin
from resolver.matching.components import bounded_components
from resolver.matching.frequency import bins_of, entities_with, first_counts, rarity
from resolver.matching.lookups import of_one
from resolver.matching.memory import give_back, worth_giving_back
from resolver.matching.pair_index import all_pairs, find, find_of_all, pairs_within, unpack
from resolver.matching.parameters import BITS
from resolver.matching.sorting import ascending
from resolver.matching.strata import strata_of
from resolver.matching.strata_estimation import (
    Strangers,
    draw_strangers,
    entities_by_part,
    parted,
    shift_of,
    shifts_of,
    with_strata,
)
from resolver.matching.work import HERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.constraints import Constraints
    from resolver.matching.evidence import Evidence
    from resolver.matching.parameters import Parameters
    from resolver.matching.strata import Strata
    from resolver.matching.values import Array
    from resolver.matching.work import Work
    from resolver.model.rule_set import RuleSet

_THREADS: Final = 2
_SEED: Final = 20_060_101  # rows are in content order, so one seed gives one answer in any row order


@dataclass(frozen=True, eq=False)
class View:
    """What a pass takes as known: frequency bins, random pairs with their bytes, a model, strata.

    ``entity`` is the provisional entity per profile, None before the first pass; ``shifts`` are how much more
    often strangers of two parts share values, as its entities show; ``strangers`` are random pairs of each
    stratum. ``all_bytes`` are those of all pairs for the first bins, where blocking takes all;
    ``random_seen`` how often each byte stands in the random pairs. ``work`` does the heavy stages.
    """

    columns: tuple[Column, ...]
    bins: tuple[Array, ...]
    random_words: Array
    random_bytes: Array
    random_seen: Array
    model: Parameters
    strata: Strata
    strangers: tuple[Strangers, ...] = ()
    entity: Array | None = None
    shifts: tuple[Array, ...] | None = None
    all_bytes: Array | None = None
    work: Work = HERE


def first_view(rules: RuleSet, columns: tuple[Column, ...]) -> View:
    """Before anything is known: every value on one or two profiles is taken to be one entity's."""
    profiles = len(columns[0].whole)
    defaults = [column.comparison.rarity for column in columns]
    step = rules.estimation.frequency_step
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(
            lambda column, default: bins_of(first_counts(column), entities_with(column, None), default, step),
            columns,
            defaults,
        )
        bins = tuple(found)
    strata = strata_of(columns, rules.estimation)
    if library.there():  # which do not ask for it
        for column in columns:
            column.forget_presence()
    words = random_pairs(profiles, rules.estimation.random_pairs)
    drawn = [unpack(words), *draw_strangers(strata)]
    all_bytes = None
    if profiles <= rules.blocking.all_pairs_up_to:
        all_bytes = compare(columns, bins, unpack(all_pairs(profiles)))
        bytes_ = np.take(all_bytes, find_of_all(profiles, words), axis=1)
        others = _compared(columns, bins, drawn[1:])
    else:  # together: many columns have little to do for few pairs
        bytes_, *others = _compared(columns, bins, drawn)
    rate = 1.0 / max(profiles, 2)
    expected = [rate * np.array([level.m for level in column.comparison.rising]) for column in columns]
    seen = estimation.byte_counts(bytes_)
    u = estimation.measure_u(columns, seen, expected)
    model = estimation.start(rules, columns, u, defaults)
    strangers = tuple(Strangers(*pair, own) for pair, own in zip(drawn[1:], others, strict=True))
    return View(columns, bins, words, bytes_, seen, model, strata, strangers, all_bytes=all_bytes)


def _compared(
    columns: Sequence[Column], bins: Sequence[Array], drawn: Sequence[tuple[Array, Array]]
) -> list[Array]:
    """The bytes of several lots of pairs."""
    if not drawn:
        return []
    left, right = (np.concatenate(side) for side in zip(*drawn, strict=True))
    ends = np.cumsum([len(one) for one, _ in drawn])[:-1]
    return np.split(compare(columns, bins, (left, right)), ends, axis=1)


def next_view(rules: RuleSet, view: View, entity: Array) -> View:
    """Everything recounted per provisional entity (a number per profile)."""
    constants, known = rules.estimation, parted(view.strata, entity)
    step = constants.frequency_step
    with ThreadPoolExecutor(_THREADS) as pool:  # counting lets others work
        seen = list(pool.map(lambda column: entities_by_part(column, known), view.columns))
        rarities = [
            rarity(one.everywhere, column.comparison.rarity, constants.rarity_prior)
            for one, column in zip(seen, view.columns, strict=True)
        ]
        bins = tuple(
            bins_of(one.everywhere, one.having, alpha, step)
            for one, alpha in zip(seen, rarities, strict=True)
        )
        shifts = (
            tuple(pool.map(lambda one, own: shift_of(one, own, step), seen, bins))
            if view.strata.divided
            else ()
        )
    left, right = unpack(view.random_words)
    alike = np.flatnonzero(of_one(entity, (left, right)))  # few: random pairs are of two
    strangers = view.random_seen - estimation.byte_counts(np.take(view.random_bytes, alike, axis=1))
    u = estimation.measure_u(view.columns, strangers, None)
    begin = estimation.start(rules, view.columns, u, rarities)
    begin = estimation.with_what_shows(rules, begin, view.model)
    return replace(view, bins=bins, model=begin, entity=entity, shifts=shifts)


def random_pairs(profiles: int, wanted: int) -> Array:
    """Pair words drawn with equal chance, with replacement; all pairs where there are no more than wanted."""
    if profiles * (profiles - 1) // 2 <= wanted:
        return all_pairs(profiles)
    draw = np.random.default_rng(_SEED)
    one = draw.integers(0, profiles, wanted, dtype=np.uint64)
    other = (one + draw.integers(1, profiles, wanted, dtype=np.uint64)) % np.uint64(profiles)
    # in order, one side of them is at hand when values are looked up
    return ascending((np.minimum(one, other) << np.uint64(32)) | np.maximum(one, other))


def estimate(rules: RuleSet, view: View, evidence: Evidence, *, stale: bool = False) -> Parameters:
    """The model learned from a random sample of the candidate pairs.

    ``stale``: the bytes of all pairs are of other bins, and are rewritten in place while the sample teaches.
    """
    total, sides = len(evidence.words), evidence.sides
    if not total:
        return view.model
    wanted = rules.estimation.sample_pairs

    def rewrite() -> None:
        if stale:
            rebin(view.columns, view.bins, sides, evidence.bytes_)

    with ThreadPoolExecutor(1) as pool:
        shifts = pool.submit(shifts_of, rules, view)  # counted from values alone
        if total > wanted:
            taken = np.zeros(total, bool)
            taken[np.random.default_rng(_SEED).choice(total, wanted, replace=False)] = True
            chosen = np.flatnonzero(taken)
            sample = estimation.Sample(np.take(evidence.bytes_, chosen, axis=1), total / wanted)
            if stale:
                rebin(view.columns, view.bins, (sides[0][chosen], sides[1][chosen]), sample.bytes_)
        rewriting = pool.submit(rewrite)
        if total <= wanted:
            rewriting.result()
            sample = estimation.Sample(evidence.bytes_)
        fitted = estimation.fit(rules, view.model, sample)
        rewriting.result()
        return with_strata(rules, view, fitted, (evidence, shifts.result()))


def weights_of(view: View, evidence: Evidence) -> Array:
    """The match weight (bits) of each pair under the model of its stratum."""
    return view.work.weigh(view.model, evidence.bytes_, view.strata.of(evidence.sides))


def priors_of(view: View, evidence: Evidence) -> Array:
    """The prior (bits) of each pair, or of all where the file is undivided."""
    stratum = view.strata.of(evidence.sides)
    priors = np.array([model.prior for model in view.model.models]) * BITS
    return priors[0] if stratum is None else priors[stratum]


@dataclass(frozen=True, eq=False)
class Scored:
    """Pairs, their match weights (bits), and per cut the first member of each profile's cluster.

    ``met`` are pairs of first members of clusters that were weighed against each other as wholes.
    """

    evidence: Evidence
    weight: Array
    clusters: Array
    met: Array | None = None


def score_and_cluster(  # noqa: PLR0913 - the last pass frees what others need
    rules: RuleSet,
    view: View,
    known: tuple[Evidence, Constraints],
    cuts: Sequence[float],
    *,
    last: bool = False,
) -> Scored:
    """Weights of all pairs; components; the pairs missing inside them scored too; clusters at each cut.

    ``known`` is the evidence and what people decided: that is honoured at every cut. In the ``last`` pass
    what serves the comparing of pairs is forgotten when all are compared.
    """
    evidence, constraints = known
    del known
    weight = weights_of(view, evidence)
    settings = rules.clustering
    left, right = evidence.sides
    joining = np.where(constraints.together(left, right), MUST, weight)
    label = bounded_components(
        view.model.profiles,
        (left, right, joining),
        (settings.join_from, settings.largest_component),
        view.work.components,
    )
    small = np.bincount(label) <= settings.largest_component
    own = label if small.all() else np.where(small[label], label, np.arange(len(label)) + len(small))
    inside = pairs_within(own, smallest=3)
    missing = inside[find(evidence.words, inside) < 0]
    del joining, small, own, inside
    if len(missing):
        evidence = evidence.also(missing, view.columns, view.bins)
        added = np.zeros(len(evidence.words), bool)
        added[np.searchsorted(evidence.words, missing)] = True
        before, weight = weight, np.empty(len(added))
        weight[~added] = before
        weight[added] = weights_of(view, evidence.only(added))
    if last and worth_giving_back(view.model.profiles):
        for column in view.columns:
            column.forget_tables()
        give_back(view.model.profiles)
    left, right = evidence.sides
    similarity = softened(weight, priors_of(view, evidence), settings)
    similarity[constraints.together(left, right)] = MUST
    similarity[constraints.kept_apart(left, right)] = NEVER
    edges = Edges(evidence.words, similarity)
    return Scored(evidence, weight, view.work.cut(label, edges, cuts, settings.largest_component))
