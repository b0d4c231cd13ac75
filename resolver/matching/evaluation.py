"""Clusters against the truth: pairwise, B-cubed, exact, by size, and the errors themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from resolver.errors import BadFrame

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ClusterScores:
    """How a clustering does, single profiles included. A rate with nothing below the line is 1."""

    profiles: int
    entities: int
    clusters: int
    true_pairs: int
    predicted_pairs: int
    correct_pairs: int
    bcubed_precision: float
    bcubed_recall: float
    exact_entities: int

    @property
    def precision(self) -> float:
        """Share of predicted pairs that are true."""
        return self.correct_pairs / self.predicted_pairs if self.predicted_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that are predicted."""
        return self.correct_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, over pairs."""
        return harmonic(self.precision, self.recall)

    @property
    def bcubed_f1(self) -> float:
        """Harmonic mean of precision and recall, over profiles."""
        return harmonic(self.bcubed_precision, self.bcubed_recall)

    @property
    def exact_rate(self) -> float:
        """Share of true entities whose cluster is exactly theirs."""
        return self.exact_entities / self.entities if self.entities else 1.0


def harmonic(one: float, other: float) -> float:
    """The harmonic mean; 0 where both are 0."""
    return 2 * one * other / (one + other) if one + other else 0.0


def score_clusters(clusters: pl.DataFrame, truth: pl.DataFrame) -> ClusterScores:
    """Scores of clusters (profile_id, cluster_id) against the truth (profile_id, entity_id).

    Raises:
        BadFrame: an id is repeated, or stands in one frame only.
    """
    cells = _cells(clusters, truth)
    n, t, p = (pl.col(c).cast(pl.Int64) for c in ("n", "t", "p"))
    share = pl.col("n").cast(pl.Float64) ** 2
    profiles = max(int(cells["n"].sum()), 1)
    return ClusterScores(
        profiles=int(cells["n"].sum()),
        entities=cells["entity_id"].n_unique(),
        clusters=cells["cluster_id"].n_unique(),
        true_pairs=_pairs(cells.unique("entity_id")["t"]),
        predicted_pairs=_pairs(cells.unique("cluster_id")["p"]),
        correct_pairs=_pairs(cells["n"]),
        bcubed_precision=float(cells.select((share / p).sum()).item()) / profiles,
        bcubed_recall=float(cells.select((share / t).sum()).item()) / profiles,
        exact_entities=cells.filter((n == t) & (n == p)).height,
    )


def by_entity_size(clusters: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Per size of true entities: ``entities``, ``exact`` (found exactly), ``recall`` of their pairs."""
    cells = _cells(clusters, truth)
    per_entity = cells.group_by("entity_id").agg(
        size=pl.col("t").first(),
        exact=((pl.col("n") == pl.col("t")) & (pl.col("n") == pl.col("p"))).any(),
        found=(pl.col("n").cast(pl.Int64) * (pl.col("n").cast(pl.Int64) - 1) // 2).sum(),
    )
    pairs = pl.col("size").cast(pl.Int64) * (pl.col("size").cast(pl.Int64) - 1) // 2
    return (
        per_entity.group_by("size")
        .agg(entities=pl.len(), exact=pl.col("exact").sum(), recall=pl.col("found").sum() / pairs.sum())
        .with_columns(recall=pl.when(pl.col("size") == 1).then(None).otherwise(pl.col("recall")))
        .sort("size")
    )


def wrong_pairs(clusters: pl.DataFrame, truth: pl.DataFrame, most: int = 1000) -> pl.DataFrame:
    """Pairs joined though apart in the truth, and the reverse: both profile ids and ``error``.

    ``error`` is ``joined`` or ``missed``; at most ``most`` of each, by id.
    """
    both = _joined(clusters, truth)
    return pl.concat(
        [
            _pairs_of(both, "cluster_id", "entity_id", most).with_columns(error=pl.lit("joined")),
            _pairs_of(both, "entity_id", "cluster_id", most).with_columns(error=pl.lit("missed")),
        ]
    )


def pair_scores(pairs: pl.DataFrame, truth: pl.DataFrame, thresholds: Sequence[float]) -> pl.DataFrame:
    """Precision and recall of pairs (two profile ids, ``match_weight``) at or above each threshold.

    Columns ``threshold`` (bits), ``predicted``, ``correct``, ``precision``, ``recall``, ``f1``. These are of
    single pairs, before clustering; recall is of all true pairs, so what blocking lost is lost here.
    """
    entity = truth.select("profile_id", "entity_id")
    marked = pairs.join(entity, left_on="profile_id_left", right_on="profile_id").join(
        entity, left_on="profile_id_right", right_on="profile_id", suffix="_right"
    )
    right = marked.select("match_weight", same=pl.col("entity_id") == pl.col("entity_id_right"))
    total = _pairs(truth.group_by("entity_id").len()["len"])
    rows = []
    for threshold in thresholds:
        above = right.filter(pl.col("match_weight") >= threshold)
        correct = int(above["same"].sum())
        precision = correct / above.height if above.height else 1.0
        recall = correct / total if total else 1.0
        rows.append((threshold, above.height, correct, precision, recall, harmonic(precision, recall)))
    names = ("threshold", "predicted", "correct", "precision", "recall", "f1")
    return pl.DataFrame(rows, schema=names, orient="row")


def _pairs(sizes: pl.Series) -> int:
    n = sizes.cast(pl.Int64)
    return int((n * (n - 1) // 2).sum())


def _cells(clusters: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """One row per entity and cluster that meet: n profiles of both, t of the entity, p of the cluster."""
    return (
        _joined(clusters, truth)
        .group_by("entity_id", "cluster_id")
        .agg(n=pl.len())
        .with_columns(t=pl.col("n").sum().over("entity_id"), p=pl.col("n").sum().over("cluster_id"))
    )


def _joined(clusters: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    for frame, name in ((clusters, "clusters"), (truth, "truth")):
        repeated = frame.height - frame["profile_id"].n_unique()
        if repeated:
            raise BadFrame(f"{name}: {repeated} profile ids are repeated")
    one = clusters.select("profile_id", "cluster_id")
    both = one.join(truth.select("profile_id", "entity_id"), on="profile_id")
    if both.height != clusters.height or both.height != truth.height:
        raise BadFrame(
            f"clusters has {clusters.height} profiles and the truth {truth.height}; {both.height} are in both"
        )
    return both


def _pairs_of(both: pl.DataFrame, same: str, other: str, most: int) -> pl.DataFrame:
    """Pairs of profiles that share ``same`` and not ``other``; only groups that mix are expanded."""
    mixed = both.filter(pl.col(other).n_unique().over(same) > 1)
    return (
        mixed.join(mixed, on=same, suffix="_right")
        .filter(
            (pl.col("profile_id") < pl.col("profile_id_right")) & (pl.col(other) != pl.col(f"{other}_right"))
        )
        .select(profile_id_left="profile_id", profile_id_right="profile_id_right")
        .sort("profile_id_left", "profile_id_right")
        .head(most)
    )
