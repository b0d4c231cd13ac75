"""The engine's answer as frames: row numbers inside become rows and ids of the PROFILES frame."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.compiled import gathering, library, texts
from resolver.matching.comparison import level_of
from resolver.matching.components import components, first_rows, weakest_links
from resolver.matching.evidence import ASKED_FOR
from resolver.matching.guard import contradicting, guarded, one_sided, part
from resolver.matching.lookups import look_up, of_one
from resolver.matching.pair_index import order_of_pairs
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
    from resolver.model.rule_set import Thresholds

#: Pairs below this many bits that share no cluster are not shown: there are millions, and they say nothing.
SHOWN_FROM: Final = -10.0
#: Decimals of a weight (bits) that rank pairs; further ones are of rounding, and the order of rows decides.
_TIED: Final = 6

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


@dataclass(frozen=True, eq=False)
class Membership:
    """What CLUSTERS says of each profile, in the order of the file.

    ``named`` and ``core`` are the rows of the profiles whose ids name its cluster and its core; ``size``,
    ``weakest`` (bits, NaN for one alone), ``contested``, ``band`` (its place in BANDS), ``bridged`` and
    ``shared`` (see ``with_doubts``) are those of its cluster.
    """

    named: Array
    core: Array
    size: Array
    weakest: Array
    contested: Array
    band: Array
    bridged: Array
    shared: Array


def cores(rules: Thresholds, view: View, scored: Scored, constraints: Constraints) -> Array:
    """Members held together by guarded pairs inside clusters at the merge cut; a first row per profile.

    No two members of a core contradict each other, though others may link them, unless people joined them.
    """
    left, right = scored.evidence.sides
    close = scored.clusters[MERGE_CUT]

    differ = contradicting(view.columns, scored.evidence.bytes_)

    def against(at: Array) -> Array:
        sides = left[at], right[at]
        barred = differ[at] | one_sided(view.columns, sides)
        if constraints.contradicted.any():
            barred |= constraints.contradicted[sides[0]] | constraints.contradicted[sides[1]]
        return barred

    at = np.flatnonzero((scored.weight >= rules.merge) & of_one(close, (left, right)))
    at = at[~against(at)]
    pairs = scored.evidence.bytes_, view.strata.of((left[at], right[at])), at
    at = at[guarded(view.columns, view.model, pairs, rules)]
    at = at[np.argsort(-np.round(scored.weight[at], _TIED), kind="stable")]
    joined_left, joined_right = constraints.sides_joined()
    joins = (np.concatenate([joined_left, left[at]]), np.concatenate([joined_right, right[at]]))
    label = components(len(close), *joins)
    inside = np.flatnonzero(of_one(label, (left, right)))
    inside = inside[against(inside)]
    barred = inside[~constraints.together(left[inside], right[inside])]
    return first_rows(part(label, joins, (left[barred], right[barred])))


def pair_frame(answer: Answer) -> pl.DataFrame:
    """SCORED_PAIRS of the pairs near or above even odds and of all pairs inside review clusters."""
    evidence, weight = answer.scored.evidence, answer.scored.weight
    key_names = answer.candidates.names
    left, right = evidence.sides
    review = answer.scored.clusters[REVIEW]
    same = of_one(review, (left, right))
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
        bits = (tables[k] * BITS).astype(np.float32)
        if library.there():
            told = gathering.told(evidence.bytes_[k], at, stratum, (column.top, bits))
            frame[f"{column.name}_level"], frame[f"{column.name}_weight"] = told
            continue
        byte = evidence.bytes_[k, at]
        frame[f"{column.name}_level"] = level_of(column, byte)
        frame[f"{column.name}_weight"] = bits[0][byte] if stratum is None else bits[stratum, byte]
    return pl.DataFrame(frame)


def membership_of(ids: pl.Series, rules: Thresholds, answer: Answer) -> Membership:
    """What was concluded about each profile of the answer, in the order of ``ids``; no doubts yet.

    A cluster is named by its smallest profile id.
    """
    cluster, order = answer.scored.clusters[MATCH], answer.order
    with ThreadPoolExecutor(1) as pool:  # ids are compared while the rest is looked up
        smallest = pool.submit(_smallest_ids, [cluster, answer.core], ids, order)
        size = np.bincount(cluster, minlength=len(cluster)).astype(np.uint32)[cluster]
        core_size = np.bincount(answer.core, minlength=len(cluster)).astype(np.uint32)[answer.core]
        found = {
            "size": size,
            "weakest": _weakest_links(answer),
            "contested": _contested(rules, answer),
            "band": np.where(size == 1, 0, np.where(core_size == size, 2, 1)).astype(np.uint8),
        }
        found["named"], found["core"] = smallest.result()
    back = np.empty(len(order), np.uint32)
    back[order] = np.arange(len(order), dtype=np.uint32)
    none = np.zeros(len(order), bool)
    told = {name: look_up(values, back) for name, values in found.items()}
    return Membership(**told, bridged=none, shared=none)


def cluster_frame(ids: pl.Series, told: Membership) -> pl.DataFrame:
    """CLUSTERS in the order of the profiles, with their clusters' doubts."""
    return pl.DataFrame(
        {
            "cluster_id": ids.gather(told.named),
            "profile_id": ids.alias("profile_id"),
            "core_id": ids.gather(told.core),
            "size": told.size,
            "weakest_link": pl.Series(told.weakest).fill_nan(None),
            "contested": told.contested,
            "band": pl.Series(BANDS, dtype=Band).gather(told.band),
            "bridge_held": told.bridged,
            "shared_contact_only": told.shared,
        }
    )


def doubted(clusters: pl.DataFrame, told: Membership) -> pl.DataFrame:
    """CLUSTERS with doubts that were found out after it was made."""
    return clusters.with_columns(
        pl.Series("bridge_held", told.bridged), pl.Series("shared_contact_only", told.shared)
    )


def _smallest_ids(groupings: Sequence[Array], ids: pl.Series, order: Array) -> list[Array]:
    """Where the smallest id of each profile's group stands in ``ids``, per grouping (a number per profile).

    ``order[k]`` is where profile k of the groupings stands there.
    """
    shared = np.zeros(len(order), bool)
    for group in groupings:
        shared |= np.bincount(group, minlength=len(order))[group] > 1
    if texts.taken(ids):
        places = [order.astype(np.uint32) for _ in groupings]
        for group, place in zip(groupings, places, strict=True):
            texts.smallest_of_groups(ids, order, group, (place, shared))
        return places
    many = np.flatnonzero(shared)
    falling = many[ids.gather(order[many]).arg_sort(descending=True).to_numpy()]
    out = []
    for group in groupings:
        first = np.empty(len(order), np.int64)
        first[group[falling]] = order[falling]  # the last to be written stays
        smallest = order.astype(np.uint32)
        smallest[many] = first[group[many]]
        out.append(smallest)
    return out


def _weakest_links(answer: Answer) -> Array:
    """The smallest weight (bits) on each profile's cluster's strongest spanning tree; NaN if single."""
    cluster = answer.scored.clusters[MATCH]
    left, right = answer.scored.evidence.sides
    at = np.flatnonzero(of_one(cluster, (left, right)))
    return weakest_links(cluster, (left[at], right[at], answer.scored.weight[at]))


def _contested(rules: Thresholds, answer: Answer) -> Array:
    """Clusters with a pair across their border that a match would carry, or with contradictory decisions."""
    cluster = answer.scored.clusters[MATCH]
    left, right = answer.scored.evidence.sides
    across = ~of_one(cluster, (left, right)) & (answer.scored.weight >= rules.match)
    marked = np.zeros(len(cluster), bool)
    marked[cluster[left[across]]] = True
    marked[cluster[right[across]]] = True
    marked[cluster[answer.constraints.contradicted]] = True
    return marked[cluster]
