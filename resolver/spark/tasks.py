"""What executors run: Arrow batches in and out, and the matching functions in between."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from resolver.matching.blocking import Limits, pairs_of_index, spread
from resolver.matching.comparison import compare
from resolver.matching.key_parts import Part
from resolver.matching.keys import Key
from resolver.matching.pair_index import unpack
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.parameters import Parameters
    from resolver.matching.values import Array

    Task = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]

#: Rows of one Arrow batch that is handed back.
_BATCH = 262_144

#: What this process has unpacked last: tasks of one stage follow each other and share it.
_UNPACKED: dict[str, Any] = {}


@dataclass(frozen=True, eq=False)
class Sent:
    """A value that was broadcast; a worker process unpacks it once."""

    packed: Any
    name: str

    def __call__(self) -> Any:
        """The value."""
        if self.name not in _UNPACKED:
            _UNPACKED.clear()
            _UNPACKED[self.name] = pickle.loads(self.packed.value)  # noqa: S301 - the driver's own
        return _UNPACKED[self.name]


@dataclass(frozen=True, eq=False)
class Held:
    """A table that is worked out already, in place of the function that makes it."""

    table: Array

    def __call__(self) -> Array:
        """The table."""
        return self.table


def portable(keys: Sequence[Key]) -> list[Key]:
    """The keys with their parts' tables worked out; a part that several keys share is still one part."""
    parts: dict[int, Part] = {}
    for key in keys:
        for part in key.parts:
            if id(part) not in parts:
                table = part.table
                parts[id(part)] = Part(part.name, part.codes, None if table is None else Held(table))
    return [Key(tuple(parts[id(part)] for part in key.parts), key.always) for key in keys]


def words_task(keys: Callable[[], Sequence[Key]], bits: int, rows_each: int) -> Task:
    """From numbers of stretches of rows to (key, word): which profile stands in which block of the key.

    Words (block << bits | row) travel as signed numbers of the same bits.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for stretch in batch.column(0).to_pylist():
                yield from _words_of_stretch(keys(), bits, stretch * rows_each, rows_each)

    return run


def _words_of_stretch(keys: Sequence[Key], bits: int, start: int, count: int) -> Iterator[pa.RecordBatch]:
    rows = np.arange(start, min(start + count, len(keys[0].parts[0].codes)))
    parts = {id(part): part for key in keys for part in key.parts}
    here = {number: part.of(rows) for number, part in parts.items()}
    for number, key in enumerate(keys):
        hashes, owner = Key(tuple(here[id(part)] for part in key.parts)).hashes()
        words = (hashes << np.uint64(bits)) | rows[owner].astype(np.uint64)
        words = words if key.one_block else np.unique(words)
        yield from _batches({"key": np.full(len(words), number, np.int32), "word": words.view(np.int64)})


def pairs_task(allowed: Sequence[int], bits: int) -> Task:
    """From (key, word) with whole blocks in one partition to (key, pair), each once."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = [(_numbers(b, "key"), _numbers(b, "word").view(np.uint64)) for b in batches if b.num_rows]
        if not held:
            return
        key = np.concatenate([numbers for numbers, _ in held])
        words = np.concatenate([own for _, own in held])
        held.clear()
        order = np.lexsort((words, key))
        key, words = key[order], words[order]
        for number in np.unique(key).tolist():
            own = slice(*np.searchsorted(key, [number, number + 1]).tolist())
            pairs, _, _ = pairs_of_index(words[own], Limits(allowed[number], float("inf")), bits)
            pairs = np.unique(pairs)
            yield from _batches({"key": np.full(len(pairs), number, np.int32), "pair": pairs.view(np.int64)})

    return run


def compare_task(
    known: Callable[[], tuple[Sequence[Column], Sequence[Array], Parameters]], bits: int, drop_below: float
) -> Task:
    """From (pair, key) to (pair, key, bytes) of the pairs whose weight is ``drop_below`` at least."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns, bins, model = known()
            pair, key = _numbers(batch, "pair"), _numbers(batch, "key")
            bytes_ = compare(columns, bins, unpack(spread(pair.view(np.uint64), bits)))
            kept = match_weights(model, bytes_) >= drop_below
            flat = np.ascontiguousarray(bytes_[:, kept].T)
            fixed = pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(len(columns)), len(flat), [None, pa.py_buffer(flat.tobytes())]
            )
            yield pa.RecordBatch.from_arrays(
                [pa.array(pair[kept]), pa.array(key[kept]), fixed.cast(pa.binary())],
                names=["pair", "key", "bytes"],
            )

    return run


def _numbers(batch: pa.RecordBatch, name: str) -> Array:
    return np.ascontiguousarray(
        batch.column(batch.schema.get_field_index(name)).to_numpy(zero_copy_only=False)
    )


def _batches(columns: Mapping[str, Array]) -> Iterator[pa.RecordBatch]:
    names = list(columns)
    arrays: list[Any] = [pa.array(columns[name]) for name in names]
    for start in range(0, len(arrays[0]), _BATCH):
        yield pa.RecordBatch.from_arrays([array.slice(start, _BATCH) for array in arrays], names=names)
