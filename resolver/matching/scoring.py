"""Bytes to log odds: look-ups, a sum, and a discount for what a relation explains as well.

log odds = prior + sum of weights - log(1 + sum over relations of rate * exp(sum of the tied weights))
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import library
from resolver.compiled import scoring as compiled
from resolver.matching.parameters import BITS, TABLE
from resolver.matching.values import Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.parameters import Parameters

#: Pairs scored at a time: the sums stay in the cache.
BATCH = 16_384
_THREADS = 2

#: Nats above which a sum of weights counts no further: its exponential would overflow.
MOST: Final = 700.0
_MOST_ODDS: Final = math.exp(MOST)

#: Bits just under even odds, for pairs that one field alone cannot decide.
HELD = -0.01


@dataclass(frozen=True, eq=False)
class Tables:
    """A model's weights (nats) ready to be looked up: a row for the whole file, then one per stratum.

    ``priors`` are log odds before anything is compared. ``columns`` hold a table (models, 256) per column,
    ``relations`` what each relation ties.
    """

    priors: Array
    columns: tuple[Array, ...]
    relations: tuple[Tied, ...]

    @classmethod
    def of(cls, parameters: Parameters) -> Tables:
        """The tables of a model and its strata."""
        models = parameters.models
        columns = tuple(np.stack(rows) for rows in zip(*(model.tables for model in models), strict=True))
        rates, tied = [], []
        for same in zip(*(model.relations for model in models), strict=True):
            # what a relation does not say of its own is the column's table itself: looked up once
            own = dict(same[0].own)
            tables = {k: np.stack([model.columns[k].weights(m) for model in models]) for k, m in own.items()}
            said = {k: t for k, t in tables.items() if not np.array_equal(t, columns[k])}
            tied.append({k: said.get(k, columns[k]) for k in same[0].ties})
            rates.append(np.log([relation.rate for relation in same]))
        return cls(np.array([model.prior for model in models]), columns, _shared(columns, rates, tied))


@dataclass(frozen=True, eq=False)
class Tied:
    """A relation: its log rate per model, and the tables of the columns that it ties.

    It ties all that ``base`` (another relation's place) does, and the columns of ``tables``.
    """

    rate: Array
    tables: dict[int, Array]
    base: int | None = None

    @cached_property
    def ratios(self) -> dict[int, Array]:
        """The tables as ratios of m and u, not their logs."""
        return {k: np.exp(table) for k, table in self.tables.items()}

    @cached_property
    def rates(self) -> Array:
        """The rates themselves."""
        return np.exp(self.rate)


def _shared(
    columns: Sequence[Array], rates: Sequence[Array], tied: Sequence[dict[int, Array]]
) -> tuple[Tied, ...]:
    """The relations, each on top of the one that ties most of the same: most tie a household's fields."""
    said = [{k: b"" if t is columns[k] else t.tobytes() for k, t in own.items()}.items() for own in tied]
    out = []
    for own, mine, rate in zip(tied, said, rates, strict=True):
        bases = [(len(other), -b) for b, other in enumerate(said) if other < mine]
        base = -max(bases)[1] if bases else None
        left = own if base is None else {k: table for k, table in own.items() if k not in tied[base]}
        out.append(Tied(rate, left, base))
    return tuple(out)


#: Each thing's entry in a table for a column, or, without a column, in a vector with one entry per model.
Look = Callable[[Array, int | None], Array]


def match_weights(parameters: Parameters, bytes_: Array, stratum: Array | None = None) -> Array:
    """Match weight (bits) of each pair; ``bytes_`` as ``compare`` gives them, ``stratum`` as ``Strata.of``.

    A pair with a single compared field that is not equal stays under even odds: similar alone may be
    reviewed.
    """
    out = np.empty(bytes_.shape[1])
    tables = Tables.of(parameters)

    def score(start: int) -> None:
        batch = slice(start, start + BATCH)
        own, weight = bytes_[:, batch], out[batch]
        told = odds(tables, own, None if stratum is None else stratum[batch], each=False)
        weight[:] = (told.evidence - np.log1p(told.explained)) * BITS
        held = lone_similar(parameters, own)
        weight[held] = np.minimum(weight[held], HELD)

    with ThreadPoolExecutor(_THREADS) as pool:
        list((pool.map if len(out) > BATCH else map)(score, range(0, len(out), BATCH)))
    return out


def parts(tables: Tables, bytes_: Array, stratum: Array | None = None) -> tuple[Array, Array, Array]:
    """Prior with summed weights, relation discount (both nats), each relation's rate * exp(tied weights)."""
    told = odds(tables, bytes_, stratum)
    return told.evidence, np.log1p(told.explained), told.tied


@dataclass(frozen=True, eq=False)
class Odds:
    """What speaks for pairs: prior and summed weights (``evidence``, nats), and what else explains as much.

    ``tied`` are the odds of each relation, shape (relations, pairs), where they are asked for; ``explained``
    is their sum.
    """

    evidence: Array
    explained: Array
    tied: Array


def odds(tables: Tables, bytes_: Array, stratum: Array | None = None, *, each: bool = True) -> Odds:
    """What speaks for pairs with those bytes in those strata; each relation's own part if asked for.

    A relation's odds are products: its rate, times m over u of every column that it ties.
    """
    relations = [(relation.ratios, relation.base) for relation in tables.relations]
    rates = [relation.rates for relation in tables.relations]
    if library.there():
        alone, tied_by = (tables.priors, tables.columns), (relations, rates)
        return Odds(*compiled.odds(alone, tied_by, (bytes_, stratum), (_MOST_ODDS, each)))
    size, look = bytes_.shape[1], looking(bytes_, stratum)
    evidence, explained = np.zeros(size), np.zeros(size)
    tied = np.ones((len(relations), size))
    for k, table in enumerate(tables.columns):
        evidence += look(table, k)
        for r, (own, _) in enumerate(relations):
            if k in own:
                tied[r] *= look(own[k], k)
    evidence += look(tables.priors, None)
    _on_bases(tables, tied, np.multiply)
    for r, rate in enumerate(rates):
        tied[r] *= look(rate, None)
        explained += np.minimum(tied[r], _MOST_ODDS, out=tied[r])
    return Odds(evidence, explained, tied)


def unweighted(tables: Tables) -> Tables:
    """Even odds before anything is compared, relations as common as strangers: what bytes alone say."""
    relations = tuple(replace(relation, rate=np.zeros_like(relation.rate)) for relation in tables.relations)
    return Tables(np.zeros_like(tables.priors), tables.columns, relations)


def looking(bytes_: Array, stratum: Array | None) -> Look:
    """Entries of pairs with those bytes in those strata."""
    own = None if stratum is None else stratum.astype(np.intp)
    row = None if own is None else own * TABLE
    last: tuple[int, Array] | None = None

    def look(table: Array, k: int | None) -> Array:
        nonlocal last
        if k is None:
            found: Array = table[0] if own is None else table[own]
            return found
        if last is None or last[0] != k:  # machine words are looked up in a third of the time of bytes
            last = k, bytes_[k].astype(np.intp) if row is None else row + bytes_[k]
        return np.take(table, last[1])

    return look


def mixture(tables: Tables, look: Look, size: int) -> tuple[Array, Array]:
    """Prior with summed weights, and relation discount (both nats), of anything that can be looked up."""
    evidence = np.zeros(size)
    tied = np.zeros((len(tables.relations), size))
    for k, table in enumerate(tables.columns):
        weights = look(table, k)
        evidence += weights
        for r, relation in enumerate(tables.relations):
            own = relation.tables.get(k)
            if own is not None:
                tied[r] += weights if own is table else look(own, k)
    _on_bases(tables, tied, np.add)
    evidence += look(tables.priors, None)
    for r, relation in enumerate(tables.relations):
        tied[r] += look(relation.rate, None)
    tied = np.exp(np.minimum(tied, MOST, out=tied), out=tied)
    return evidence, np.log1p(tied.sum(axis=0))


def _on_bases(tables: Tables, tied: Array, put: np.ufunc) -> None:
    """What each relation ties by itself, put on top of what its base ties."""
    waiting = [r for r, relation in enumerate(tables.relations) if relation.base is not None]
    while waiting:  # a base may have one of its own
        r = next(r for r in waiting if tables.relations[r].base not in waiting)
        put(tied[r], tied[tables.relations[r].base], out=tied[r])
        waiting.remove(r)


def lone_similar(parameters: Parameters, bytes_: Array) -> Array:
    """Which pairs have exactly one field to compare, and it is not equal."""
    if library.there():
        return compiled.lone_similar(bytes_, [len(column.m) for column in parameters.columns])
    compared = (bytes_ > 0).sum(axis=0)
    equal = np.zeros(bytes_.shape[1], bool)
    for k, column in enumerate(parameters.columns):
        equal |= bytes_[k] >= len(column.m)
    return (compared == 1) & ~equal
