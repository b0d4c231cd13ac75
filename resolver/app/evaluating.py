"""Use case: score clusters against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.errors import BadFile, BadFrame
from resolver.matching.evaluation import by_entity_size, score_clusters, wrong_pairs

if TYPE_CHECKING:
    from pathlib import Path

#: Wrong pairs of each kind that a report lists.
LISTED = 20


def evaluate_files(clusters_file: Path, truth_file: Path) -> dict[str, Any]:
    """Pairwise and B-cubed scores, exact clusters, recall by entity size, and wrong pairs by profile id.

    Args:
        clusters_file: Parquet or CSV with profile_id and cluster_id.
        truth_file: Parquet or CSV with profile_id and entity_id.

    Raises:
        BadFile, BadFrame: a file is missing or not of that form, or the two hold different profiles.
    """
    clusters, truth = _read(clusters_file, "cluster_id"), _read(truth_file, "entity_id")
    scores = score_clusters(clusters, truth)
    return {
        "profiles": scores.profiles,
        "entities": scores.entities,
        "clusters": scores.clusters,
        "true_pairs": scores.true_pairs,
        "predicted_pairs": scores.predicted_pairs,
        "correct_pairs": scores.correct_pairs,
        "pairwise_precision": scores.precision,
        "pairwise_recall": scores.recall,
        "pairwise_f1": scores.f1,
        "bcubed_precision": scores.bcubed_precision,
        "bcubed_recall": scores.bcubed_recall,
        "bcubed_f1": scores.bcubed_f1,
        "exact_rate": scores.exact_rate,
        "by_entity_size": by_entity_size(clusters, truth).to_dicts(),
        "wrong_pairs": wrong_pairs(clusters, truth, LISTED).to_dicts(),
    }


def _read(path: Path, column: str) -> pl.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{path}: cannot be read as {path.suffix or 'CSV'} ({type(error).__name__})") from None
    missing = [name for name in ("profile_id", column) if name not in frame.columns]
    if missing:
        raise BadFrame(f"{path}: no column {', '.join(missing)} (there: {', '.join(frame.columns)})")
    frame = frame.select(pl.col("profile_id", column).cast(pl.String))
    if frame.null_count().transpose().to_series().sum():
        raise BadFrame(f"{path}: empty cells in profile_id or {column}")
    return frame
