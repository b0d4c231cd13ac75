"""What is a stratum's own: how common matches and relations are in it, and how often its strangers agree.

What a match looks like (m) is one for the file: a stratum may hold few matches to learn it from.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import counting, library
from resolver.matching import estimation
from resolver.matching.frequency import (
    BINS,
    ONE_ENTITY,
    Groups,
    entities_with,
    entity_counts,
    every_value,
    once_per_group,
)
from resolver.matching.parameters import StratumParameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.evidence import Evidence
    from resolver.matching.parameters import Parameters
    from resolver.matching.passes import View
    from resolver.matching.strata import Strata
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

#: Random pairs compared per stratum, and candidate pairs that EM sees of each.
_STRANGERS: Final = 5000
_SAMPLE: Final = 10_000
#: Pseudo-counts of agreements that hold a stratum's strangers to the file's.
_PRIOR: Final = 10.0
_SEED: Final = 20_060_102
_THREADS: Final = 2


@dataclass(frozen=True, eq=False)
class Strangers:
    """Random pairs of one stratum and their bytes."""

    left: Array
    right: Array
    bytes_: Array


def draw_strangers(strata: Strata) -> list[tuple[Array, Array]]:
    """Random pairs of each stratum, with replacement."""
    drawn = []
    for stratum in range(1, len(strata.sides) + 1):
        draw = np.random.default_rng([_SEED, stratum])
        left, right = (draw.choice(rows, _STRANGERS) for rows in strata.rows(stratum))
        drawn.append((left[left != right].astype(np.uint32), right[left != right].astype(np.uint32)))
    return drawn


def shifts_of(rules: RuleSet, view: View) -> tuple[Array, ...]:
    """``shift_of`` each column; none where the file is undivided."""
    if view.shifts is not None:
        return view.shifts
    if not view.strata.divided:
        return ()
    step = rules.estimation.frequency_step
    known = parted(view.strata, None)
    with ThreadPoolExecutor(_THREADS) as pool:  # sorting lets others work
        return tuple(
            pool.map(
                lambda column, bins: shift_of(entities_by_part(column, known), bins, step),
                view.columns,
                view.bins,
            )
        )


def with_strata(
    rules: RuleSet, view: View, model: Parameters, known: tuple[Evidence, Sequence[Array]]
) -> Parameters:
    """The model with the rates and strangers of each stratum; itself where the file is undivided.

    ``known`` are the pairs and ``shifts_of`` the view.
    """
    evidence, shifts = known
    stratum = view.strata.of(evidence.sides)
    if stratum is None:
        return model
    learned = []
    for number, (one, other) in enumerate(view.strata.sides, 1):
        at = np.flatnonzero(stratum == number)
        own = _own_strangers(model, view, number, [shift[one, other] for shift in shifts])
        learned.append(_described(view.strata, number, _rates(rules, view, own, (number, evidence, at))))
    return replace(model, strata=tuple(learned))


def _own_strangers(model: Parameters, view: View, number: int, shifts: Sequence[float]) -> Parameters:
    """What strangers share, as the stratum's random pairs show it; equal values as its own counts do."""
    seen = view.strangers[number - 1]
    apart = np.ones(len(seen.left), bool)
    if view.entity is not None:
        apart = view.entity[seen.left] != view.entity[seen.right]
    columns = []
    for k, (column, shift) in enumerate(zip(model.columns, shifts, strict=True)):
        levels = len(column.m)
        counts = np.bincount(np.minimum(seen.bytes_[k][apart], levels), minlength=levels + 1)[1:]
        u = np.asarray(column.u)
        ratio = (counts + _PRIOR) / (counts.sum() * u + _PRIOR)
        ratio[-1] = np.exp(shift)
        u = u * ratio / (u * ratio).sum()
        columns.append(replace(column, u=tuple(float(share) for share in u), shift=float(shift)))
    return replace(model, columns=tuple(columns))


def _untold(rules: RuleSet, model: Parameters, present: Array) -> tuple[frozenset[str], frozenset[str]]:
    """Relations of which a stratum knows nothing, and those that it cannot tell from a match but may hold.

    ``present`` says which columns each of its two parts has. Evidence is what both have. What a relation
    needs may stand on one side: between a company and a person who works there only the person has a surname.

    A relation that ties all the evidence of one part is unknown there, as in an undivided file: it would take
    every match for itself. Between two parts it may hold: the rest of the file shows how common it is.
    """
    names = [column.name for column in model.columns]
    one, other = ({name for name, here in zip(names, part, strict=True) if here} for part in present)
    needs = {relation.name: set(relation.needs) for relation in rules.relations}
    ties = {relation.name: {names[k] for k in relation.ties} for relation in model.relations}
    alike = {name for name, tied in ties.items() if one & other <= tied}
    unknown = {
        name for name, tied in ties.items() if not tied & one & other or not needs[name] <= one | other
    }
    if one == other:
        return frozenset(unknown | alike), frozenset()
    return frozenset(unknown), frozenset(alike - unknown)


def _rates(rules: RuleSet, view: View, own: Parameters, sampled: tuple[int, Evidence, Array]) -> Parameters:
    """The match rate and the rates of relations of one stratum, from its candidate pairs."""
    number, evidence, at = sampled
    unknown, alike = _untold(rules, own, view.strata.present[[*view.strata.sides[number - 1]]])
    own = _without(own, unknown)
    scale = max(len(at) / _SAMPLE, 1.0)
    if scale > 1:
        at = np.sort(np.random.default_rng([_SEED, number]).choice(at, _SAMPLE, replace=False))
    sample = estimation.Sample(np.ascontiguousarray(evidence.bytes_[:, at]), scale)
    extent = estimation.Extent(*view.strata.sizes(number), alike)
    return _without(estimation.fit_rates(rules, own, sample, extent), unknown)


def _without(model: Parameters, switched_off: frozenset[str]) -> Parameters:
    """The model with these relations as rare as can be."""
    relations = tuple(
        replace(relation, rate=estimation.LOWEST_RATE) if relation.name in switched_off else relation
        for relation in model.relations
    )
    return replace(model, relations=relations)


def _described(strata: Strata, number: int, model: Parameters) -> StratumParameters:
    return StratumParameters(
        strata.name(number),
        strata.sizes(number)[1],
        model.match_rate,
        tuple(column.u for column in model.columns),
        tuple(column.shift for column in model.columns),
        tuple(relation.rate for relation in model.relations),
    )


@dataclass(frozen=True, eq=False)
class Parted:
    """The parts of a file, its provisional entities, and the same cut where parts end.

    Without entities every profile is one. The cut ones are for NumPy: a number modulo parts is the part.
    """

    strata: Strata
    entities: Groups | None = None
    cut: Groups | None = None


def parted(strata: Strata, entity: Array | None) -> Parted:
    """The parts with the entities (a number per profile), ready for threads."""
    if entity is None:
        return Parted(strata)
    if not library.there():
        return Parted(strata, Groups(entity), Groups(entity * len(strata.names) + strata.part))
    entities = Groups(entity)
    _ = entities.rows  # once, before threads ask for them
    return Parted(strata, entities)


@dataclass(frozen=True, eq=False)
class ByPart:
    """Distinct entities per part and value of two profiles or more, and per part with any value.

    ``counts`` has a row per part and the ``values`` as columns. ``everywhere`` is entities per whole value,
    ``having`` those with any; where profiles count as entities, it is empty.
    """

    values: Array
    counts: Array
    sizes: Array
    everywhere: Array
    having: int


def shift_of(seen: ByPart, bins: Array, step: float) -> Array:
    """Nats by which strangers of two parts share a value more often than its frequency in the file says.

    Shape (parts, parts). Counted over values that two entities of the file have; the frequency of others is
    an estimate already.
    """
    parts = len(seen.counts)
    shared = np.flatnonzero(seen.counts.sum(axis=0) >= 2)  # noqa: PLR2004 - someone else has it
    counts = np.take(seen.counts, shared, axis=1).astype(float)
    chance = np.exp(-step * np.arange(BINS))[bins[seen.values[shared]]]
    met = counts @ counts.T
    np.fill_diagonal(met, met.diagonal() - counts.sum(axis=1))
    own = (counts * chance).sum(axis=1)
    expected = np.outer(own, seen.sizes)
    expected = (expected + expected.T) / 2
    halves = np.where(np.eye(parts, dtype=bool), 0.5, 1.0)
    return np.log((met * halves + _PRIOR) / (expected * halves + _PRIOR))


def entities_by_part(column: Column, known: Parted) -> ByPart:
    """The entities of each part, and of the file, that have each value.

    Before any is known, entities are as ``first_counts`` takes them. Of values that a single profile has, no
    two entities share one.
    """
    (values, bits), entities, strata = column.shared, known.entities, known.strata
    everywhere: Array = np.empty(0, np.uint32)
    having = 0
    if library.there():
        groups = None if entities is None else entities.rows
        parts = len(strata.names), strata.part if strata.divided else None
        counts, either, sizes = counting.count_values(column.whole, groups, parts, (len(values), bits))
        sizes, having = sizes[:-1], int(sizes[-1])
        if entities is not None:
            everywhere = np.minimum(column.times, 1)
            everywhere[0] = 0
            everywhere[values] = either
    else:
        counts, sizes = _counted(column, known), _sizes(column, known)
        if entities is not None:
            everywhere, having = entity_counts(column, entities), entities_with(column, entities.number)
    if entities is None:
        few = np.flatnonzero(column.times[values] <= ONE_ENTITY)
        counts[:, few] = np.minimum(counts[:, few], 1)
    return ByPart(values, counts, sizes.astype(float), everywhere, having)


def _counted(column: Column, known: Parted) -> Array:
    """Entities per part and shared value."""
    values, _ = column.shared
    place = np.zeros(column.wholes, np.uint32)
    place[values] = np.arange(len(values), dtype=np.uint32)
    parts, wanted = len(known.strata.names), column.times > 1
    wanted[0] = False
    if known.cut is None:
        held, rows = every_value(column, wanted)
        part = known.strata.part[rows]
    else:
        held, who = once_per_group(column, known.cut, wanted)
        part = who % parts
    at = part.astype(np.intp)
    at *= len(values)
    at += place[held]
    return np.bincount(at, minlength=len(values) * parts).reshape(parts, -1)


def _sizes(column: Column, known: Parted) -> Array:
    """Entities per part that have the field."""
    parts, here = len(known.strata.names), column.complete
    if known.cut is None:
        return np.bincount(known.strata.part[here], minlength=parts)
    there = np.zeros(int(known.cut.number.max(initial=-1)) // parts * parts + parts, bool)
    there[known.cut.number[here]] = True
    sizes: Array = there.reshape(-1, parts).sum(axis=0)
    return sizes
