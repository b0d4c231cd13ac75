"""Which pairs are evidence enough for a merge without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.parameters import BITS
from resolver.matching.scoring import Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array
    from resolver.model.rule_set import Thresholds


def guarded(
    columns: Sequence[Column],
    parameters: Parameters,
    pairs: tuple[Array, Array | None],
    thresholds: Thresholds,
) -> Array:
    """Pairs with strong evidence of enough different kinds. Neither weight nor contradictions count here.

    ``pairs`` are their bytes and strata.
    """
    bytes_, stratum = pairs
    tables = Tables.of(parameters).columns
    kinds: dict[str, Array] = {}
    for k, column in enumerate(columns):
        rules = column.comparison
        if rules.strong_from is not None:
            byte = bytes_[k]
            weight = (tables[k][0][byte] if stratum is None else tables[k][stratum, byte]) * BITS
            strong = (byte >= 1 + rules.index(rules.strong_from)) & (weight >= thresholds.strong)
            kinds[rules.evidence] = kinds.get(rules.evidence, np.zeros(len(byte), bool)) | strong
    if not kinds:
        return np.zeros(bytes_.shape[1], bool)
    enough: Array = np.sum([*kinds.values()], axis=0) >= thresholds.kinds
    return enough


def contradictions(columns: Sequence[Column], bytes_: Array, sides: tuple[Array, Array]) -> Array:
    """Pairs in which a field speaks against a merge without a person.

    It differs, or stands on one side only where the rule set says that this bars (Jr: father and son).
    """
    against = np.zeros(bytes_.shape[1], bool)
    for k, column in enumerate(columns):
        rules = column.comparison
        if rules.contradicts_below is not None:
            against |= (bytes_[k] > 0) & (bytes_[k] < 1 + rules.index(rules.contradicts_below))
        if rules.one_sided_bars:
            left, right = (column.known[side] for side in sides)
            against |= left != right
    return against


def part(label: Array, joins: tuple[Array, Array], barred: tuple[Array, Array]) -> Array:
    """Groups (a label per profile) without any pair that is barred from being together.

    Only groups that hold a barred pair change: their joins, in the given order, are made again unless that
    would bring a barred pair together.
    """
    left, right = barred
    inside = label[left] == label[right]
    if not inside.any():
        return label
    spoilt = np.unique(label[left[inside]])
    enemies: dict[int, set[int]] = {}
    for a, b in zip(left[inside].tolist(), right[inside].tolist(), strict=True):
        enemies.setdefault(a, set()).add(b)
        enemies.setdefault(b, set()).add(a)
    hit = np.zeros(int(label.max()) + 1, bool)
    hit[spoilt] = True
    affected = np.flatnonzero(hit[label])
    group = {row: ({row}, enemies.get(row, set()).copy()) for row in affected.tolist()}
    again = hit[label[joins[0]]]
    # a loop over the few groups with a contradiction: each join depends on the ones before it
    for a, b in zip(joins[0][again].tolist(), joins[1][again].tolist(), strict=True):
        one, other = group[a], group[b]
        if one is other or not one[1].isdisjoint(other[0]):
            continue
        one[0].update(other[0])
        one[1].update(other[1])
        group.update(dict.fromkeys(other[0], one))
    out = label.copy()
    fresh = int(label.max()) + 1
    for row in affected.tolist():
        out[row] = fresh + min(group[row][0])
    return out
