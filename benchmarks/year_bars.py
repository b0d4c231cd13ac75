"""The bars of the simulated year (bench_weeks.py): what its table must show, and verdicts on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Share of the variance of the ledger's sizes that a straight line has to explain.
LINE = 0.95


@dataclass(frozen=True)
class Growth:
    """The ledger: KiB a run by a straight line, what that explains of its sizes, KiB a run by quarter."""

    slope: float
    explained: float
    quarters: tuple[float, ...]

    @classmethod
    def of(cls, sizes: Sequence[int]) -> Growth:
        """Sizes in KiB, a run each; at least two."""
        runs, held = np.arange(len(sizes)), np.asarray(sizes, float)
        slope, start = np.polyfit(runs, held, 1)
        spread = float(((held - held.mean()) ** 2).sum())
        missed = float(((held - start - slope * runs) ** 2).sum())
        at = np.linspace(0, len(sizes) - 1, min(len(sizes), 5)).round().astype(int)
        quarters = np.diff(held[at]) / np.diff(at)
        return cls(float(slope), 1 - missed / spread if spread else 1.0, tuple(quarters.tolist()))

    @property
    def linear(self) -> bool:
        """Whether a straight line tells it."""
        return self.explained >= LINE and max(self.quarters) <= 2 * max(self.slope, 1.0)


@dataclass(frozen=True)
class Bar:
    """What the year was to keep, what was seen, and whether that keeps it."""

    name: str
    seen: str
    kept: bool


def bars_of(rows: Sequence[Mapping[str, Any]], asked_again: int, ids_lost: int) -> list[Bar]:
    """The verdicts on a year's table."""
    bad = [row for row in rows if row["week"].endswith("bad")]
    others = [row["week"] for row in rows if row["state"] == "held" and row not in bad]
    merged = sum(row["merged"] for row in bad)
    asked = sum(row["asked"] for row in rows)
    with_past = sum(row["kept"] + row["grown"] + row["joined"] + row["split"] for row in rows)
    ledger = Growth.of([row["ledger KiB"] for row in rows])
    by_quarter = ", ".join(f"{quarter:.1f}" for quarter in ledger.quarters)
    return [
        Bar(
            "the bad week is held",
            ", ".join(f"{row['week']} {row['state']}, {row['merged']} merged" for row in bad) or "none",
            bool(bad) and all(row["state"] == "held" for row in bad) and not merged,
        ),
        Bar("no other week is held", ", ".join(others) or "none", not others),
        Bar(
            "nothing unchanged is asked twice",
            f"{asked_again} of {asked} questions",
            0 == asked_again < asked,
        ),
        Bar("clusters keep their ids", f"{ids_lost} of {with_past} lost", 0 == ids_lost < with_past),
        Bar(
            "the ledger grows in a straight line",
            f"{ledger.slope:.1f} KiB a run, {ledger.explained:.1%} explained; by quarter {by_quarter}",
            ledger.linear,
        ),
    ]
