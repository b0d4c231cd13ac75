"""What makes a cluster doubtful as a whole: one thin link that holds it, or contacts that people share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.clustering import bridges
from resolver.matching.components import components

if TYPE_CHECKING:
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

#: Evidence that several people, or a whole office, may have in common.
_SHARED_CONTACTS: Final = ("phone", "email")


def with_doubts(clusters: pl.DataFrame, pairs: pl.DataFrame, rules: RuleSet) -> pl.DataFrame:
    """The CLUSTERS frame with two more columns, the same for all profiles of a cluster.

    ``bridge_held``: of the links of at least even odds there is one below the merge threshold without which
    the others no longer connect the cluster, which has three profiles or more. ``shared_contact_only``: the
    cluster falls apart without links that rest on a phone alone or on a mailbox alone; a link rests on more
    where all its other evidence together is strong (``thresholds.strong``, in bits).

    ``pairs`` is a SCORED_PAIRS frame whose rows are those of ``clusters``.
    """
    label = clusters["cluster_id"].rank("dense").to_numpy().astype(np.int64) - 1
    left, right = (pairs[side].to_numpy().astype(np.int64) for side in ("left", "right"))
    weight = pairs["match_weight"].to_numpy()
    held = np.flatnonzero((label[left] == label[right]) & (weight >= 0))
    left, right, weight = left[held], right[held], weight[held]
    apart = _falls_apart(label, (left, right), ~_rests_on_contact(pairs[held.tolist()], rules))
    bridged = _bridged(label, (left, right), weight >= rules.thresholds.merge)
    return clusters.with_columns(
        bridge_held=pl.Series(bridged[label]), shared_contact_only=pl.Series(apart[label])
    )


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
    """Into how many parts each cluster falls."""
    _, first = np.unique(part, return_index=True)
    return np.bincount(label[first], minlength=clusters)


def _rests_on_contact(pairs: pl.DataFrame, rules: RuleSet) -> Array:
    """Pairs with evidence for them in a phone alone or a mailbox alone."""
    kinds = {c.name: c.evidence for c in rules.comparisons}
    totals = dict.fromkeys((*_SHARED_CONTACTS, "other"), np.zeros(pairs.height))
    for column in pairs.columns:
        if column.endswith("_weight") and column != "match_weight":
            kind = kinds.get(column.removesuffix("_weight"), "other")
            kind = kind if kind in _SHARED_CONTACTS else "other"
            totals[kind] = totals[kind] + np.maximum(pairs[column].to_numpy(), 0)
    alone = np.zeros(pairs.height, bool)
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
    ends = np.sort(np.stack([part[left[loose]], part[right[loose]]]), axis=0)
    of = label[left[loose]]
    count = np.bincount(of, minlength=len(found))
    found[count == 1] = True
    # several loose links in one cluster are few: each small graph is looked at on its own
    for cluster in np.flatnonzero(count > 1).tolist():
        pairs, times = np.unique(ends[:, of == cluster], axis=1, return_counts=True)
        links_of = [(f"{min(ends)}", f"{max(ends)}") for ends in pairs.T.tolist()]
        once = {frozenset(link) for link, n in zip(links_of, times.tolist(), strict=True) if n == 1}
        found[cluster] = any(frozenset(bridge) in once for bridge in bridges(links_of))
    return found
