"""Texts to integer codes: one row number per distinct value, 0 where unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


def encode(columns: Sequence[pl.Series]) -> tuple[list[np.ndarray], pl.Series]:
    """UInt32 codes of each column and their common vocabulary, whose row 0 is the empty string.

    Null and the empty string are code 0. Values are told apart by a 64-bit hash: among ten million distinct
    texts, one pair falls together with probability 3e-6.
    """
    texts = pl.concat([column.cast(pl.String).alias("text") for column in columns], rechunk=True)
    frame = pl.DataFrame({"hash": texts.hash(), "text": texts})
    known = pl.col("text").is_not_null() & (pl.col("text") != "")
    hashes = frame.select(pl.when(known).then("hash").alias("hash"))
    distinct = (
        hashes.unique()
        .drop_nulls()
        .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("code"))
    )
    joined = hashes.join(distinct, on="hash", how="left", maintain_order="left")["code"]
    flat = joined.fill_null(0).to_numpy()
    example = np.zeros(distinct.height + 1, np.uint32)
    example[flat] = np.arange(len(flat), dtype=np.uint32)
    vocabulary = pl.concat([pl.Series("text", [""], pl.String), texts.gather(example[1:])], rechunk=True)
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return [np.ascontiguousarray(part) for part in np.split(flat, ends)], vocabulary


def gathered(codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """``codes`` of values as a column of the rows that hold them."""
    column: np.ndarray = codes[numbers].reshape(-1, 1)
    return column


def forget(codes: np.ndarray, unknown: pl.Series) -> np.ndarray:
    """The codes with 0 for every row of the vocabulary that is marked unknown."""
    if not unknown.any():
        return codes
    kept: np.ndarray = np.where(unknown.to_numpy(), 0, np.arange(len(unknown))).astype(np.uint32)[codes]
    return kept


def pack(slots: np.ndarray) -> np.ndarray:
    """Codes with each row's distinct non-zero values moved to the left, empty columns dropped.

    At least one column remains.
    """
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
