"""Which pairs are evidence enough for a merge without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.parameters import BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array
    from resolver.model.rule_set import Thresholds


def guarded(
    columns: Sequence[Column], parameters: Parameters, bytes_: Array, thresholds: Thresholds
) -> Array:
    """Pairs with strong evidence of enough different kinds, and with nothing that speaks against them.

    Their match weight is not looked at here.
    """
    kinds: dict[str, Array] = {}
    contradicted = np.zeros(bytes_.shape[1], bool)
    for k, column in enumerate(columns):
        rules = column.comparison
        table = parameters.tables[k] * BITS
        byte = bytes_[k]
        if rules.contradicts_below is not None:
            contradicted |= (byte > 0) & (byte < 1 + rules.index(rules.contradicts_below))
        if rules.strong_from is not None:
            strong = (byte >= 1 + rules.index(rules.strong_from)) & (table[byte] >= thresholds.strong)
            kinds[rules.evidence] = kinds.get(rules.evidence, np.zeros(len(byte), bool)) | strong
    enough = (
        np.sum([*kinds.values()], axis=0) >= thresholds.kinds if kinds else np.zeros(bytes_.shape[1], bool)
    )
    return enough & ~contradicted
