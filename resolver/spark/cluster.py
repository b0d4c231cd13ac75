"""Blocking as joins by hash, comparing, scoring and cutting in Arrow batches: matching's functions decide."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from resolver.matching.blocking import Candidates, largest_allowed, spread, stop_beyond, with_counts
from resolver.matching.components import components, numbered
from resolver.matching.evidence import Evidence
from resolver.matching.pair_index import pack, unpack
from resolver.matching.sorting import stable_order
from resolver.matching.work import HERE
from resolver.spark.stars import smallest_members
from resolver.spark.tasks import (
    compare_task,
    cut_task,
    first_task,
    index_task,
    packed_task,
    pairs_task,
    portable,
    unpacked_task,
    weigh_task,
    words_task,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from resolver.matching.blocking import Limits
    from resolver.matching.clustering import Edges
    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
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
#: Pairs that one task scores, or cuts the components of.
PAIRS_EACH = 1_000_000
#: Clusters that one task plans.
CLUSTERS_EACH = 20_000
#: Pairs that the driver scores and joins and cuts itself: sending them takes longer than that.
PAIRS_HERE = 50_000_000
#: Rows that are megabytes each: so many in an Arrow batch.
_ROWS_IN_BATCH = "4"


@dataclass
class OnCluster:
    """The ``Work`` of a Spark session. Stages are files that the driver and the executors both reach.

    Up to ``pairs_here`` pairs are scored and clustered by the driver; more by tasks of ``pairs_each``.
    """

    spark: SparkSession
    checkpoints: Checkpoints
    pairs_here: int = PAIRS_HERE
    pairs_each: int = PAIRS_EACH
    clusters_each: int = CLUSTERS_EACH
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

    def weigh(self, model: Parameters, bytes_: Array, stratum: Array | None) -> Array:
        """As ``match_weights``, so many pairs a task."""
        pairs = bytes_.shape[1]
        if pairs <= self.pairs_here:
            return HERE.weigh(model, bytes_, stratum)

        def rows() -> Iterator[tuple[int, bytearray, bytearray]]:
            for place, begin in enumerate(range(0, pairs, self.pairs_each)):
                own = slice(begin, begin + self.pairs_each)
                parts = bytearray() if stratum is None else _packed(stratum[own])
                yield place, _packed(bytes_[:, own].T), parts

        sent = self.spark.sparkContext.broadcast(model)
        frame = self.sent(rows(), "place int, bytes binary, stratum binary")
        found = self._received(frame.mapInArrow(weigh_task(sent), "place int, weights binary"), "weights")
        sent.destroy()
        return np.concatenate([np.frombuffer(found[place], np.float64) for place in sorted(found)])

    def components(self, profiles: int, left: Array, right: Array) -> Array:
        """As ``components.components``, by large-star and small-star."""
        if len(left) <= self.pairs_here:
            return components(profiles, left, right)
        store = self.checkpoints.store

        def rows() -> Iterator[tuple[int, bytearray, bytearray]]:
            for place, begin in enumerate(range(0, len(left), self.pairs_each)):
                own = slice(begin, begin + self.pairs_each)
                yield place, _packed(left[own].astype(np.int64)), _packed(right[own].astype(np.int64))

        packed = self.sent(rows(), "place int, one binary, other binary")
        edges = packed.mapInArrow(unpacked_task(), "one long, other long")
        hung = smallest_members(edges, store).mapInArrow(packed_task(), "node binary, first binary")
        first = np.arange(profiles)
        for row in hung.toLocalIterator():
            first[np.frombuffer(row["node"], np.int64)] = np.frombuffer(row["first"], np.int64)
        return numbered(first)

    def cut(self, label: Array, edges: Edges, cuts: Sequence[float], largest: int) -> Array:
        """As ``cut_components``, groups of components a task."""
        if len(edges.words) <= self.pairs_here:
            return HERE.cut(label, edges, cuts, largest)
        members: list[Array] = []

        def rows() -> Iterator[tuple[int, bytearray, bytearray, bytearray]]:
            for place, (own, number, words, similarity) in enumerate(_groups(label, edges, self.pairs_each)):
                members.append(own)
                yield place, _packed(number), _packed(words), _packed(similarity)

        frame = self.sent(rows(), "place int, label binary, words binary, similarity binary")
        task = cut_task([float(cut) for cut in cuts], largest)
        found = self._received(frame.mapInArrow(task, "place int, clusters binary"), "clusters")
        out = np.tile(np.arange(len(label)), (len(cuts), 1))
        for place, own in enumerate(members):
            out[:, own] = own[np.frombuffer(found[place], np.int64).reshape(len(cuts), -1)]
        return out

    def sent(self, rows: Iterator[Any], schema: str) -> DataFrame:
        """Rows of the driver, one to a task."""
        held = list(rows)
        return self.spark.createDataFrame(self.spark.sparkContext.parallelize(held, len(held)), schema)

    def _received(self, frame: DataFrame, name: str) -> dict[int, bytes]:
        """The bytes of each place."""
        return {row["place"]: bytes(row[name]) for row in frame.toLocalIterator(prefetchPartitions=True)}

    def _words(self, keys: Sequence[Key], bits: int, place: str) -> dict[str, Any]:
        profiles = len(keys[0].parts[0].codes)
        tasks, pieces = -(-profiles // _ROWS_EACH), -(-profiles // _ROWS_PER_PIECE)
        known = self.spark.sparkContext.broadcast(portable(keys))
        stretches = self.spark.range(0, tasks, 1, tasks)
        task = words_task(known, bits, _ROWS_EACH, pieces)
        words = stretches.mapInArrow(task, "place int, words binary")
        whole = words.repartition(self._tasks(len(keys) * profiles // _WORDS_EACH), "place")
        self.write(
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
        self.write(first, out)
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
        self.write(every.mapInArrow(task, "pair binary, key binary, bytes binary"), place)
        sent.destroy()
        return {}

    def _tasks(self, wanted: int) -> int:
        """So many tasks, but two for each core at least."""
        return max(2 * int(self.spark.sparkContext.defaultParallelism), wanted)

    def write(self, frame: DataFrame, place: str) -> None:
        """The rows as Parquet, in place of what was there."""
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


def _groups(label: Array, edges: Edges, most: int) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Whole components of two profiles or more, of about ``most`` pairs together.

    Their rows, rising; the number of each row's component, words and similarities of their pairs, by place
    among those rows.
    """
    left, right = unpack(edges.words)
    inside = np.flatnonzero(label[left] == label[right])
    pairs = np.bincount(label[left[inside]], minlength=int(label.max(initial=-1)) + 1)
    group_of = (np.cumsum(pairs) - pairs) // most
    paired = np.flatnonzero(pairs[label] > 0)
    place = np.empty(len(label), np.int64)
    for own, rows in zip(
        _by_group(inside, group_of[label[left[inside]]]),
        _by_group(paired, group_of[label[paired]]),
        strict=True,
    ):
        place[rows] = np.arange(len(rows))
        _, number = np.unique(label[rows], return_inverse=True)
        words = pack(place[left[own]], place[right[own]])
        yield rows, number.astype(np.int32), words, edges.similarity[own]


def _by_group(places: Array, group: Array) -> list[Array]:
    """The places of each group that has any, in the order of groups."""
    if not len(places):
        return []
    order = stable_order(group)
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.split(places[order], starts[1:])


def _packed(numbers: Array) -> bytearray:
    return bytearray(numbers.tobytes())


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
