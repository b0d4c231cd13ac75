"""What makes a cluster doubtful as a whole: one thin link that holds it, or contacts that people share."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import clustering as compiled
from resolver.compiled.library import there
from resolver.matching.clustering import bridges
from resolver.matching.components import components
from resolver.matching.pair_index import pack, unpack
from resolver.matching.sorting import dense_ranks

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.results import Membership
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

#: Evidence that several people, or a whole office, may have in common.
_SHARED_CONTACTS: Final = ("phone", "email")


def with_doubts(told: Membership, pairs: pl.DataFrame, rules: RuleSet) -> Membership:
    """With what makes clusters doubtful, the same for all profiles of a cluster.

    ``bridged``: of the links of at least even odds there is one below the merge threshold without which
    the others no longer connect the cluster, which has three profiles or more. ``shared``: the cluster falls
    apart without links that rest on a phone alone or on a mailbox alone; a link rests on more
    where all its other evidence together is strong (``thresholds.strong``, in bits).

    ``pairs`` is a SCORED_PAIRS frame of the same profiles.
    """
    left, right = (pairs[side].to_numpy() for side in ("left", "right"))
    weight = pairs["match_weight"].to_numpy()
    rows, place = _rows_of(len(told.named), left, right)
    left, right = place[left], place[right]
    label, _ = dense_ranks(told.named[rows])
    held = np.flatnonzero((label[left] == label[right]) & (weight >= 0))
    left, right, weight = left[held], right[held], weight[held]
    apart = _falls_apart(label, (left, right), ~_rests_on_contact(pairs, held, rules))
    bridged = _bridged(label, (left, right), weight >= rules.thresholds.merge)
    marks = np.zeros((2, len(told.named)), bool)  # no pair, no doubt: whoever shares a cluster has one in it
    marks[:, rows] = bridged[label], apart[label]
    return replace(told, bridged=marks[0], shared=marks[1])


def _rows_of(height: int, left: Array, right: Array) -> tuple[Array, Array]:
    """The rows that have a pair, and where each row stands among them."""
    there = np.zeros(height, bool)
    there[left] = True
    there[right] = True
    rows = np.flatnonzero(there)
    place = np.zeros(height, np.int64)
    place[rows] = np.arange(len(rows))
    return rows, place


def _falls_apart(label: Array, links: tuple[Array, Array], kept: Array) -> Array:
    """Clusters that all links connect and the kept ones do not."""
    left, right = links
    clusters = int(label.max(initial=-1)) + 1
    every, fewer = (
        _pieces(label, components(len(label), left[use], right[use]), clusters)
        for use in (np.ones(len(left), bool), kept)
    )
    return fewer > every


def _pieces(label: Array, part: Array, clusters: int) -> Array:
    """Into how many parts each cluster falls; parts are numbered as ``components`` does."""
    most = np.maximum.accumulate(part)
    first = np.flatnonzero(np.diff(most, prepend=-1))
    return np.bincount(label[first], minlength=clusters)


def _rests_on_contact(pairs: pl.DataFrame, held: Array, rules: RuleSet) -> Array:
    """Which of the ``held`` pairs have evidence for them in a phone alone or a mailbox alone."""
    kinds = {c.name: c.evidence for c in rules.comparisons}
    totals = {kind: np.zeros(len(held)) for kind in (*_SHARED_CONTACTS, "other")}
    for column in pairs.columns:
        if column.endswith("_weight") and column != "match_weight":
            kind = kinds.get(column.removesuffix("_weight"), "other")
            kind = kind if kind in _SHARED_CONTACTS else "other"
            totals[kind] += np.maximum(pairs[column].to_numpy()[held], 0)
    alone = np.zeros(len(held), bool)
    for kind in _SHARED_CONTACTS:
        rest = np.sum([total for name, total in totals.items() if name != kind], axis=0)
        alone |= (totals[kind] > 0) & (rest < rules.thresholds.strong)
    return alone


def _bridged(label: Array, links: tuple[Array, Array], tight: Array) -> Array:
    """Clusters that a link which is not tight holds together alone."""
    left, right = links
    found = np.zeros(int(label.max(initial=-1)) + 1, bool)
    sizes = np.bincount(label, minlength=len(found))
    part = components(len(label), left[tight], right[tight])
    loose = np.flatnonzero((part[left] != part[right]) & (sizes[label[left]] > 2))  # noqa: PLR2004 - a pair has one link
    if not len(loose):
        return found
    ends = pack(np.minimum(part[left], part[right])[loose], np.maximum(part[left], part[right])[loose])
    words, first, times = np.unique(ends, return_index=True, return_counts=True)
    found[label[left[loose]][first[_bridges(words, times == 1)]]] = True
    return found


def _bridges(words: Array, once: Array) -> Array:
    """Which links (sorted words of two parts) no other link could replace; only those that stand ``once``."""
    nodes, end = np.unique(np.concatenate(unpack(words)), return_inverse=True)
    a, b = end[: len(words)], end[len(words) :]
    if there():
        return once & compiled.bridges(len(nodes), a, b)
    piece = components(len(nodes), a, b)
    within = piece[a]
    cycles = np.bincount(within, minlength=len(nodes)) + 1 - np.bincount(piece, minlength=len(nodes))
    out = once & (cycles[within] == 0)  # every link of a tree is a bridge
    rest = np.flatnonzero(cycles[within] > 0)
    rest = rest[np.argsort(within[rest], kind="stable")]
    # graphs with a cycle are rare: each of them is looked at on its own
    for own in np.split(rest, np.flatnonzero(np.diff(within[rest])) + 1) if len(rest) else []:
        names = [(f"{x}", f"{y}") for x, y in zip(a[own].tolist(), b[own].tolist(), strict=True)]
        kept = {frozenset(bridge) for bridge in bridges(names)}
        out[own] = once[own] & np.array([frozenset(name) in kept for name in names])
    return out
