"""Where the heavy stages are done: here, or elsewhere by the same functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from resolver.matching.blocking import block
from resolver.matching.clustering import cut_components
from resolver.matching.comparison import compare
from resolver.matching.components import components
from resolver.matching.evidence import Evidence
from resolver.matching.pair_index import unpack
from resolver.matching.scoring import match_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.blocking import Candidates, Limits
    from resolver.matching.clustering import Edges
    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
    from resolver.matching.passes import View
    from resolver.matching.values import Array


class Work(Protocol):
    """Blocking, comparing, scoring and clustering of a whole file: the same answer wherever it is done."""

    def block(self, keys: Sequence[Key], limits: Limits, bits: int) -> Candidates:
        """The pairs that share a block of any key, as ``blocking.block`` finds them."""

    def compare(self, view: View, candidates: Candidates, drop_below: float) -> Evidence:
        """The candidates whose first weight (bits) is ``drop_below`` at least, with their bytes."""

    def weigh(self, model: Parameters, bytes_: Array, stratum: Array | None) -> Array:
        """The match weight (bits) of each pair."""

    def components(self, profiles: int, left: Array, right: Array) -> Array:
        """A component number per profile, 0 up, in the order of first members."""

    def cut(self, label: Array, edges: Edges, cuts: Sequence[float], largest: int) -> Array:
        """Clusters at each cut inside the components of ``label``."""


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

    def weigh(self, model: Parameters, bytes_: Array, stratum: Array | None) -> Array:
        """As ``match_weights``."""
        return match_weights(model, bytes_, stratum)

    def components(self, profiles: int, left: Array, right: Array) -> Array:
        """As ``components.components``."""
        return components(profiles, left, right)

    def cut(self, label: Array, edges: Edges, cuts: Sequence[float], largest: int) -> Array:
        """As ``cut_components``."""
        return cut_components(label, edges, cuts, largest)


HERE = Here()
