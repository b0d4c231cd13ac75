"""dedupe, with 100 answers to the questions that it asks.

https://docs.dedupe.io: string variables, ``prepare_training``, the loop of ``uncertain_pairs`` and
``mark_pairs``, ``train``, ``partition`` at 0.5. The answers come from the truth: a person who never errs. No
other tool here is told anything.
"""

from __future__ import annotations

import random

import dedupe
import numpy as np
import polars as pl
from dedupe import variables
from records import Given, run

LABELS = 100
_SEED = 20


def cluster(task: Given) -> pl.DataFrame:
    """Train on the answers, then cluster everything."""
    if task.truth is None:
        raise SystemExit("--truth TRUTH.parquet is needed: dedupe learns from labels")
    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 - the generator that dedupe draws from
    entity = dict(pl.read_parquet(task.truth).select("profile_id", "entity_id").iter_rows())
    data = {row["profile_id"]: row for row in task.records.iter_rows(named=True)}
    fields = [
        variables.Exact(field, has_missing=True)
        if field in {"state", "account"}
        else variables.ShortString(field, has_missing=True)
        if field in {"phone", "postal_code", "birth_date"}
        else variables.String(field, has_missing=True)
        for field in task.fields
    ]
    deduper = dedupe.Dedupe(fields, num_cores=2)
    deduper.prepare_training(data)
    for _ in range(LABELS):
        pair = deduper.uncertain_pairs()[0]
        same = entity[pair[0]["profile_id"]] == entity[pair[1]["profile_id"]]
        deduper.mark_pairs({"match": [pair] if same else [], "distinct": [] if same else [pair]})
    deduper.train()
    rows = [
        (one, str(number))
        for number, (ids, _) in enumerate(deduper.partition(data, threshold=0.5))
        for one in ids
    ]
    return pl.DataFrame(rows, schema=["profile_id", "cluster_id"], orient="row")


if __name__ == "__main__":
    run(cluster)
