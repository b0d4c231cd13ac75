"""Blocking as Spark joins, comparing in Arrow batches: matching's functions decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from resolver.matching.blocking import Candidates, largest_allowed, spread, stop_beyond, with_counts
from resolver.matching.evidence import Evidence
from resolver.spark.tasks import Sent, compare_task, pairs_task, portable, words_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from resolver.matching.blocking import Limits
    from resolver.matching.keys import Key
    from resolver.matching.passes import View
    from resolver.matching.values import Array
    from resolver.spark.checkpoints import Checkpoints

#: Profiles whose key words one task makes.
_ROWS_EACH = 50_000
#: Words of blocks that one task turns into pairs.
_WORDS_EACH = 4_000_000


@dataclass
class OnCluster:
    """The ``Work`` of a Spark session. Stages are files that the driver and the executors both reach."""

    spark: SparkSession
    checkpoints: Checkpoints
    _bits: int = field(default=0, init=False)

    def block(self, keys: Sequence[Key], limits: Limits, bits: int) -> Candidates:
        """As ``blocking.block``: words by stretches of profiles, sizes, blocks, pairs."""
        self._bits = bits
        names = tuple(key.name for key in keys)
        if not keys:
            return Candidates(np.empty(0, np.uint64), np.empty(0, np.uint16), ())
        words, _ = self.checkpoints.stage("words", lambda place: self._words(keys, bits, place))
        pairs, noted = self.checkpoints.stage(
            "pairs", lambda place: self._pairs(words, (names, limits), bits, place)
        )
        found = pl.read_parquet(pairs / "*.parquet").sort("pair")
        number = found["key"].to_numpy().astype(np.uint16)
        alone = found["keys"].to_numpy() == 1
        new = np.bincount(number, minlength=len(keys))
        only = np.bincount(number[alone], minlength=len(keys))
        allowed = tuple(noted["allowed"])
        figures = with_counts(noted["figures"], new, only)
        return Candidates(spread(_unsigned(found["pair"]), bits), number, names, figures, allowed)

    def compare(self, view: View, candidates: Candidates, drop_below: float) -> Evidence:  # noqa: ARG002 - their file is read
        """As ``work.Here.compare``; the candidates are those of ``block``, from its file."""
        bits = self._bits
        pairs = self.checkpoints.directory / "pairs.parquet"
        place, _ = self.checkpoints.stage(
            "evidence", lambda place: self._evidence(view, pairs, (bits, drop_below), place)
        )
        found = pl.read_parquet(place / "*.parquet").sort("pair")
        joined = b"".join(found["bytes"])
        rows = np.frombuffer(joined, np.uint8).reshape(found.height, len(view.columns))
        key = found["key"].to_numpy().astype(np.uint16)
        return Evidence(spread(_unsigned(found["pair"]), bits), key, np.ascontiguousarray(rows.T))

    def _words(self, keys: Sequence[Key], bits: int, place: Path) -> dict[str, Any]:
        profiles = len(keys[0].parts[0].codes)
        tasks = -(-profiles // _ROWS_EACH)
        stretches = self.spark.range(0, tasks, 1, tasks)
        task = words_task(self._sent(portable(keys)), bits, _ROWS_EACH)
        _write(stretches.mapInArrow(task, "key int, word long"), place)
        return {}

    def _pairs(
        self, place: Path, known: tuple[tuple[str, ...], Limits], bits: int, out: Path
    ) -> dict[str, Any]:
        from pyspark.sql import functions as sql  # noqa: PLC0415 - an extra

        names, limits = known
        words = self.spark.read.parquet(place.absolute().as_uri()).withColumn(
            "block", sql.shiftrightunsigned("word", bits)
        )
        sizes = words.groupBy("key", "block").agg(sql.count("*").alias("size"))
        counted = sizes.groupBy("key", "size").agg(sql.count("*").alias("times")).collect()
        allowed, largest = [0] * len(names), [0] * len(names)
        for number, name in enumerate(names):
            own = [(row["size"], row["times"]) for row in counted if row["key"] == number]
            size, times = (np.array([one[k] for one in own], np.int64) for k in (0, 1))
            stop_beyond(limits, size, name, times)
            allowed[number] = largest_allowed(size, limits, times)
            largest[number] = int(size.max(initial=0))
        limit = sql.element_at(sql.array(*[sql.lit(one) for one in allowed]), sql.col("key") + 1)
        kept = sizes.where((sql.col("size") > 1) & (sql.col("size") <= limit)).select("key", "block")
        kept_rows = sum(r["size"] * r["times"] for r in counted if 1 < r["size"] <= allowed[r["key"]])
        # few large partitions: every one pays for each key, and for each distance within its blocks
        parts = max(self.spark.sparkContext.defaultParallelism, -(-kept_rows // _WORDS_EACH))
        whole = (
            words.join(kept, ["key", "block"])
            .select("key", "block", "word")
            .repartition(parts, "key", "block")
        )
        each = whole.mapInArrow(pairs_task(allowed, bits), "key int, pair long").dropDuplicates()
        every = each.groupBy("pair").agg(
            sql.min("key").alias("key"), sql.count("*").alias("keys"), sql.collect_list("key").alias("by")
        )
        _write(every, out)
        written = self.spark.read.parquet(out.absolute().as_uri())
        by_key = written.select(sql.explode("by").alias("key")).groupBy("key").count().collect()
        pairs = {row["key"]: row["count"] for row in by_key}
        figures = [
            {"key": name, "pairs": int(pairs.get(k, 0)), "largest_block": largest[k]}
            for k, name in enumerate(names)
        ]
        return {"allowed": allowed, "figures": figures}

    def _evidence(self, view: View, pairs: Path, known: tuple[int, float], place: Path) -> dict[str, Any]:
        bits, drop_below = known
        # the same functions on the same tables: what differs is which pairs one call is given
        task = compare_task(self._sent((view.columns, view.bins, view.model)), bits, drop_below)
        every = self.spark.read.parquet(pairs.absolute().as_uri()).select("pair", "key")
        _write(every.mapInArrow(task, "pair long, key int, bytes binary"), place)
        return {}

    def _sent(self, value: Any) -> Sent:
        """The value on every executor, unpacked once per worker process."""
        from pyspark import cloudpickle  # noqa: PLC0415 - an extra

        return Sent(self.spark.sparkContext.broadcast(cloudpickle.dumps(value)), token_hex(8))


def _write(frame: DataFrame, place: Path) -> None:
    frame.write.mode("overwrite").parquet(place.absolute().as_uri())


def _unsigned(numbers: pl.Series) -> Array:
    return numbers.to_numpy().astype(np.int64).view(np.uint64)
