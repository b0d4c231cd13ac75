"""How many pairs blocking will find in a file, told from a sample of its profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from resolver.matching.blocking import (
    MOST_KEYS,
    Limits,
    check_pairs,
    index_of_key,
    pairs_of_index,
    row_bits,
)
from resolver.matching.columns import columns_of
from resolver.matching.comparison import compare
from resolver.matching.linkage import keys_for
from resolver.matching.pair_index import all_pairs, distinct, unpack
from resolver.matching.passes import first_view
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet
    from resolver.model.standardised import Standardised

_SEED: Final = 20_261_126


@dataclass(frozen=True, slots=True)
class Forecast:
    """``pairs`` that blocking will find, how many of them are worth ``scoring``, how many likely ``matches``.

    ``keys`` tell each blocking key's pairs; ``beyond`` those that stop a run, most pairs first (see
    ``blocking.most_pairs_per_profile``).
    """

    pairs: float
    scoring: float
    matches: float
    keys: tuple[Mapping[str, Any], ...]
    beyond: tuple[str, ...]


def forecast(standardised: Standardised, profiles: int, rules: RuleSet) -> Forecast:
    """What blocking a file of so many profiles will find, from a random sample of them (or all of them).

    A pair is in the sample as often as both its profiles are: blocks shrink, and what is found in them is
    counted up again.
    """
    columns = columns_of(rules, standardised)
    size = standardised.profiles
    if size < 2 or not columns:  # noqa: PLR2004 - one profile makes no pair
        return Forecast(0.0, 0.0, 0.0, (), ())
    view = first_view(rules, columns)
    share = size / profiles
    view = replace(view, model=_of_the_file(view.model, profiles, share))
    if profiles <= rules.blocking.all_pairs_up_to:
        return Forecast(profiles * (profiles - 1) / 2, *_worth(rules, view, all_pairs(size), 1.0), (), ())
    keys = keys_for(rules.blocking, view)[:MOST_KEYS]
    draw = np.random.default_rng(_SEED)
    found, told, beyond = [], [], []
    for key in keys:
        words = _pairs(rules, key, (profiles, share), draw)
        found.append(words)
        pairs = len(words) / share**2
        told.append({"key": key.name, "pairs": round(pairs)})
        if check_pairs(rules.blocking, profiles, pairs):
            beyond.append((pairs, key.name))
    bits = np.uint64(row_bits(size))
    union = distinct(np.concatenate(found)) if found else np.empty(0, np.uint64)
    low = (np.uint64(1) << bits) - np.uint64(1)
    words = ((union >> bits) << np.uint64(32)) | (union & low)
    return Forecast(
        len(words) / share**2,
        *_worth(rules, view, words, share),
        tuple(told),
        tuple(name for _, name in sorted(beyond, reverse=True)),
    )


def _of_the_file(model: Parameters, profiles: int, share: float) -> Parameters:
    """The start model of the file: a match for every profile, so many relations, rarer in more pairs."""
    relations = tuple(replace(one, rate=one.rate * share) for one in model.relations)
    return replace(model, profiles=profiles, match_rate=model.match_rate * share, relations=relations)


def _worth(rules: RuleSet, view: Any, words: Array, share: float) -> tuple[float, float]:
    """Pairs of the file that are not hopeless, and that are above even odds, by the start model."""
    weight = match_weights(view.model, compare(view.columns, view.bins, unpack(words)))
    hopeful = int((weight >= rules.estimation.drop_below).sum())
    return hopeful / share**2, int((weight >= rules.thresholds.match).sum()) / share**2


def _pairs(rules: RuleSet, key: Key, extent: tuple[int, float], draw: np.random.Generator) -> Array:
    """The key's pairs in the sample: smallest blocks first, up to what its budget leaves of the sample."""
    profiles, share = extent
    blocking = rules.blocking
    bits = row_bits(round(profiles * share))
    index = index_of_key(key, bits)
    largest = blocking.largest_block if share == 1 else max(2, round(blocking.largest_block * share) + 1)
    budget = float("inf")
    if profiles > blocking.learn_above:
        budget = blocking.pairs_per_profile * profiles * share**2
    words, _, allowed = pairs_of_index(index, Limits(largest, budget), bits)
    words = distinct(words)
    if allowed >= largest or share == 1:
        return words
    wider, _, _ = pairs_of_index(index, Limits(allowed + 1, float("inf")), bits)
    more = np.setdiff1d(distinct(wider), words, assume_unique=True)
    missing = max(round(budget) - len(words), 0)
    # whole blocks come or do not: in the file they are larger, and fill the budget more evenly
    return np.concatenate([words, draw.choice(more, min(missing, len(more)), replace=False)])
