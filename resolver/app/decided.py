"""What people's decisions say of a run: which contradict each other, and how right the model is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.exploring import by_threshold

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.linkage import Linkage
    from resolver.model.rule_set import Thresholds


def describe_decisions(
    linkage: Linkage, profiles: pl.DataFrame, decisions: pl.DataFrame, thresholds: Thresholds
) -> dict[str, Any]:
    """For report.json: counts, profiles whose decisions contradict each other, and precision by decisions.

    ``precision`` has a row for the thresholds ``match`` and ``merge``: of the decided pairs whose own match
    weight is at or above it, how many people call matches, with the exact 95 % interval. People decide what
    they are shown: that is no random sample, and the figures are of the decided pairs only.
    """
    told = linkage.diagnostics
    bars = {"match": thresholds.match, "merge": thresholds.merge}
    rows = []
    if linkage.parameters is not None and decisions.height:
        rows = by_threshold(linkage, profiles, decisions, list(bars.values())).to_dicts()
    shown = ("decided", "precision", "precision_low", "precision_high")
    return {
        "pairs": decisions.height,
        "about_absent_profiles": int(told.get("decisions_about_absent_profiles", 0)),
        "contradicted": list(told.get("decisions_contradicted", ())),
        "precision": [
            {"threshold": name, **{key: row[key] for key in shown}}
            for name, row in zip(bars, rows, strict=False)
            if row["decided"]
        ],
    }
