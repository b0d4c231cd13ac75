"""How wrong a batch could be: exact one-sided 95 % bounds, rounded so that they never promise too much."""

from __future__ import annotations

import math
from typing import Final

from scipy.special import betaincinv  # scipy.stats would double the time in which every command starts

CONFIDENCE: Final = 0.95


def wrong_at_most(looks: int, wrong: int) -> float:
    """The upper Clopper-Pearson bound on the share of wrong merges after that many random looks.

    1 without any.
    """
    if wrong >= looks:
        return 1.0
    return float(betaincinv(wrong + 1, looks - wrong, CONFIDENCE))


def agreement_at_least(pairs: int, agreed: int) -> float:
    """The lower Clopper-Pearson bound on the share of agreement."""
    if agreed == 0:
        return 0.0
    return float(betaincinv(agreed, pairs - agreed + 1, 1 - CONFIDENCE))


def looks_needed(gate: float, wrong: int = 0) -> int:
    """The fewest random looks whose bound is at or under the gate when that many of them are wrong."""
    low, high = wrong, max(2 * wrong, 1)
    while wrong_at_most(high, wrong) > gate:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wrong_at_most(middle, wrong) <= gate else (middle, high)
    return high


def wrong_among(total: int, looks: int) -> int:
    """The most wrong clusters among ``total`` that leave ``looks`` clean random looks at least a 5 % chance.

    Exact, without replacement (hypergeometric): this batch alone, nothing pooled.
    """
    possible = (k for k in range(total - looks, -1, -1) if _clean(total, looks, k) >= 1 - CONFIDENCE)
    return next(possible, 0)


def percent_up(share: float) -> str:
    """A bound as it is printed: two decimals, never below the share itself."""
    return f"{math.ceil(share * 10_000 - 1e-9) / 100:.2f} %"


def percent_down(share: float) -> str:
    """A share of agreement as it is printed: whole percent, never above the share itself."""
    return f"{math.floor(share * 100 + 1e-9)} %"


def _clean(total: int, looks: int, wrong: int) -> float:
    return math.comb(total - wrong, looks) / math.comb(total, looks)
