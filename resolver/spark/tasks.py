"""What executors run: Arrow batches in and out, and the matching functions in between.

Millions of numbers travel as the bytes of one row: Spark moves and joins rows, numpy reads what is in them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from resolver.matching.blocking import Limits, first_keys, key_of, pairs_of_index, spread, with_key
from resolver.matching.clustering import Edges, cut_components
from resolver.matching.comparison import compare
from resolver.matching.keys import Key
from resolver.matching.pair_index import distinct, unpack
from resolver.matching.scoring import match_weights
from resolver.matching.sorting import stable_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.key_parts import Part
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array

    Task = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

#: Pairs of one row.
_PAIRS_EACH = 262_144


@dataclass(frozen=True, eq=False)
class Held:
    """A table that is worked out already, in place of the function that makes it."""

    table: Array

    def __call__(self, _values: object) -> Array:
        """The table."""
        return self.table


def portable(keys: Sequence[Key]) -> list[Key]:
    """The keys with their parts' tables worked out; a part that several keys share is still one part."""
    parts: dict[int, Part] = {}
    for key in keys:
        for part in key.parts:
            if id(part) not in parts:
                table = part.table
                parts[id(part)] = part.held(None if table is None else Held(table))
    return [Key(tuple(parts[id(part)] for part in key.parts), key.always) for key in keys]


def words_task(keys: Any, bits: int, rows_each: int, pieces: int) -> Task:
    """From numbers of stretches of rows to (place, words): which profiles stand in which blocks of the key.

    ``keys`` is a broadcast of them. A place is a key's number times ``pieces``, and the piece of the key that
    a block belongs to. Words are block << bits | row.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for stretch in batch.column(0).to_pylist():
                yield from _words_of_stretch(keys.value, bits, (stretch * rows_each, rows_each), pieces)

    return run


def _words_of_stretch(
    keys: Sequence[Key], bits: int, stretch: tuple[int, int], pieces: int
) -> Iterator[pa.RecordBatch]:
    start, count = stretch
    rows = np.arange(start, min(start + count, len(keys[0].parts[0].codes)))
    parts = {id(part): part for key in keys for part in key.parts}
    here = {number: part.of(rows) for number, part in parts.items()}
    for number, key in enumerate(keys):
        hashes, owner = Key(tuple(here[id(part)] for part in key.parts)).hashes()
        words = (hashes << np.uint64(bits)) | rows[owner].astype(np.uint64)
        for piece, own in _split(words, (words >> np.uint64(bits)) % np.uint64(pieces), pieces):
            yield _row(place=number * pieces + piece, words=own)


def index_task(bits: int) -> Task:
    """From (place, words) with all of a place in one partition to (place, words, sizes, times).

    The words sorted, each once: an index of blocks. There are ``times`` blocks of each of the ``sizes``.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place, words in _gathered(batches, "place", "words"):
            index = distinct(words)
            _, counts = np.unique(index >> np.uint64(bits), return_counts=True)
            sizes, times = np.unique(counts, return_counts=True)
            yield _row(place=place, words=index, sizes=sizes.astype(np.int64), times=times.astype(np.int64))

    return run


def pairs_task(allowed: Sequence[int], bits: int, pieces: int, targets: int) -> Task:
    """From (place, words) of ``index_task`` to (target, found): words of ``with_key``, some twice.

    A pair's left row tells its target.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for place, words in _each(batches, "place", "words"):
            number = place // pieces
            pairs, _, _ = pairs_of_index(words, Limits(allowed[number], float("inf")), bits)
            target = (pairs >> np.uint64(bits)) % np.uint64(targets)
            for own, found in _split(with_key(pairs, number), target, targets):
                yield _row(target=own, found=found)

    return run


def first_task(keys: int) -> Task:
    """From (target, found) with all of a target in one partition to (pair, key, figures).

    Every pair once with its first key. ``figures``, once per target, are pairs per key: found, found first,
    found by no other.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, found in _gathered(batches, "target", "found"):
            words = distinct(found)
            pairs, number, alone = first_keys(words)
            counts = [np.bincount(one, minlength=keys) for one in (key_of(words), number, number[alone])]
            figures: Array | None = np.stack(counts).astype(np.int64)
            for start in range(0, len(pairs), _PAIRS_EACH):
                own = slice(start, start + _PAIRS_EACH)
                yield _row(pair=pairs[own], key=number[own], figures=figures)
                figures = None

    return run


def compare_task(known: Any, bits: int, drop_below: float) -> Task:
    """From (pair, key) to (pair, key, bytes) of the pairs whose weight is ``drop_below`` at least.

    ``known`` is a broadcast of columns, bins and model; bytes are pair by pair.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        columns: Sequence[Column]
        bins: Sequence[Array]
        model: Parameters
        columns, bins, model = known.value
        for batch in batches:
            held = zip(_blobs(batch, "pair"), _blobs(batch, "key"), strict=True)
            for pair, key in ((np.frombuffer(p, np.uint64), np.frombuffer(k, np.uint16)) for p, k in held):
                bytes_ = compare(columns, bins, unpack(spread(pair, bits)))
                kept = match_weights(model, bytes_) >= drop_below
                if kept.any():
                    yield _row(pair=pair[kept], key=key[kept], bytes=bytes_[:, kept].T)

    return run


def weigh_task(model: Any) -> Task:
    """From (place, bytes, stratum) to (place, weights); ``model`` is a broadcast of it.

    Bytes are pair by pair; no stratum stands for an undivided file.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = batch.column(batch.schema.get_field_index("place")).to_pylist()
            held = zip(places, _blobs(batch, "bytes"), _blobs(batch, "stratum"), strict=True)
            for place, flat, known in held:
                bytes_ = np.frombuffer(flat, np.uint8).reshape(-1, len(model.value.columns)).T
                stratum = np.frombuffer(known, np.uint8) if len(known) else None
                yield _row(place=place, weights=match_weights(model.value, bytes_, stratum))

    return run


def cut_task(cuts: Sequence[float], largest: int) -> Task:
    """From (place, label, words, similarity) of whole components to (place, clusters): all cuts, flat."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = batch.column(batch.schema.get_field_index("place")).to_pylist()
            held = zip(*(_blobs(batch, name) for name in ("label", "words", "similarity")), strict=True)
            for place, (label, words, similarity) in zip(places, held, strict=True):
                edges = Edges(np.frombuffer(words, np.uint64), np.frombuffer(similarity, np.float64))
                clusters = cut_components(np.frombuffer(label, np.int32), edges, cuts, largest)
                yield _row(place=place, clusters=clusters.astype(np.int64))

    return run


def unpacked_task() -> Task:
    """From (place, one, other) to a row for every pair: what Spark joins and groups itself."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for one, other in zip(_blobs(batch, "one"), _blobs(batch, "other"), strict=True):
                sides = [pa.array(np.frombuffer(side, np.int64)) for side in (one, other)]
                yield pa.RecordBatch.from_arrays(sides, names=["one", "other"])

    return run


def packed_task() -> Task:
    """From rows of (node, first) to their bytes, a row for every batch."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _row(node=batch.column(0).to_numpy(), first=batch.column(1).to_numpy())

    return run


def _split(words: Array, part: Array, parts: int) -> Iterator[tuple[int, Array]]:
    """The words by the number of their part; parts without any are left out."""
    if parts == 1:
        yield from [(0, words)] if len(words) else []
        return
    order = stable_order(part.astype(np.int64))
    ends = np.cumsum(np.bincount(part.astype(np.int64), minlength=parts))
    for number, own in enumerate(np.split(words[order], ends[:-1])):
        if len(own):
            yield number, own


def _gathered(batches: Iterable[pa.RecordBatch], by: str, of: str) -> Iterator[tuple[int, Array]]:
    """The words of each number, from all rows that have it."""
    held = defaultdict(list)
    for number, words in _each(batches, by, of):
        held[number].append(words)
    for number in sorted(held):
        yield number, np.concatenate(held.pop(number))


def _each(batches: Iterable[pa.RecordBatch], by: str, of: str) -> Iterator[tuple[int, Array]]:
    for batch in batches:
        numbers = batch.column(batch.schema.get_field_index(by)).to_pylist()
        for number, packed in zip(numbers, _blobs(batch, of), strict=True):
            yield number, np.frombuffer(packed, np.uint64)


def _blobs(batch: pa.RecordBatch, name: str) -> list[Any]:
    """The bytes of each row, where they are."""
    return [one.as_buffer() for one in batch.column(batch.schema.get_field_index(name))]


def _row(**values: Any) -> pa.RecordBatch:
    """One row of numbers (int) and arrays (as their bytes)."""
    arrays = [
        pa.array([value], pa.int32())
        if isinstance(value, int)
        else pa.array([None if value is None else value.tobytes()], pa.binary())
        for value in values.values()
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(values))
