"""Where the heavy stages are done: here, or elsewhere by the same functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from resolver.matching.blocking import block
from resolver.matching.comparison import compare
from resolver.matching.evidence import Evidence
from resolver.matching.pair_index import unpack
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.blocking import Candidates, Limits
    from resolver.matching.keys import Key
    from resolver.matching.passes import View


class Work(Protocol):
    """Blocking and comparing of a whole file: the same pairs, bytes and figures wherever it is done."""

    def block(self, keys: Sequence[Key], limits: Limits, bits: int) -> Candidates:
        """The pairs that share a block of any key, as ``blocking.block`` finds them."""

    def compare(self, view: View, candidates: Candidates, drop_below: float) -> Evidence:
        """The candidates whose first weight (bits) is ``drop_below`` at least, with their bytes."""


class Here:
    """In this process."""

    def block(self, keys: Sequence[Key], limits: Limits, bits: int) -> Candidates:
        """As ``blocking.block``."""
        return block(keys, limits, bits)

    def compare(self, view: View, candidates: Candidates, drop_below: float) -> Evidence:
        """All candidates compared, without the hopeless."""
        bytes_ = view.all_bytes
        if bytes_ is None:
            bytes_ = compare(view.columns, view.bins, unpack(candidates.words))
        everything = Evidence(candidates.words, candidates.key, bytes_)
        return everything.only(match_weights(view.model, bytes_) >= drop_below)


HERE = Here()
