"""Blocking as joins by hash, comparing in Arrow batches: matching's functions decide."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from resolver.matching.blocking import Candidates, largest_allowed, spread, stop_beyond, with_counts
from resolver.matching.evidence import Evidence
from resolver.spark.tasks import compare_task, first_task, index_task, pairs_task, portable, words_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from resolver.matching.blocking import Limits
    from resolver.matching.keys import Key
    from resolver.matching.passes import View
    from resolver.matching.values import Array
    from resolver.spark.checkpoints import Checkpoints

#: Profiles whose key words one task makes, and profiles per piece of a key's index.
_ROWS_EACH = 100_000
_ROWS_PER_PIECE = 1_000_000
#: Words that one task sorts.
_WORDS_EACH = 4_000_000
#: Pairs, some of them found by several keys, that one task puts together.
_PAIRS_EACH = 8_000_000
#: Rows that are megabytes each: so many in an Arrow batch.
_ROWS_IN_BATCH = "4"


@dataclass
class OnCluster:
    """The ``Work`` of a Spark session. Stages are files that the driver and the executors both reach."""

    spark: SparkSession
    checkpoints: Checkpoints
    _bits: int = field(default=0, init=False)

    def block(self, keys: Sequence[Key], limits: Limits, bits: int) -> Candidates:
        """As ``blocking.block``: words by stretches of profiles, an index by pieces, pairs by left rows."""
        self._bits = bits
        names = tuple(key.name for key in keys)
        if not keys:
            return Candidates(np.empty(0, np.uint64), np.empty(0, np.uint16), ())
        words, noted = self.checkpoints.stage("words", lambda place: self._words(keys, bits, place))
        pairs, found = self.checkpoints.stage(
            "pairs", lambda place: self._pairs((words, noted["pieces"]), (names, limits), bits, place)
        )
        pair, key = self._numbers(pairs, {"pair": np.uint64, "key": np.uint16})
        order = _order(pair)
        figures, allowed = tuple(found["figures"]), tuple(found["allowed"])
        return Candidates(spread(pair[order], bits), key[order], names, figures, allowed)

    def compare(self, view: View, candidates: Candidates, drop_below: float) -> Evidence:  # noqa: ARG002 - their file is read
        """As ``work.Here.compare``; the candidates are those of ``block``, from its file."""
        bits = self._bits
        pairs = self.checkpoints.store.under("pairs.parquet")
        place, _ = self.checkpoints.stage(
            "evidence", lambda place: self._evidence(view, pairs, (bits, drop_below), place)
        )
        pair, key, flat = self._numbers(place, {"pair": np.uint64, "key": np.uint16, "bytes": np.uint8})
        order = _order(pair)
        bytes_ = np.take(flat.reshape(len(pair), len(view.columns)).T, order, axis=1)
        return Evidence(spread(pair[order], bits), key[order], bytes_)

    def _words(self, keys: Sequence[Key], bits: int, place: str) -> dict[str, Any]:
        profiles = len(keys[0].parts[0].codes)
        tasks, pieces = -(-profiles // _ROWS_EACH), -(-profiles // _ROWS_PER_PIECE)
        known = self.spark.sparkContext.broadcast(portable(keys))
        stretches = self.spark.range(0, tasks, 1, tasks)
        task = words_task(known, bits, _ROWS_EACH, pieces)
        words = stretches.mapInArrow(task, "place int, words binary")
        whole = words.repartition(self._tasks(len(keys) * profiles // _WORDS_EACH), "place")
        self._write(
            whole.mapInArrow(index_task(bits), "place int, words binary, sizes binary, times binary"), place
        )
        known.destroy()
        return {"pieces": pieces}

    def _pairs(
        self, index: tuple[str, int], known: tuple[tuple[str, ...], Limits], bits: int, out: str
    ) -> dict[str, Any]:
        (names, limits), (address, pieces) = known, index
        words = self.spark.read.parquet(address)
        counted: list[list[Array]] = [[] for _ in names]
        for row in words.select("place", "sizes", "times").toLocalIterator():
            counted[row["place"] // pieces].append(np.frombuffer(row["sizes"] + row["times"], np.int64))
        allowed, facts, brought = [], [], 0
        for name, own in zip(names, counted, strict=True):
            size, times = _sizes(own)
            stop_beyond(limits, size, name, times)
            allowed.append(largest_allowed(size, limits, times))
            facts.append({"key": name, "largest_block": int(size.max(initial=0))})
            brought += int((size * (size - 1) // 2 * times)[size <= allowed[-1]].sum())
        tasks = self._tasks(brought // _PAIRS_EACH)
        found = words.select("place", "words").mapInArrow(
            pairs_task(allowed, bits, pieces, 4 * tasks), "target int, found binary"
        )
        first = found.repartition(tasks, "target").mapInArrow(
            first_task(len(names)), "pair binary, key binary, figures binary"
        )
        self._write(first, out)
        counts = np.zeros((3, len(names)), np.int64)
        for row in self.spark.read.parquet(out).select("figures").dropna().toLocalIterator():
            counts += np.frombuffer(row["figures"], np.int64).reshape(counts.shape)
        facts = [
            {"key": own["key"], "pairs": int(pairs), "largest_block": own["largest_block"]}
            for own, pairs in zip(facts, counts[0], strict=True)
        ]
        return {"allowed": allowed, "figures": with_counts(facts, counts[1], counts[2])}

    def _evidence(self, view: View, pairs: str, known: tuple[int, float], place: str) -> dict[str, Any]:
        bits, drop_below = known
        # the same functions on the same tables: what differs is which pairs one call is given
        sent = self.spark.sparkContext.broadcast((view.columns, view.bins, view.model))
        every = self.spark.read.parquet(pairs).select("pair", "key")
        task = compare_task(sent, bits, drop_below)
        self._write(every.mapInArrow(task, "pair binary, key binary, bytes binary"), place)
        sent.destroy()
        return {}

    def _tasks(self, wanted: int) -> int:
        """So many tasks, but two for each core at least."""
        return max(2 * int(self.spark.sparkContext.defaultParallelism), wanted)

    def _write(self, frame: DataFrame, place: str) -> None:
        with _few_rows(self.spark):
            frame.write.mode("overwrite").parquet(place)

    def _numbers(self, place: str, kinds: dict[str, Any]) -> list[Array]:
        """The numbers in the rows of a stage, one after the other."""
        held: dict[str, list[bytes]] = {name: [] for name in kinds}
        for row in self.spark.read.parquet(place).select(*kinds).toLocalIterator(prefetchPartitions=True):
            for name, packed in held.items():
                packed.append(bytes(row[name]))
        return [np.frombuffer(b"".join(held.pop(name)), kind) for name, kind in kinds.items()]


def _sizes(counted: list[Array]) -> tuple[Array, Array]:
    """The sizes of blocks in all pieces, and how many there are of each."""
    halves = [one.reshape(2, -1) for one in counted]
    each, times = (np.concatenate([np.empty(0, np.int64), *(half[k] for half in halves)]) for k in (0, 1))
    sizes, at = np.unique(each, return_inverse=True)
    total = np.zeros(len(sizes), np.int64)
    np.add.at(total, at, times)
    return sizes, total


def _order(words: Array) -> Array:
    return pl.Series(words).arg_sort().to_numpy()


@contextmanager
def _few_rows(spark: SparkSession) -> Iterator[None]:
    """Arrow batches of few rows meanwhile: Spark counts rows, not what is in them."""
    name = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(name)
    spark.conf.set(name, _ROWS_IN_BATCH)
    try:
        yield
    finally:
        spark.conf.set(name, str(before))
