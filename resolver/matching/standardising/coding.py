"""Texts to integer codes: one row number per distinct value, 0 where unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Clean = TypeVar("Clean")


def encode(columns: Sequence[pl.Series]) -> tuple[list[np.ndarray], pl.Series]:
    """Codes of each column and their common vocabulary, whose row 0 is the empty string.

    Null and the empty string are code 0.
    """
    everything = pl.concat([column.cast(pl.String).alias("text") for column in columns])
    distinct = everything.filter(everything.is_not_null() & (everything != "")).unique(maintain_order=True)
    vocabulary = pl.concat([pl.Series("text", [""], pl.String), distinct])
    table = distinct.to_frame().with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("code"))
    joined = everything.to_frame().join(table, on="text", how="left", maintain_order="left")
    flat = joined["code"].fill_null(0).to_numpy()
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return [np.ascontiguousarray(part) for part in np.split(flat, ends)], vocabulary


def clean_distinct(frame: pl.DataFrame, clean: Callable[..., Clean]) -> tuple[np.ndarray, list[Clean]]:
    """``clean`` of each distinct row, called with its columns, and which of them each row has.

    The row numbers are UInt32, one per row of the frame; the results start at 0.
    """
    distinct = frame.unique(maintain_order=True)
    numbered = distinct.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("number"))
    joined = frame.join(numbered, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")
    # Cleaning is Python by nature (the careful path): once per distinct value.
    return joined["number"].to_numpy(), [clean(*row) for row in distinct.iter_rows()]


def pack(slots: np.ndarray) -> np.ndarray:
    """Codes with each row's distinct non-zero values moved to the left, empty columns dropped.

    At least one column remains.
    """
    packed = slots.copy()
    for column in range(1, packed.shape[1]):
        for earlier in range(column):
            packed[packed[:, column] == packed[:, earlier], column] = 0
    order = np.argsort(packed == 0, axis=1, kind="stable")
    packed = np.take_along_axis(packed, order, axis=1)
    width = max(1, int((packed != 0).sum(axis=1).max(initial=0)))
    return np.ascontiguousarray(packed[:, :width])
