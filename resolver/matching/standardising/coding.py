"""Texts to integer codes: one row number per distinct value, 0 where unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.compiled import gathering
from resolver.compiled import texts as compiled
from resolver.compiled.library import there
from resolver.matching.lookups import look_up
from resolver.matching.sorting import hash_codes

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as codes: ``texts`` holds each distinct text once, row 0 is the empty string."""

    codes: np.ndarray
    texts: pl.Series

    def cleaned(self, texts: pl.Series) -> Coded:
        """The same rows with another text for each of ``texts``; equal ones fall together."""
        found = code(texts)
        return Coded(look_up(found.codes, self.codes), found.texts)

    def of(self, rows: np.ndarray) -> Coded:
        """The texts of those rows."""
        return Coded(self.codes[rows], self.texts)


def code(column: pl.Series) -> Coded:
    """One column as codes; null and the empty string are 0."""
    [codes], texts = encode([column])
    return Coded(codes, texts)


def together(columns: Sequence[Coded]) -> tuple[list[np.ndarray], pl.Series]:
    """Codes of all columns in one common vocabulary."""
    if len(columns) == 1:
        return [columns[0].codes], columns[0].texts
    mapped, texts = encode([column.texts for column in columns])
    return [look_up(new, column.codes) for new, column in zip(mapped, columns, strict=True)], texts


def filled(column: Coded, rows: np.ndarray, values: Coded) -> Coded:
    """The column with other values in those rows."""
    (codes, others), texts = together([column, values])
    codes = codes.copy()
    codes[rows] = others
    return Coded(codes, texts)


def encode(columns: Sequence[pl.Series]) -> tuple[list[np.ndarray], pl.Series]:
    """UInt32 codes of each column and their common vocabulary, whose row 0 is the empty string.

    Null and the empty string are code 0. Values are told apart by a 64-bit hash: among ten million distinct
    texts, two fall together with probability 3e-6. Codes follow the hashes, whatever the order of rows.
    """
    strings = [column if column.dtype == pl.String else column.cast(pl.String) for column in columns]
    texts = pl.concat([column.alias("text") for column in strings], rechunk=True)
    height, there = len(texts), None
    if 2 * texts.null_count() > len(texts):  # a null takes as long to be hashed as a text
        there, texts = texts.is_not_null().arg_true().to_numpy(), texts.drop_nulls()
    codes, example = hash_codes(texts.hash().to_numpy(), _blank())
    flat = codes
    if there is not None:
        flat = np.zeros(height, np.uint32)
        flat[there] = codes
    vocabulary = _vocabulary(texts, example)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(flat, ends), vocabulary


@cache
def _blank() -> np.ndarray:
    """The hashes of the empty string and of null."""
    return pl.Series(["", None]).hash().to_numpy()


def _vocabulary(texts: pl.Series, example: np.ndarray) -> pl.Series:
    """The empty string, and the text of each of those rows."""
    if compiled.taken(texts, nulls=True):
        return compiled.picked(texts, example)
    return pl.concat([pl.Series("text", [""], pl.String), texts.gather(example)], rechunk=True)


def stacked(columns: Sequence[pl.Series]) -> tuple[pl.Series, np.ndarray]:
    """The known texts of columns under each other, and where each stands: row + column number x height."""
    height = len(columns[0])
    places = [c.is_not_null().arg_true().to_numpy() + np.uint64(i * height) for i, c in enumerate(columns)]
    return pl.concat([column.drop_nulls().alias("text") for column in columns], rechunk=True), np.concatenate(
        places
    )


def slots_of(codes: np.ndarray, places: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Codes of texts that were stacked back in their rows, distinct ones packed to the left.

    ``shape`` says how many columns there were, and their height.
    """
    slots = np.zeros(shape, np.uint32)
    slots.ravel()[places] = codes
    return pack(slots)


def placed(column: pl.Series, rows: pl.Series, values: object) -> pl.Series:
    """The column with other values in those rows; the column itself stays (``Series.scatter`` changes it)."""
    return column.clone().scatter(rows, values)  # type: ignore[arg-type]


def gathered(codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """``codes`` of values as a column of the rows that hold them."""
    return look_up(codes, numbers).reshape(-1, 1)


def forget(codes: np.ndarray, unknown: pl.Series) -> np.ndarray:
    """The codes with 0 for every row of the vocabulary that is marked unknown."""
    if not unknown.any():
        return codes
    return look_up(np.where(unknown.to_numpy(), 0, np.arange(len(unknown))).astype(np.uint32), codes)


def pack(slots: np.ndarray) -> np.ndarray:
    """Codes with each row's distinct non-zero values moved to the left, empty columns dropped.

    ``slots`` has a row for each column of codes; the result has a row for each profile. At least one column
    remains.
    """
    if there():
        return gathering.packed(slots)
    slots = slots.T
    width = slots.shape[1]
    packed = np.zeros_like(slots)
    filled = np.zeros(len(slots), np.intp)
    for column in range(width):
        values = slots[:, column]
        new = values != 0
        for earlier in range(column):
            new &= slots[:, earlier] != values
        rows = np.flatnonzero(new)
        packed[rows, filled[rows]] = values[rows]
        filled[rows] += 1
    used = max(1, int(filled.max(initial=0)))
    return np.ascontiguousarray(packed[:, :used])
