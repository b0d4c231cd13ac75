"""recordlinkage, with its classifier that needs no labels.

https://recordlinkage.readthedocs.io, "Data deduplication" and "Classification": pairs by blocks, Jaro-Winkler
of 0.85 on texts and equality on the rest, the ECM classifier on what is 0 or 1; connected components make its
pairs clusters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import recordlinkage
from records import Given, components, run

if TYPE_CHECKING:
    import polars as pl

TEXTS = {"first", "middle", "last", "business", "address", "city"}
BLOCKING = (
    ("account",), ("phone",), ("email",), ("last", "postal_code"), ("last", "birth_date"),
    ("first", "birth_date"), ("first", "last"), ("business",), ("address",),
)  # fmt: skip


def cluster(task: Given) -> pl.DataFrame:
    """Index, compare, classify."""
    ids = task.records["profile_id"].to_list()
    frame = task.records.to_pandas().set_index("profile_id")
    indexer = recordlinkage.Index()
    for fields in task.having(*BLOCKING):
        indexer.block(list(fields))
    pairs = indexer.index(frame)
    compare = recordlinkage.Compare(n_jobs=2)
    for field in task.fields:
        if field in TEXTS:
            compare.string(field, field, method="jarowinkler", threshold=0.85, label=field)
        else:
            compare.exact(field, field, label=field)
    features = compare.compute(pairs, frame)
    features = features[
        [name for name in features if 0 < features[name].mean() < 1]
    ]  # a constant teaches it nothing
    return components(ids, recordlinkage.ECMClassifier().fit_predict(features))


if __name__ == "__main__":
    run(cluster)
