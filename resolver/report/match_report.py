"""The report of `resolver match`: what was found in a file, as text and as a page. Ids and counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.report.text import customer_lines, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Clusters of each band that a page lists, and ids that it shows of each; all are in clusters.csv.
MOST: Final = 50
_IDS: Final = 8
#: Columns of clusters.parquet that say why a person should look.
_DOUBTS: Final = {
    "contested": "somebody else is as near",
    "bridge_held": "falls apart without one single link",
    "shared_contact_only": "only a shared phone or mailbox speaks for it",
}


def render_match(told: Mapping[str, Any]) -> str:
    """The figures of match.json, a line each."""
    return "\n".join(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    pairs = told["pairs"]
    rules = told["rule_set"]
    yield line("Profiles", f"{told['profiles']:,}   rules {rules['name']} ({rules['fingerprint']})")
    columns = told["columns"]
    yield line("Fields", ", ".join(columns["fields"]) or "none by a name of the API")
    if columns["attributes"]:
        yield line("  as attributes", ", ".join(columns["attributes"]))
    yield line("Candidate pairs", f"{pairs['candidates']:,} ({pairs['per_profile']} a profile)")
    yield from customer_lines(told["clusters"])
    sizes = ", ".join(f"{count:,} of {size}" for size, count in told["clusters"]["by_size"].items())
    yield line("  sizes", sizes or "none of two or more")
    linked = told["linked"]
    why = f": {linked['why']}" if linked.get("why") else ""
    yield line("Looked at", {"full": "the whole file"}.get(linked["way"], linked["way"]) + why)
    seconds = sum(stage["seconds"] for stage in told["stages"])
    peak = max((stage["peak_mib"] for stage in told["stages"]), default=0)
    yield line("Took", f"{seconds:.1f} s, {peak:,} MiB at the peak")


def listed(clusters: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Clusters of two or more by band, those with the weakest evidence first, at most ``MOST`` of each.

    ``ids`` are the first few profiles, ``bits`` is the weakest link, ``doubts`` say why a person should look.
    """
    doubts = [name for name in _DOUBTS if name in clusters.columns]
    found = (
        clusters.filter(pl.col("size") > 1)
        .group_by("cluster_id", "band")
        .agg(
            pl.col("profile_id").sort().head(_IDS).alias("ids"),
            pl.col("size").first(),
            pl.col("weakest_link").min().alias("bits"),
            *(pl.col(name).any() for name in doubts),
        )
        .sort("bits", "cluster_id")
    )
    return {
        band: [
            row | {"doubts": [_DOUBTS[name] for name in doubts if row[name]]}
            for row in found.filter(pl.col("band") == band).head(MOST).iter_rows(named=True)
        ]
        for band in ("review", "merge")
    }
