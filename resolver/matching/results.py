"""The engine's answer as frames: row numbers inside become rows and ids of the PROFILES frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.comparison import level_of
from resolver.matching.components import components, first_rows, weakest_links
from resolver.matching.evidence import ASKED_FOR
from resolver.matching.guard import contradictions, guarded, part
from resolver.matching.pair_index import order_of_pairs, unpack
from resolver.matching.parameters import BITS
from resolver.matching.scoring import Tables
from resolver.model.frames import BANDS, Band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.blocking import Candidates
    from resolver.matching.constraints import Constraints
    from resolver.matching.parameters import Parameters
    from resolver.matching.passes import Scored, View
    from resolver.matching.standardising.context import Context
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet, Thresholds

#: Pairs below this many bits that share no cluster are not shown: there are millions, and they say nothing.
SHOWN_FROM: Final = -10.0

#: The cuts of the last pass, in the order of ``Answer.clusters``.
MERGE_CUT, MATCH, REVIEW = range(3)


@dataclass(frozen=True, eq=False)
class Learned:
    """What the first pass began with, beside the last view: enough to do the last pass over again.

    ``bins`` and ``model`` say which candidates are hopeless; ``fields`` are those that order the profiles, by
    ``hashes`` (see ``content_hashes``; in the order of the PROFILES frame).
    """

    bins: tuple[Array, ...]
    model: Parameters
    fields: tuple[str, ...]
    context: Context
    hashes: Array


@dataclass(frozen=True, eq=False)
class Answer:
    """All that the passes concluded, in content order; ``order[row]`` is the row in PROFILES.

    ``core`` is the first row of the members that a merge without a person may hold together.
    """

    order: Array
    view: View
    scored: Scored
    constraints: Constraints
    core: Array
    candidates: Candidates
    learned: Learned

    def candidate_rows(self) -> tuple[Array, Array]:
        """The pairs that blocking found, as rows of the PROFILES frame."""
        left, right = unpack(self.candidates.words)
        return self.order[left], self.order[right]


def cores(rules: Thresholds, view: View, scored: Scored, constraints: Constraints) -> Array:
    """Members held together by guarded pairs inside clusters at the merge cut; a first row per profile.

    No two members of a core contradict each other, though others may link them, unless people joined them.
    """
    left, right = scored.evidence.sides
    close = scored.clusters[MERGE_CUT]

    def against(at: Array) -> Array:
        sides = left[at], right[at]
        barred = contradictions(view.columns, scored.evidence.bytes_[:, at], sides)
        return barred | constraints.contradicted[sides[0]] | constraints.contradicted[sides[1]]

    at = np.flatnonzero((scored.weight >= rules.merge) & (close[left] == close[right]))
    at = at[~against(at)]
    pairs = scored.evidence.bytes_[:, at], view.strata.of((left[at], right[at]))
    at = at[guarded(view.columns, view.model, pairs, rules)]
    at = at[np.argsort(-scored.weight[at], kind="stable")]
    joined_left, joined_right = constraints.sides_joined()
    joins = (np.concatenate([joined_left, left[at]]), np.concatenate([joined_right, right[at]]))
    label = components(len(close), *joins)
    inside = np.flatnonzero(label[left] == label[right])
    inside = inside[against(inside)]
    barred = inside[~constraints.together(left[inside], right[inside])]
    return first_rows(part(label, joins, (left[barred], right[barred])))


def pair_frame(answer: Answer) -> pl.DataFrame:
    """SCORED_PAIRS of the pairs near or above even odds and of all pairs inside review clusters."""
    evidence, weight = answer.scored.evidence, answer.scored.weight
    key_names = answer.candidates.names
    left, right = evidence.sides
    review = answer.scored.clusters[REVIEW]
    same = review[left] == review[right]
    at = np.flatnonzero(same | (weight >= SHOWN_FROM))
    a, b = answer.order[left[at]].astype(np.uint32), answer.order[right[at]].astype(np.uint32)
    sorted_ = order_of_pairs(np.minimum(a, b), np.maximum(a, b))
    at, a, b = at[sorted_], a[sorted_], b[sorted_]
    left, right, weight = left[at], right[at], weight[at]
    band = np.where(answer.core[left] == answer.core[right], 2, np.where(same[at], 1, 0))
    names = pl.Series([*key_names, "inside a component"])
    key = np.where(evidence.key[at] == ASKED_FOR, len(key_names), evidence.key[at])
    frame: dict[str, pl.Series | Array] = {
        "left": np.minimum(a, b),
        "right": np.maximum(a, b),
        "match_weight": weight,
        "match_probability": 1 / (1 + np.exp2(-np.clip(weight, -1000, 1000))),
        "band": pl.Series(BANDS, dtype=Band).gather(band),
        "blocking_rule": names.cast(pl.Enum(names.unique().sort())).gather(key),
    }
    tables = Tables.of(answer.view.model).columns
    stratum = answer.view.strata.of((left, right))
    for k, column in enumerate(answer.view.columns):
        byte = evidence.bytes_[k, at]
        frame[f"{column.name}_level"] = level_of(column, byte)
        bits = (tables[k] * BITS).astype(np.float32)
        frame[f"{column.name}_weight"] = bits[0][byte] if stratum is None else bits[stratum, byte]
    return pl.DataFrame(frame)


def cluster_frame(ids: pl.Series, rules: RuleSet, answer: Answer) -> pl.DataFrame:
    """CLUSTERS in the order of the profiles. A cluster is named by its smallest profile id."""
    cluster = answer.scored.clusters[MATCH]
    order = answer.order
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    size = np.bincount(cluster, minlength=len(cluster))[cluster]
    core_size = np.bincount(answer.core, minlength=len(cluster))[answer.core]
    weakest = _weakest_links(answer)
    band = np.where(size == 1, 0, np.where(core_size == size, 2, 1)).astype(np.uint8)
    cluster_ids, core_ids = _smallest_ids([cluster, answer.core], ids, order)
    return pl.DataFrame(
        {
            "cluster_id": cluster_ids,
            "profile_id": ids.alias("profile_id"),
            "core_id": core_ids,
            "size": size.astype(np.uint32)[back],
            "weakest_link": pl.Series(weakest[back]).fill_nan(None),
            "contested": _contested(rules.thresholds, answer)[back],
            "band": pl.Series(BANDS, dtype=Band).gather(band[back]),
        }
    )


def _smallest_ids(groupings: Sequence[Array], ids: pl.Series, order: Array) -> list[pl.Series]:
    """For each grouping (a number per profile) the smallest profile id of each profile's group.

    ``order[k]`` is where profile k of the groupings stands among the ids.
    """
    shared = np.zeros(len(ids), bool)
    for group in groupings:
        shared |= np.bincount(group, minlength=len(ids))[group] > 1
    many = np.flatnonzero(shared)
    falling = many[ids.gather(order[many]).arg_sort(descending=True).to_numpy()]
    out = []
    for group in groupings:
        smallest = np.arange(len(ids))
        first = np.empty(len(ids), np.int64)
        first[group[falling]] = order[falling]  # the last to be written stays
        smallest[order[many]] = first[group[many]]
        out.append(ids.gather(smallest))
    return out


def _weakest_links(answer: Answer) -> Array:
    """The smallest weight (bits) on each profile's cluster's strongest spanning tree; NaN if single."""
    cluster = answer.scored.clusters[MATCH]
    left, right = answer.scored.evidence.sides
    at = np.flatnonzero(cluster[left] == cluster[right])
    return weakest_links(cluster, (left[at], right[at], answer.scored.weight[at]))


def _contested(rules: Thresholds, answer: Answer) -> Array:
    """Clusters with a pair across their border that a match would carry, or with contradictory decisions."""
    cluster = answer.scored.clusters[MATCH]
    left, right = answer.scored.evidence.sides
    across = (cluster[left] != cluster[right]) & (answer.scored.weight >= rules.match)
    marked = np.zeros(len(cluster), bool)
    marked[cluster[left[across]]] = True
    marked[cluster[right[across]]] = True
    marked[cluster[answer.constraints.contradicted]] = True
    return marked[cluster]
