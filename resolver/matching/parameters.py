"""What was learned from a file: enough to score and to explain any pair, and to be kept as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.frequency import BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.values import Array

BITS = 1 / math.log(2.0)  #: nats to bits
TABLE = 256  #: one entry per byte


@dataclass(frozen=True, slots=True)
class ColumnParameters:
    """One column's shares by level, rising: ``m`` among matches, ``u`` among non-matches.

    ``u`` of the top level is an average for people to read; scoring takes the value's own chance from its bin
    of ``step`` nats, and ``shift`` nats more. ``rarity`` is the expected number of other entities behind a
    value seen on one.
    """

    name: str
    labels: tuple[str, ...]
    m: tuple[float, ...]
    u: tuple[float, ...]
    rarity: float
    step: float
    at_most: tuple[float, ...]
    shift: float = 0.0

    @property
    def level_bits(self) -> tuple[float, ...]:
        """Average weight (bits) by level, rising; at equality for a value of average frequency."""
        return tuple(float(np.log2(m / max(u, 1e-12))) for m, u in zip(self.m, self.u, strict=True))

    def weights(self, m: Sequence[float] | None = None) -> Array:
        """Log of m over u (nats) for each byte; 0 for unknown. Another ``m`` may be given."""
        shares = np.log(np.asarray(self.m if m is None else m))
        top = len(self.m) - 1
        out = np.zeros(TABLE)
        out[1 : 1 + top] = shares[:top] - np.log(np.asarray(self.u)[:top])
        out[1 + top : 1 + top + BINS] = shares[top] - self.shift + self.step * np.arange(BINS)
        return out


@dataclass(frozen=True, slots=True)
class RelationParameters:
    """How common a relation between different entities is, and which columns it ties (places in ``columns``).

    ``own`` holds m by level for columns that agree differently in this relation than between matches.
    """

    name: str
    rate: float
    ties: tuple[int, ...]
    own: tuple[tuple[int, tuple[float, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class StratumParameters:
    """What differs from the file among the ``pairs`` pairs of one stratum (see ``strata``).

    ``u`` and ``shifts`` are per column, ``relation_rates`` per relation, in the order of the file's.
    """

    name: str
    pairs: float
    match_rate: float
    u: tuple[tuple[float, ...], ...]
    shifts: tuple[float, ...]
    relation_rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The whole model of one file. ``match_rate`` is over all pairs of its profiles.

    ``strata`` holds what is a stratum's own; empty where the file is undivided. ``sizes`` is, round by
    round of joining clusters as wholes, how many of each size (from 0 up) there were; empty where not known.
    """

    profiles: int
    match_rate: float
    columns: tuple[ColumnParameters, ...]
    relations: tuple[RelationParameters, ...]
    passes: int = 0
    iterations: int = 0
    converged: bool = False
    strata: tuple[StratumParameters, ...] = ()
    sizes: tuple[tuple[int, ...], ...] = ()

    @property
    def prior(self) -> float:
        """Log odds (nats) of a pair before anything is compared."""
        return float(np.log(self.match_rate) - np.log1p(-self.match_rate))

    def of(self, stratum: int) -> Parameters:
        """The model of one stratum's pairs; 0 is the whole file's."""
        if not stratum:
            return self
        own = self.strata[stratum - 1]
        columns = tuple(
            replace(column, u=u, shift=shift)
            for column, u, shift in zip(self.columns, own.u, own.shifts, strict=True)
        )
        relations = tuple(
            replace(relation, rate=rate)
            for relation, rate in zip(self.relations, own.relation_rates, strict=True)
        )
        return replace(self, match_rate=own.match_rate, columns=columns, relations=relations, strata=())

    @property
    def models(self) -> tuple[Parameters, ...]:
        """The file's model, then each stratum's."""
        return tuple(self.of(stratum) for stratum in range(len(self.strata) + 1))

    @property
    def tables(self) -> tuple[Array, ...]:
        """Weight per byte of each column (nats)."""
        return tuple(column.weights() for column in self.columns)

    def to_json(self) -> str:
        """The parameters as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Parameters:
        """The inverse of ``to_json``."""
        data = json.loads(text)
        columns = tuple(
            ColumnParameters(
                c["name"],
                tuple(c["labels"]),
                tuple(c["m"]),
                tuple(c["u"]),
                c["rarity"],
                c["step"],
                tuple(c["at_most"]),
                c["shift"],
            )
            for c in data["columns"]
        )
        relations = tuple(
            RelationParameters(
                r["name"], r["rate"], tuple(r["ties"]), tuple((k, tuple(shares)) for k, shares in r["own"])
            )
            for r in data["relations"]
        )
        strata = tuple(
            StratumParameters(
                s["name"],
                s["pairs"],
                s["match_rate"],
                tuple(tuple(shares) for shares in s["u"]),
                tuple(s["shifts"]),
                tuple(s["relation_rates"]),
            )
            for s in data["strata"]
        )
        data["sizes"] = tuple(tuple(sizes) for sizes in data["sizes"])
        bare = cls(**{**data, "columns": (), "relations": (), "strata": ()})
        return replace(bare, columns=columns, relations=relations, strata=strata)
