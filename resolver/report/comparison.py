"""Two runs side by side: clusters, bands of pairs, pairs by blocking rule. Profile ids and counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.report.figures import read_table
from resolver.report.lineage import FORMER, trace
from resolver.report.text import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: A pair that one run did not keep: never a candidate there, or far below even odds.
ABSENT: Final = "absent"
_SIDES: Final = ["profile_id_left", "profile_id_right"]
_EXAMPLES: Final = 5


def compare_runs(before: Path, after: Path) -> dict[str, Any]:
    """What became of each cluster of ``before`` in ``after``, and of each pair's band; directories of runs.

    A profile that only one of them holds is a newcomer or gone. Both may be of ``run`` or of ``match``.

    Raises:
        BadFile: a directory holds no run.
    """
    clusters = read_table(before, "clusters.parquet"), read_table(after, "clusters.parquet")
    pairs = read_table(before, "pairs.parquet"), read_table(after, "pairs.parquet")
    lineage = trace(_former(clusters[0]), clusters[1], "after")
    changed = lineage.clusters.filter(pl.col("change").is_in(["joined", "split"])).sort(
        "change", "cluster_id"
    )
    return {
        "profiles": {"before": clusters[0].height, "after": clusters[1].height},
        "clusters": lineage.counts,
        "examples": {
            change: changed.filter(pl.col("change") == change)["cluster_id"].head(_EXAMPLES).to_list()
            for change in ("joined", "split")
        },
        "bands_moved": _moved(*pairs),
        "pairs_by_blocking_rule": _by_rule(*pairs),
    }


def render_comparison(told: Mapping[str, Any]) -> str:
    """The comparison as text."""
    return "\n".join(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    profiles = told["profiles"]
    yield line("Profiles", f"{profiles['before']:,} → {profiles['after']:,}")
    for change, count in told["clusters"].items():
        if count:
            examples = ", ".join(told["examples"].get(change, ()))
            yield line(f"  {change}", f"{count:,} clusters" + (f", e.g. {examples}" if examples else ""))
    yield line("Pairs that moved", "from a band to another" if told["bands_moved"] else "none")
    for move, count in told["bands_moved"].items():
        yield line("", f"{move}: {count:,}")
    yield line("Pairs by rule", "before → after")
    for rule, counts in told["pairs_by_blocking_rule"].items():
        yield line("", f"{rule}: {counts['before']:,} → {counts['after']:,}")


def _former(clusters: pl.DataFrame) -> pl.DataFrame:
    shared = clusters.filter(pl.col("size") > 1)
    former = shared.select(
        "profile_id", today_id="profile_id", persistent_id="cluster_id", present=pl.lit(value=True)
    )
    return former.match_to_schema(FORMER)


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, int]:
    """``merge → review`` and so on: how many pairs; those that stayed are left out."""
    both = _bands(before, "before").join(_bands(after, "after"), on=_SIDES, how="full", coalesce=True)
    filled = both.with_columns(pl.col("before", "after").cast(pl.String).fill_null(ABSENT))
    moved = filled.filter(pl.col("before") != pl.col("after"))
    counted = moved.group_by("before", "after").len().sort("before", "after")
    return {f"{was} → {now}": count for was, now, count in counted.iter_rows()}


def _bands(pairs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Each pair once, the smaller id first: rows, not ids, decide which side is left in a run."""
    low, high = (f(_SIDES) for f in (pl.min_horizontal, pl.max_horizontal))
    return pairs.select(low.alias(_SIDES[0]), high.alias(_SIDES[1]), pl.col("band").alias(name))


def _by_rule(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Scored pairs by the rule that found them first; "decided" where only a person's verdict did."""
    counted = [
        dict(p.group_by(pl.col("blocking_rule").fill_null("decided")).len().iter_rows())
        for p in (before, after)
    ]
    rules = sorted(counted[0].keys() | counted[1].keys())
    return {rule: {"before": counted[0].get(rule, 0), "after": counted[1].get(rule, 0)} for rule in rules}
