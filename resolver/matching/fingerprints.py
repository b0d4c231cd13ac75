"""What tells whether a profile is the one that it was: hashes of its id and of its values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from polars._typing import PolarsDataType

#: Columns that matching does not read.
IGNORED: Final = frozenset({"profile_id", "last_updated_at", "source"})


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """One entry per profile: ``name`` is a hash of its id, ``content`` of its values as written (UInt64)."""

    name: NDArray[np.uint64]
    content: NDArray[np.uint64]

    @classmethod
    def of(cls, profiles: pl.DataFrame) -> Fingerprints:
        """Those of a PROFILES frame."""
        return cls(names_of(profiles["profile_id"]), contents_of(profiles))


def names_of(profile_ids: pl.Series) -> NDArray[np.uint64]:
    """A hash of each profile id."""
    return profile_ids.hash(1).to_numpy()


def contents_of(profiles: pl.DataFrame) -> NDArray[np.uint64]:
    """A hash of what matching reads of each profile of a PROFILES frame; columns of nulls change nothing."""
    hashes = []
    for name in profiles.columns:
        if name not in IGNORED and profiles[name].null_count() < profiles.height:
            hashes += _hashes_of(pl.col(name), name, profiles.schema[name])
    if not hashes:
        return np.zeros(profiles.height, np.uint64)
    out = np.zeros(profiles.height, np.uint64)
    for hashed in profiles.select(hashes):
        out += hashed.to_numpy()
    return out


def _hashes_of(column: pl.Expr, name: str, kind: PolarsDataType) -> list[pl.Expr]:
    """A hash of a column's values, 0 for nulls; one for each part of a struct of plain values."""
    if isinstance(kind, pl.Struct) and not any(field.dtype.is_nested() for field in kind.fields):
        return [
            one
            for field in kind.fields
            for one in _hashes_of(column.struct.field(field.name), f"{name}.{field.name}", field.dtype)
        ]
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")
    there = column.is_not_null()
    if kind.is_nested():  # as JSON: two lists of structs are hashed by what they hold
        column = (column if isinstance(kind, pl.Struct) else pl.struct(name)).struct.json_encode()
    return [pl.when(there).then(column.hash(seed)).otherwise(0).alias(name)]
