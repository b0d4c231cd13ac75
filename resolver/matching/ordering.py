"""One order of profiles that depends on their content only: row order never changes an answer."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.compiled import gathering, library
from resolver.matching.sorting import ordered_hashes
from resolver.model.standardised import Standardised

if TYPE_CHECKING:
    from resolver.matching.values import Array
    from resolver.model.standardised import StandardisedField

_THREADS = 2
_MIX = np.uint64(0x9E3779B97F4A7C15)


def content_hashes(standardised: Standardised) -> Array:
    """A hash of all standardised values of each profile."""
    fields = list(standardised.fields.items())

    def summed(number: int) -> Array:
        """Of every so manieth field: a sum, so that the order of fields and slots does not matter."""
        hashes = np.zeros(standardised.profiles, np.uint64)
        for name, field in fields[number::_THREADS]:
            seed = np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big"))
            text = field.vocabulary["text"].hash(0).to_numpy() ^ seed
            text = (text ^ (text >> np.uint64(31))) * _MIX
            text = text ^ (text >> np.uint64(29))
            text[0] = 0
            if library.there():
                gathering.add_entries(hashes, text, field.codes)
                continue
            for slot in range(field.codes.shape[1]):
                hashes += text[field.codes[:, slot]]
        return hashes

    with ThreadPoolExecutor(_THREADS) as pool:
        one, *others = pool.map(summed, range(_THREADS))
    for other in others:
        one += other
    return one


def content_order(standardised: Standardised, profile_ids: pl.Series) -> Array:
    """Row numbers sorted by a hash of all standardised values; equal profiles by their ids."""
    return order_of(content_hashes(standardised), profile_ids)


def order_of(hashes: Array, profile_ids: pl.Series) -> Array:
    """Row numbers sorted by ``content_hashes``; equal ones by their ids."""
    order, ranked = ordered_hashes(hashes)
    same = np.zeros(len(order), bool)
    same[1:] = ranked[1:] == ranked[:-1]
    same[:-1] |= same[1:]
    at = np.flatnonzero(same)
    if len(at):
        tied = pl.DataFrame({"hash": ranked[at], "id": profile_ids.gather(order[at]), "row": order[at]})
        order[at] = tied.sort("hash", "id")["row"].to_numpy()
    return order


def in_order(standardised: Standardised, order: Array) -> Standardised:
    """The same profiles in that order; vocabularies are shared."""

    def ordered(field: StandardisedField) -> StandardisedField:
        if library.there():
            return replace(field, codes=gathering.rows_of(field.codes, order))
        return replace(field, codes=np.take(field.codes, order, axis=0))

    with ThreadPoolExecutor(_THREADS) as pool:
        fields = list(pool.map(ordered, standardised.fields.values()))
    return Standardised(standardised.profiles, dict(zip(standardised.fields, fields, strict=True)))
