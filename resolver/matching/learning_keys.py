"""Which blocking keys a large file needs, learned from a sample of its profiles without labels.

A key's likely matches and its chance pairs both shrink with the sample in proportion, so their ratio is
unbiased.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.matching.blocking import MOST_KEYS, Limits, pairs_of_keys
from resolver.matching.comparison import compare
from resolver.matching.key_parts import looked_up
from resolver.matching.pair_index import distinct
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.key_parts import Part
    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array
    from resolver.model.rule_set import Blocking

#: Bits (p = 0.89) from which the start model takes a pair for a match. A relation that explains it as well
#: leaves it 3.3 bits at the start; 4.25 made files of company names and places learn no key (F1 -0.17).
_LIKELY: Final = 3.0
_THREADS: Final = 2


def learn_keys(
    rules: Blocking, keys: Sequence[Key], columns: tuple[Sequence[Column], Sequence[Array]], model: Parameters
) -> list[Key]:
    """The keys that are always used, then a greedy cover of likely matches, most rewarding first.

    ``columns`` are the columns with their frequency bins, of the file or a sample of it; ``model`` the start
    model of the file. Where the sample holds no likely match, all keys are used.
    """
    rows = sampled_rows(len(columns[0][0].whole), rules.learn_from)
    share = len(rows) / model.profiles
    bits = max(len(rows).bit_length(), 1)
    cap = max(2, round(rules.largest_block * share) + 1)
    limits = Limits(cap, max(rules.pairs_per_profile * len(rows) * share, 100.0))
    alike = _alike({part.name: part for key in keys for part in key.parts}.values())

    beside: dict[tuple[str, ...], list[int]] = {}  # keys that differ in their last part only
    for k, key in enumerate(keys):
        beside.setdefault(tuple(part.name for part in key.parts[:-1]), []).append(k)

    def pairs(numbers: Sequence[int]) -> list[Array]:
        own = [replace(keys[k], parts=tuple(of_sample[part.name] for part in keys[k].parts)) for k in numbers]
        return pairs_of_keys(own, limits, bits)

    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda own: looked_up(own, rows), alike)
        of_sample = {part.name: part for own in found for part in own}
        by_key = dict(zip(chain(*beside.values()), chain(*pool.map(pairs, beside.values())), strict=True))
    per_key = [by_key[k] for k in range(len(keys))]
    union = distinct(np.concatenate(per_key)) if per_key else np.empty(0, np.uint64)
    low = (np.uint64(1) << np.uint64(bits)) - np.uint64(1)
    left, right = rows[(union >> np.uint64(bits)).astype(np.int64)], rows[(union & low).astype(np.int64)]
    # chance pairs of the whole file are what a key must beat; how common relations are is not known yet
    relations = tuple(replace(one, rate=one.rate * share) for one in model.relations)
    scaled = replace(model, match_rate=model.match_rate * share, relations=relations)
    likely = match_weights(scaled, compare(columns[0], columns[1], (left, right))) >= _LIKELY
    if not likely.any():
        return list(keys[:MOST_KEYS])
    return _cover(rules, keys, [np.searchsorted(union, pairs) for pairs in per_key], likely)


def _alike(parts: Iterable[Part]) -> list[list[Part]]:
    """The parts that have codes and values in common, side by side."""
    found: dict[tuple[int, int], list[Part]] = {}
    for part in parts:
        found.setdefault((id(part.codes), id(part.values)), []).append(part)
    return list(found.values())


def sampled_rows(profiles: int, most: int) -> Array:
    """Row numbers spread evenly over the file; content order has nothing to do with origin."""
    if profiles <= most:
        return np.arange(profiles, dtype=np.uint32)
    return (np.arange(most, dtype=np.uint64) * np.uint64(profiles) // np.uint64(most)).astype(np.uint32)


def _cover(rules: Blocking, keys: Sequence[Key], found: Sequence[Array], likely: Array) -> list[Key]:
    """Lazy greedy cover: the key with the most uncovered likely matches per new pair comes next."""
    chosen = [k for k, key in enumerate(keys) if key.always]
    covered = np.zeros(len(likely), bool)
    for k in chosen:
        covered[found[k]] = True
    total, left = int(likely.sum()), list(found)
    waiting = [k for k in range(len(keys)) if k not in set(chosen)]
    while waiting and len(chosen) < MOST_KEYS:
        gains = []
        for k in waiting:
            new = left[k] = left[k][~covered[left[k]]]
            matches = int(likely[new].sum())
            if matches * rules.worth_matches >= total and matches and matches * rules.worth_pairs >= len(new):
                gains.append((matches / max(len(new), 1), matches, -k))
        if not gains:
            break
        best = -max(gains)[2]
        chosen.append(best)
        covered[found[best]] = True
        waiting = [-k for _, _, k in gains if -k != best]
    return [keys[k] for k in chosen]
