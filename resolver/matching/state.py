"""What a run leaves for the next one, so that only what changed need be worked out again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.block_index import BlockIndex
from resolver.matching.components import components, first_rows
from resolver.matching.pair_index import unpack

if TYPE_CHECKING:
    from polars._typing import PolarsDataType

    from resolver.matching.evidence import Evidence
    from resolver.matching.linkage import Linkage
    from resolver.matching.trained import Trained
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet

#: Columns that matching does not read.
IGNORED: Final = frozenset({"profile_id", "last_updated_at", "source"})


@dataclass(frozen=True, eq=False)
class Rows:
    """One entry per profile of the file, in its order.

    ``name`` is a hash of the profile id, ``content`` of its values as written, ``cleaned`` of its
    standardised values. ``number`` is its own in the block index, ``part`` that of the file. ``near`` is
    the first row of all profiles that its clusters depended on, ``clusters`` those at each cut, ``core`` that
    of its core. ``bridged`` and ``shared`` are the doubts of its cluster (see ``with_doubts``).
    """

    name: Array
    content: Array
    cleaned: Array
    number: Array
    part: Array
    near: Array
    clusters: Array
    core: Array
    bridged: Array
    shared: Array


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of rows with the key that found each, weights (bits) and bytes (a row per column)."""

    left: Array
    right: Array
    key: Array
    weight: Array
    bytes_: Array


@dataclass(frozen=True, eq=False)
class State:
    """All of that, with the model and the decisions that it rests on.

    ``numbers`` is how many profile numbers were given out, ``changed`` how many profiles were added, changed
    or deleted since the model was learned, ``figures`` how many pairs each key found, ``candidates`` how many
    all together (in proportion to ``figures``, once profiles have changed).
    """

    trained: Trained
    rows: Rows
    links: Links
    index: BlockIndex
    decisions: pl.DataFrame
    numbers: int
    changed: int
    figures: tuple[dict[str, object], ...]
    candidates: float


def names_of(profile_ids: pl.Series) -> Array:
    """A hash of each profile id."""
    return profile_ids.hash(1).to_numpy()


def contents_of(profiles: pl.DataFrame) -> Array:
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


def nearness(rules: RuleSet, profiles: int, evidence: Evidence, known: tuple[Array, Array, Array]) -> Array:
    """The first row of all profiles that a profile's clusters depend on.

    Those are its component of pairs that may be joined, and every component that it was weighed against as a
    whole. ``known`` are the weights, which pairs people joined, and the words of ``Scored.met``.
    """
    weight, together, met = known
    left, right = evidence.sides
    use = (weight >= rules.clustering.join_from) | together
    a, b = unpack(met)
    label = components(profiles, np.concatenate([left[use], a]), np.concatenate([right[use], b]))
    return first_rows(label)


def state_of(
    profiles: pl.DataFrame, rules: RuleSet, linkage: Linkage, known: tuple[Trained, pl.DataFrame]
) -> State:
    """The state behind a linkage of a whole file; ``known`` are the model and the decisions."""
    trained, decisions = known
    answer = linkage.answer
    assert answer is not None  # noqa: S101 - something was compared, or there were no model
    order, view, scored = answer.order, answer.view, answer.scored
    count = len(order)
    back = np.empty(count, np.int64)
    back[order] = np.arange(count)
    evidence, constraints = scored.evidence, answer.constraints
    left, right = evidence.sides
    met = scored.met if scored.met is not None else np.empty(0, np.uint64)
    near = nearness(rules, count, evidence, (scored.weight, constraints.together(left, right), met))

    def in_file(first: Array) -> Array:
        return order[first][..., back].astype(np.uint32)

    rows = Rows(
        names_of(profiles["profile_id"]),
        contents_of(profiles),
        answer.learned.hashes,
        back.astype(np.uint32),
        view.strata.part[back],
        in_file(near),
        in_file(scored.clusters),
        in_file(answer.core),
        linkage.clusters["bridge_held"].to_numpy(),
        linkage.clusters["shared_contact_only"].to_numpy(),
    )
    links = Links(
        order[left].astype(np.uint32),
        order[right].astype(np.uint32),
        evidence.key,
        scored.weight,
        evidence.bytes_,
    )
    index = BlockIndex.of(trained.keys_of(view.columns), None, trained.bits)
    figures = tuple(dict(one) for one in answer.candidates.figures)
    return State(trained, rows, links, index, decisions, count, 0, figures, answer.candidates.count)
