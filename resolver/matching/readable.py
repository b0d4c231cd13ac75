"""An incremental answer with what explaining some profiles takes: their values, and what blocking found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching.blocking import Candidates, Limits, index_of_key, pairs_of_index
from resolver.matching.evidence import Evidence
from resolver.matching.neighbourhood import Values, placed
from resolver.matching.pair_index import all_pairs, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl

    from resolver.matching.linkage import Linkage
    from resolver.matching.state import State
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet


def readable(
    linkage: Linkage, profiles: pl.DataFrame, rules: RuleSet, known: tuple[State, Collection[str]]
) -> Linkage:
    """The linkage of ``link_changes``, fit for explaining the profiles whose ids are given with its state."""
    state, ids = known
    if linkage.answer is None or not ids:
        return linkage
    answer = linkage.answer
    rows = profiles["profile_id"].is_in(list(ids)).arg_true().to_numpy().astype(np.int64)
    values = Values.of(profiles, rows, rules, state.trained)
    columns = tuple(placed(column, values.local) for column in values.view.columns)
    evidence = answer.scored.evidence
    order = np.argsort(evidence.words, kind="stable")
    ordered = Evidence(evidence.words[order], evidence.key[order], evidence.bytes_[:, order])
    words, key = _found(state, values)
    return replace(
        linkage,
        answer=replace(
            answer,
            view=replace(answer.view, columns=columns, bins=values.view.bins),
            scored=replace(answer.scored, evidence=ordered, weight=answer.scored.weight[order]),
            candidates=Candidates(words, key, answer.candidates.names, answer.candidates.figures),
        ),
    )


def _found(state: State, values: Values) -> tuple[Array, Array]:
    """Which pairs of these profiles blocking finds in the whole file, and the first key of each."""
    rows, bits = values.rows, state.trained.bits
    if state.trained.keys is None:
        left, right = unpack(all_pairs(len(rows)))
        words = pack(rows[left], rows[right])
        return words, np.zeros(len(words), np.uint16)
    there = np.zeros(state.numbers, bool)
    there[state.rows.number.astype(np.intp)] = True
    first: dict[int, int] = {}
    keys = state.trained.keys_of(values.view.columns)
    low = np.uint64((1 << bits) - 1)
    for k, (key, (_, allowed)) in enumerate(zip(keys, state.trained.keys, strict=True)):
        index = index_of_key(key, bits)
        block = index >> np.uint64(bits)
        blocks = np.unique(block)
        place, _ = state.index.members(k, blocks, there)
        fits = np.bincount(place, minlength=len(blocks)) <= allowed
        kept = index[fits[np.searchsorted(blocks, block)]] if len(blocks) else index
        pairs, _, _ = pairs_of_index(kept, Limits(allowed, float("inf")), bits)
        one, other = (rows[x.astype(np.intp)] for x in (pairs >> np.uint64(bits), pairs & low))
        for word in pack(np.minimum(one, other), np.maximum(one, other)).tolist():  # few are explained
            first.setdefault(word, k)
    words = np.array(sorted(first), np.uint64)
    return words, np.array([first[word] for word in words.tolist()], np.uint16)
