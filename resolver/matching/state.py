"""What a run leaves for the next one, so that only what changed need be worked out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.block_index import BlockIndex
from resolver.matching.components import components, first_rows
from resolver.matching.fingerprints import Fingerprints
from resolver.matching.pair_index import unpack

if TYPE_CHECKING:
    import polars as pl

    from resolver.matching.evidence import Evidence
    from resolver.matching.linkage import Linkage
    from resolver.matching.results import Membership
    from resolver.matching.trained import Trained
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet


@dataclass(frozen=True, eq=False)
class Rows:
    """One entry per profile of the file, in its order.

    ``name`` is a hash of the profile id, ``content`` of its values as written, ``cleaned`` of its
    standardised values. ``number`` is its own in the block index, ``part`` that of the file. ``near`` is
    the first row of all profiles that its clusters depended on, ``clusters`` those at each cut, ``core`` that
    of its core. ``told`` is what CLUSTERS says of it.
    """

    name: Array
    content: Array
    cleaned: Array
    number: Array
    part: Array
    near: Array
    clusters: Array
    core: Array
    told: Membership


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
    assert answer is not None and linkage.told is not None  # noqa: S101, PT018 - something was compared, or there were no model
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

    prints = Fingerprints.of(profiles)
    rows = Rows(
        prints.name,
        prints.content,
        answer.learned.hashes,
        back.astype(np.uint32),
        view.strata.part[back],
        in_file(near),
        in_file(scored.clusters),
        in_file(answer.core),
        linkage.told,
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
