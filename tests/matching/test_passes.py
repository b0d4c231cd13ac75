from __future__ import annotations

import numpy as np

from resolver.matching.evidence import Evidence
from resolver.matching.pair_index import all_pairs, unpack
from resolver.matching.passes import estimate, first_view, random_pairs


def test_a_small_file_gives_all_its_pairs_and_a_large_one_a_fixed_draw():
    assert random_pairs(4, 100).tolist() == all_pairs(4).tolist()
    words = random_pairs(1000, 500)
    left, right = unpack(words)
    assert len(words) == 500
    assert (left < right).all()
    assert (random_pairs(1000, 500) == words).all()


def some(rules, columns, count=60):
    view = first_view(
        rules, columns([{"first_name": f"Anna{k % 7}", "last_name": f"Roe{k % 5}"} for k in range(count)])
    )
    return view, Evidence(view.random_words, np.zeros(len(view.random_words), np.uint8), view.random_bytes)


def test_without_candidates_the_start_model_stands(rules, columns):
    view, evidence = some(rules, columns)
    assert estimate(rules, view, evidence.only(np.zeros(len(evidence.words), bool))) is view.model


def test_more_candidates_than_the_sample_holds_are_sampled(rules, columns):
    view, evidence = some(rules, columns)
    small = rules.model_copy(
        update={"estimation": rules.estimation.model_copy(update={"sample_pairs": 1000})}
    )
    whole, sampled = estimate(rules, view, evidence), estimate(small, view, evidence)
    assert len(evidence.words) > 1000
    assert abs(np.log(whole.match_rate / sampled.match_rate)) < 0.7
