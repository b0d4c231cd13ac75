from __future__ import annotations

import numpy as np

from resolver.matching.key_parts import Part
from resolver.matching.keys import Key
from resolver.matching.learning_keys import _cover, sampled_rows


def key(name, *, always=False):
    return Key((Part(name, np.zeros((1, 1), np.uint32)),), always)


def chosen(rules, keys, found, likely):
    return [
        k.name for k in _cover(rules.blocking, keys, [np.array(f) for f in found], np.array(likely, bool))
    ]


def test_the_key_with_most_new_likely_matches_per_pair_comes_first(rules):
    likely = [True] * 6 + [False] * 6
    keys = [key("wide"), key("sharp"), key("repeats sharp")]
    found = [list(range(12)), [0, 1, 2, 3], [1, 2, 3]]
    assert chosen(rules, keys, found, likely) == ["sharp", "wide"]


def test_keys_that_are_always_used_come_before_and_cover_first(rules):
    keys = [key("given", always=True), key("same"), key("more")]
    assert chosen(rules, keys, [[0, 1], [0, 1], [1, 2]], [True] * 3) == ["given", "more"]


def test_a_key_that_pays_with_too_many_pairs_is_left_out(rules):
    pairs = rules.blocking.worth_pairs + 1
    likely = [True] + [False] * (2 * pairs)
    assert chosen(rules, [key("costly")], [list(range(pairs))], likely) == []
    assert chosen(rules, [key("cheap")], [list(range(pairs - 1))], likely) == ["cheap"]


def test_rows_are_drawn_evenly_and_all_of_a_small_file():
    assert sampled_rows(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert sampled_rows(10, 5).tolist() == [0, 2, 4, 6, 8]
