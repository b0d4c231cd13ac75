"""Which pairs are evidence enough for a merge without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.parameters import BITS, TABLE
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
    pairs: tuple[Array, Array | None, Array],
    thresholds: Thresholds,
) -> Array:
    """Pairs with strong evidence of enough different kinds. Neither weight nor contradictions count here.

    ``pairs`` are the bytes of all, the strata of those that are asked for, and the places of those.
    """
    bytes_, stratum, at = pairs
    tables = Tables.of(parameters).columns
    row = None if stratum is None else stratum.astype(np.intp) * TABLE
    kinds: dict[str, Array] = {}
    for k, column in enumerate(columns):
        rules = column.comparison
        if rules.strong_from is not None:
            telling = tables[k] * BITS >= thresholds.strong
            telling[:, : 1 + rules.index(rules.strong_from)] = False
            byte = np.take(bytes_[k], at)
            strong = np.take(telling, byte if row is None else row + byte)
            kinds[rules.evidence] = kinds[rules.evidence] | strong if rules.evidence in kinds else strong
    if not kinds:
        return np.zeros(len(at), bool)
    enough: Array = np.sum([*kinds.values()], axis=0) >= thresholds.kinds
    return enough


def contradicting(columns: Sequence[Column], bytes_: Array) -> Array:
    """Pairs in which a field differs that speaks against a merge without a person."""
    against = np.zeros(bytes_.shape[1], bool)
    for k, column in enumerate(columns):
        rules = column.comparison
        if rules.contradicts_below is not None:  # byte 0, unknown, is beyond them all
            against |= bytes_[k] - np.uint8(1) < np.uint8(rules.index(rules.contradicts_below))
    return against


def one_sided(columns: Sequence[Column], sides: tuple[Array, Array]) -> Array:
    """Pairs in which a field stands on one side only, and that bars (Jr: father and son)."""
    bars = np.zeros(len(sides[0]), bool)
    for column in columns:
        if column.comparison.one_sided_bars:
            left, right = (np.take(column.known, side) for side in sides)
            bars |= left != right
    return bars


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
