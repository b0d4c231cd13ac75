"""Learning m, u, the match rate and the rates of relations from a file, without labels.

MAP expectation-maximisation: every share starts at the rule set's value and is held near it by pseudo-pairs.
Pairs that were never compared count as non-matches, so blocking does not bias the rates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.compiled import library
from resolver.compiled import scoring as compiled
from resolver.matching.parameters import ColumnParameters, Parameters, RelationParameters
from resolver.matching.scoring import BATCH, MOST, Odds, Tables, odds, unweighted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Set as AbstractSet

    from resolver.matching.columns import Column
    from resolver.matching.values import Array
    from resolver.model.rule_set import Relation, RuleSet

#: EM stops when no share moves by more than this.
_STILL = 5e-4
#: The least share of similar values among strangers, of the share of equal ones; it matters for small files.
_SIMILAR_TO_EQUAL = 0.5
LOWEST_RATE = 1e-12
#: From so many different pairs on EM begins with every fourth.
_MANY = 30_000
_ROUGHLY = 4


def start(
    rules: RuleSet, columns: Sequence[Column], u: Sequence[Array], rarities: Sequence[float]
) -> Parameters:
    """The model before EM: m and relations of the rule set, u as measured, one match per profile expected."""
    profiles = len(columns[0].whole)
    pairs = max(profiles * (profiles - 1) / 2, 1.0)
    step = rules.estimation.frequency_step
    learned = tuple(
        ColumnParameters(
            column.name,
            tuple(level.label for level in column.comparison.rising),
            _normalised([level.m for level in column.comparison.rising]),
            tuple(float(share) for share in u[k]),
            rarities[k],
            step,
            tuple(level.at_most for level in column.comparison.rising),
        )
        for k, column in enumerate(columns)
    )
    rate = min(1.0 / max(profiles, 2), 0.5)
    relations: list[RelationParameters] = []
    for relation in rules.relations:
        bound = _bind(relation, columns, rules.per_match(relation.name) * profiles / pairs)
        if bound and all((bound.ties, bound.own) != (one.ties, one.own) for one in relations):
            relations.append(bound)
    return Parameters(profiles, rate, learned, tuple(relations))


def _bind(relation: Relation, columns: Sequence[Column], rate: float) -> RelationParameters | None:
    """The relation on this file; none where it is switched off, lacks what it needs, or ties every column."""
    there = {column.comparison.name for column in columns}
    ties = tuple(
        k for name in relation.ties for k, column in enumerate(columns) if column.comparison.name == name
    )
    if not relation.enabled or not tells(set(relation.ties) & there, relation.needs, there):
        return None
    own: dict[int, tuple[float, ...]] = {}
    if relation.learns:
        own = {k: _normalised([level.m for level in columns[k].comparison.rising]) for k in ties}
    for name, shares in relation.own.items():
        own |= {k: _normalised(shares[::-1]) for k in ties if columns[k].comparison.name == name}
    return RelationParameters(relation.name, max(rate, LOWEST_RATE), ties, tuple(own.items()))


def with_what_shows(rules: RuleSet, begin: Parameters, learned: Parameters) -> Parameters:
    """``begin`` without the relations that explain hardly a pair by what was ``learned``."""
    least = rules.estimation.relation_shows_from * learned.match_rate
    idle = {relation.name for relation in learned.relations if relation.rate < least}
    return replace(begin, relations=tuple(one for one in begin.relations if one.name not in idle))


def tells(ties: AbstractSet[str], needs: Collection[str], there: AbstractSet[str]) -> bool:
    """Whether a relation can be told from a match: it ties some of the columns there, not all it has."""
    return bool(ties) and not there <= ties and all(name in there for name in needs)


def _normalised(shares: Sequence[float]) -> tuple[float, ...]:
    total = sum(shares)
    return tuple(share / total for share in shares)


def byte_counts(bytes_: Array) -> Array:
    """How often each byte stands in each row, shape (rows, 256)."""
    if library.there():
        return compiled.byte_counts(bytes_)
    return np.stack([np.bincount(row, minlength=256) for row in bytes_])


def measure_u(columns: Sequence[Column], seen: Array, matched: Sequence[Array] | None) -> list[Array]:
    """Shares of each level among random pairs with the field on both sides.

    ``seen`` are the ``byte_counts`` of those pairs; ``matched`` the expected counts of matches per level to
    take off; one pseudo-pair keeps every share above 0.

    Where few pairs are there to count, a level that no stranger shows would outweigh equality: being similar
    is taken to be at least half as common as being equal.
    """
    out = []
    for k, column in enumerate(columns):
        levels = len(column.comparison.levels)
        counts = np.append(seen[k, 1:levels], seen[k, levels:].sum()).astype(float)
        if matched is not None:
            counts = np.maximum(counts - matched[k] * counts.sum(), 0)
        shares = (counts + 1 / levels) / (counts.sum() + 1)
        shares[1:-1] = np.maximum(shares[1:-1], _SIMILAR_TO_EQUAL * shares[-1])
        out.append(shares / shares.sum())
    return out


@dataclass(frozen=True, eq=False)
class Sample:
    """Bytes of sampled candidate pairs, each standing for ``scale`` pairs.

    ``labels`` fixes the match probability of some (NaN: unknown).
    """

    bytes_: Array
    scale: float = 1.0
    labels: Array | None = None


def fit(rules: RuleSet, begin: Parameters, sample: Sample) -> Parameters:
    """EM from ``begin``; ``converged`` says whether it stood still before its iterations ran out.

    Of many pairs every fourth is looked at first: most of the way is gone with them.
    """
    bytes_, times = _once(sample)
    some = slice(None, None, _ROUGHLY)
    if len(times) < _MANY or sample.labels is not None:
        return _fitted(rules, begin, (bytes_, times * sample.scale), (begin, sample.labels))
    rough = (
        np.ascontiguousarray(bytes_[:, some]),
        times[some] * (sample.scale * times.sum() / times[some].sum()),
    )
    near = _fitted(rules, begin, rough, (begin, None))
    return _fitted(rules, begin, (bytes_, times * sample.scale), (near, None))


def _fitted(
    rules: RuleSet, begin: Parameters, pairs: tuple[Array, Array], start_: tuple[Parameters, Array | None]
) -> Parameters:
    """EM from a model, held to ``begin``; pairs are their bytes and how many of the file each stands for."""
    bytes_, times = pairs
    model, labels = start_
    levels = [np.minimum(bytes_[k], len(c.m)) for k, c in enumerate(begin.columns)]
    if not library.there():  # machine words are counted faster
        levels = [row.astype(np.intp) for row in levels]
    # a pair with one field cannot say whether that field's agreement is typical of matches
    teaches = (bytes_ > 0).sum(axis=0) > 1
    for iteration in range(1, rules.estimation.iterations + 1):
        match, related = _expect(model, bytes_, labels)
        counts = _Counts(levels, match * times, related * times, teaches)
        following = replace(_maximise(rules, begin, model, counts), iterations=iteration)
        still = _moved(model, following) < _STILL
        model = following
        if still:
            return replace(model, converged=True)
    return model


def _once(sample: Sample) -> tuple[Array, Array]:
    """The bytes of pairs that differ, and how many pairs each stands for; a labelled pair is itself."""
    bytes_ = sample.bytes_
    if sample.labels is not None or not bytes_.size:
        return bytes_, np.ones(bytes_.shape[1])
    names = [str(k) for k in range(len(bytes_))]
    rows = pl.DataFrame(dict(zip(names, bytes_, strict=True))).with_row_index("first")
    same = rows.group_by(names, maintain_order=True).agg(pl.len(), pl.col("first").first())
    return np.take(bytes_, same["first"].to_numpy(), axis=1), same["len"].to_numpy().astype(float)


@dataclass(frozen=True, slots=True)
class Extent:
    """What rates are shares of: ``pairs``, of which at most ``profiles`` or so match.

    ``alike`` names relations that these pairs cannot tell from a match.
    """

    profiles: int
    pairs: float
    alike: frozenset[str] = frozenset()


def fit_rates(rules: RuleSet, begin: Parameters, sample: Sample, extent: Extent) -> Parameters:
    """EM of the match rate and the relations' rates alone; m stays as it is in ``begin``.

    A relation that cannot be told from a match stays as common per match as in ``begin``.
    """
    profiles, pairs = extent.profiles, extent.pairs
    constants = rules.estimation
    model = begin
    bytes_ = sample.bytes_
    known = odds(unweighted(Tables.of(replace(begin, strata=()))), bytes_)
    for _ in range(constants.iterations):
        rates = np.array([[relation.rate] for relation in model.relations]).reshape(-1, 1)
        tied = rates * known.tied
        told = Odds(model.prior + known.evidence, tied.sum(axis=0), tied)
        match, related = _shares(told, sample.labels)
        matches = match.sum() * sample.scale
        rate = _rate((matches + constants.match_rate_prior * profiles) / pairs)
        relations = tuple(
            replace(
                relation,
                rate=_rate(
                    rate * old.rate / begin.match_rate
                    if relation.name in extent.alike
                    else (related[r].sum() * sample.scale + rules.per_match(relation.name) * matches) / pairs
                ),
            )
            for r, (relation, old) in enumerate(zip(model.relations, begin.relations, strict=True))
        )
        moved = abs(float(np.log(rate / model.match_rate)))
        model = replace(model, match_rate=rate, relations=relations)
        if moved < 10 * _STILL:
            break
    return model


def _rate(share: float) -> float:
    return float(min(max(share, LOWEST_RATE), 0.5))


def _moved(old: Parameters, new: Parameters) -> float:
    """The largest change of an m, or a tenth of the change of the log match rate."""
    shares = [
        abs(a - b)
        for c, d in zip(old.columns, new.columns, strict=True)
        for a, b in zip(c.m, d.m, strict=True)
    ]
    return max(*shares, abs(float(np.log(new.match_rate / old.match_rate))) / 10, 0.0)


def _expect(model: Parameters, sample: Array, labels: Array | None) -> tuple[Array, Array]:
    """Match probability per pair, and how likely each relation, not chance, explains a non-match."""
    match = np.empty(sample.shape[1])
    related = np.empty((len(model.relations), sample.shape[1]))
    tables = Tables.of(replace(model, strata=()))
    for begin in range(0, sample.shape[1], BATCH):
        part = slice(begin, begin + BATCH)
        told = odds(tables, sample[:, part])
        match[part], related[:, part] = _shares(told, None if labels is None else labels[part])
    return match, related


def _shares(told: Odds, labels: Array | None) -> tuple[Array, Array]:
    """``_expect`` of pairs with those odds."""
    explained = 1 + told.explained
    match = 1 / (1 + np.exp(-np.clip(told.evidence - np.log(explained), -MOST, MOST)))
    if labels is not None:
        known = ~np.isnan(labels)
        match[known] = labels[known]
    return match, told.tied * ((1 - match) / explained)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Expected counts of one E step: levels per column, match and relation probabilities per pair.

    ``teaches`` marks pairs that may teach m.
    """

    levels: list[Array]
    match: Array
    related: Array
    teaches: Array

    def by_level(self, column: int, weight: Array, size: int) -> Array:
        """Expected number of pairs at each level of a column."""
        if library.there():
            counts = compiled.weighed(self.levels[column], weight)
        else:
            counts = np.bincount(self.levels[column], weights=weight, minlength=size + 1)
        return counts[1 : size + 1]


def _maximise(rules: RuleSet, begin: Parameters, model: Parameters, counts: _Counts) -> Parameters:
    constants = rules.estimation
    pairs = max(model.profiles * (model.profiles - 1) / 2, 1.0)
    matches = counts.match.sum()
    teaching = counts.match * counts.teaches
    columns = []
    for k, (column, start_) in enumerate(zip(model.columns, begin.columns, strict=True)):
        seen = counts.by_level(k, teaching, len(column.m))
        shares = _towards(seen, start_.m, constants.prior_pairs)
        columns.append(replace(column, m=_limited(shares, column.at_most)))
    relations = []
    for r, relation in enumerate(model.relations):
        expected = rules.per_match(relation.name) * matches
        rate = (counts.related[r].sum() + expected) / pairs
        starts = dict(begin.relations[r].own)
        own = tuple(
            (
                k,
                _towards(
                    counts.by_level(k, counts.related[r], len(shares)), starts[k], constants.prior_pairs
                ),
            )
            for k, shares in relation.own
        )
        relations.append(replace(relation, rate=_rate(rate), own=own))
    match_rate = (matches + constants.match_rate_prior * model.profiles) / pairs
    return replace(
        model,
        match_rate=_rate(match_rate),
        columns=tuple(columns),
        relations=tuple(relations),
    )


def _limited(shares: Sequence[float], at_most: Sequence[float]) -> tuple[float, ...]:
    """Shares above their limit are cut to it; the others grow in proportion."""
    over = np.asarray(shares) > np.asarray(at_most)
    if not over.any():
        return tuple(shares)
    cut = np.minimum(shares, at_most)
    cut[~over] *= (1 - cut[over].sum()) / cut[~over].sum()
    return tuple(float(share) for share in cut)


def _towards(counts: Array, start_: Sequence[float], weight: float) -> tuple[float, ...]:
    shares = (counts + weight * np.asarray(start_)) / (counts.sum() + weight)
    return tuple(float(share) for share in shares)
