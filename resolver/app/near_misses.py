"""Why a plan ends where it ends: the profiles outside it that were compared with its own, and what was found.

Reads what the run wrote; shows weights and ids, no values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from resolver.model.merge_plan import MergePlan

#: So many profiles outside a plan are told of, the nearest first.
TOLD: Final = 5
_WEIGHT: Final = "_weight"
#: Weights in bits below which a comparison is not worth a word.
_WORTH_A_WORD: Final = 0.05


def near_misses(directory: Path, plan: MergePlan) -> list[dict[str, Any]]:
    """The nearest profiles that the plan leaves out, by match weight, one entry a profile.

    Each with the member it was compared with (``profile_id``), its ``cluster_id``, ``match_weight`` and
    ``evidence`` (bits by comparison). Empty where the run's pairs are not there or none was compared.

    Raises:
        BadFile: pairs or clusters of the run are not readable.
    """
    path = directory / "pairs.parquet"
    if not path.exists():
        return []
    members = pl.Series(plan.profile_ids, dtype=pl.String).implode()
    left, right = pl.col("profile_id_left").is_in(members), pl.col("profile_id_right").is_in(members)
    try:
        pairs = pl.scan_parquet(path).filter(left != right).collect()
        clusters = pl.read_parquet(directory / "clusters.parquet", columns=["profile_id", "cluster_id"])
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: no pairs of a run there ({type(error).__name__})") from None
    inside = pl.when(left).then("profile_id_left").otherwise("profile_id_right")
    outside = pl.when(left).then("profile_id_right").otherwise("profile_id_left")
    nearest = (
        pairs.with_columns(inside.alias("profile_id"), outside.alias("outside"))
        .sort(["match_weight", "outside", "profile_id"], descending=[True, False, False])
        .unique("outside", keep="first", maintain_order=True)
        .head(TOLD)
        .join(clusters, left_on="outside", right_on="profile_id", how="left", maintain_order="left")
    )
    return [_entry(row) for row in nearest.iter_rows(named=True)]


def aws_only_reasons(directory: Path, plan_id: str) -> list[str]:
    """Why matching did not link the profiles of a plan that rests on GetMatches, from the run's report."""
    path = directory / "report.json"
    if not path.exists():
        return []
    try:
        told = json.loads(path.read_text(encoding="utf-8")).get("aws_only", [])
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: not a report of a run ({type(error).__name__})") from None
    return [f"{e['left'][:8]} and {e['right'][:8]}: {e['why_not']}" for e in told if e["plan_id"] == plan_id]


def render_near_misses(misses: Sequence[dict[str, Any]], reasons: Sequence[str]) -> str:
    """The same as text; blank where there is nothing to tell."""
    lines = []
    if misses:
        lines += ["", "left out, the nearest first (match weights in bits)"]
        lines += [f"  {_sentence(miss)}" for miss in misses]
    if reasons:
        lines += ["", "why matching did not link them", *(f"  {reason}" for reason in reasons)]
    return "\n".join(lines) + "\n" if lines else ""


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    evidence = {
        name.removesuffix(_WEIGHT): round(weight, 2)
        for name, weight in row.items()
        if name.endswith(_WEIGHT) and name != "match_weight" and weight is not None
    }
    return {
        "profile_id": row["profile_id"],
        "left_out": row["outside"],
        "cluster_id": row["cluster_id"],
        "match_weight": round(row["match_weight"], 2),
        "band": row["band"],
        "evidence": {k: w for k, w in evidence.items() if abs(w) >= _WORTH_A_WORD},
    }


def _sentence(miss: dict[str, Any]) -> str:
    ranked = sorted(miss["evidence"].items(), key=lambda entry: -entry[1])
    speaks = [f"{name} {weight:+.1f}" for name, weight in ranked if weight > 0]
    against = [f"{name} {weight:+.1f}" for name, weight in reversed(ranked) if weight < 0]
    return (
        f"{miss['left_out'][:8]} and {miss['profile_id'][:8]}: {miss['match_weight']:+.1f}, {miss['band']}; "
        f"for it {', '.join(speaks) or 'nothing'}; against it {', '.join(against) or 'nothing but the prior'}"
    )
