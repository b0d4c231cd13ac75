"""Clusters against clusters: small models in which every weight can be added up by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from resolver.matching.absorption import absorb, size_odds
from resolver.matching.constraints import constraints_of
from resolver.matching.evidence import Evidence
from resolver.matching.pair_index import all_pairs
from resolver.matching.parameters import BITS, ColumnParameters, Parameters
from resolver.model.frames import DECISIONS, empty
from resolver.rule_file import load_rules

FIELDS = 3
UNKNOWN, DIFFER, EQUAL = 0, 1, 2  # bytes of a comparison of two levels


def model(profiles):
    """Three fields worth about +6 bits if equal and -3 if not; even odds before anything is compared."""
    column = ColumnParameters("field", ("differ", "exact"), (0.1, 0.9), (0.86, 0.14), 0.5, 4.0, (1.0, 1.0))
    return Parameters(profiles, 0.5, (column,) * FIELDS, ())


def known(profiles, bytes_of):
    words = all_pairs(profiles)
    bytes_ = np.zeros((FIELDS, len(words)), np.uint8)
    for k, word in enumerate(words):
        bytes_[:, k] = bytes_of.get((int(word >> np.uint64(32)), int(word & np.uint64(0xFFFFFFFF))), 0)
    ids = pl.Series([f"p{i}" for i in range(profiles)])
    none = constraints_of(empty(DECISIONS), ids)
    return Evidence(words, np.zeros(len(words), np.uint16), bytes_), none


def joined(profiles, bytes_of, cluster, **changes):
    rules = load_rules().clustering.model_copy(update=changes)
    return absorb((model(profiles), None), known(profiles, bytes_of), np.array(cluster), rules).tolist()


def test_the_model_of_these_tests_weighs_as_it_says():
    table = model(2).tables[0] * BITS
    assert table[DIFFER] == pytest.approx(-3.1, abs=0.1)
    assert table[EQUAL] == pytest.approx(-0.2, abs=0.1), "a value that everybody has"
    assert table[EQUAL + 1] == pytest.approx(5.6, abs=0.1)


RARE = EQUAL + 1


def test_halves_of_one_customer_join_though_no_pair_shows_it():
    # 0 and 1 are one cluster; 2 shares one field with each, which linkage would average away
    shared = {(0, 1): (RARE, RARE, RARE), (0, 2): (RARE, UNKNOWN, DIFFER), (1, 2): (UNKNOWN, RARE, UNKNOWN)}
    assert joined(3, shared, [0, 0, 2]) == [0, 0, 0]


def test_a_typing_error_in_one_pair_does_not_outvote_a_hit_in_another():
    shared = {(0, 1): (RARE, RARE, RARE), (0, 2): (RARE, DIFFER, UNKNOWN), (1, 2): (DIFFER, RARE, UNKNOWN)}
    assert joined(3, shared, [0, 0, 2]) == [0, 0, 0]
    assert joined(3, shared, [0, 0, 2], absorb_best=0.0) == [0, 0, 2]


def test_two_single_profiles_are_left_to_their_own_weight():
    assert joined(2, {(0, 1): (RARE, RARE, RARE)}, [0, 1]) == [0, 1]


def test_clusters_with_nothing_in_common_stay_apart():
    assert joined(4, {(0, 1): (RARE,) * 3, (2, 3): (RARE,) * 3}, [0, 0, 2, 2]) == [0, 0, 2, 2]


def test_a_profile_that_fits_two_rivals_joins_neither():
    rivals = {(0, 1): (RARE,) * 3, (2, 3): (RARE,) * 3} | {
        (a, b): (DIFFER, RARE, DIFFER) for a in (0, 1) for b in (2, 3)
    }
    single = {(k, 4): (UNKNOWN, RARE, UNKNOWN) for k in range(4)}
    assert joined(5, rivals | single, [0, 0, 2, 2, 4]) == [0, 0, 2, 2, 4]
    only_one = rivals | {pair: levels for pair, levels in single.items() if pair[0] < 2}
    assert joined(5, only_one, [0, 0, 2, 2, 4]) == [0, 0, 2, 2, 0]


def test_pairs_that_were_never_compared_keep_clusters_apart():
    evidence, none = known(3, {(0, 1): (RARE,) * 3, (0, 2): (RARE,) * 3, (1, 2): (RARE,) * 3})
    rules = load_rules().clustering
    partly = Evidence(evidence.words[:2], evidence.key[:2], evidence.bytes_[:, :2])
    assert absorb((model(3), None), (evidence, none), np.array([0, 0, 2]), rules).tolist() == [0, 0, 0]
    assert absorb((model(3), None), (partly, none), np.array([0, 0, 2]), rules).tolist() == [0, 0, 2]


def test_a_decision_that_keeps_one_member_apart_keeps_the_clusters_apart():
    evidence, _ = known(3, {(0, 1): (RARE,) * 3, (0, 2): (RARE,) * 3, (1, 2): (RARE,) * 3})
    ids = pl.Series(["p0", "p1", "p2"])
    decisions = empty(DECISIONS)
    row = dict.fromkeys(decisions.columns) | {
        "profile_id_left": "p1",
        "profile_id_right": "p2",
        "verdict": "non_match",
    }
    decided = pl.DataFrame([row], schema=decisions.schema)
    rules = load_rules().clustering
    found = absorb((model(3), None), (evidence, constraints_of(decided, ids)), np.array([0, 0, 2]), rules)
    assert found.tolist() == [0, 0, 2]


def sizes(*counts):
    """So many clusters of each size from 1 on, as sizes at first rows; and their first rows by size."""
    rows, first = [], {}
    for size, count in enumerate(counts, 1):
        for _ in range(count):
            first.setdefault(size, []).append(len(rows))
            rows += [size, *[0] * (size - 1)]
    return np.array(rows), first


def odds(counts, one, other, match_rate):
    size, first = sizes(*counts)
    pair = np.array([(first[one][0] << 32) | first[other][-1]], np.uint64)
    counts_by_size = np.bincount(size[size > 0])
    return size_odds(size, pair, (counts_by_size.tolist(), match_rate))[0]


def test_a_third_profile_is_unlikely_where_customers_exist_twice_at_most():
    rate = 1e-3
    assert odds((300, 100), 1, 2, rate) == pytest.approx(np.log2(0.5 / (300.5 * 100.5) / rate))
    assert odds((300, 100), 1, 2, rate) < -5


def test_a_profile_alone_is_likely_one_of_them_where_customers_exist_many_times():
    assert odds((3, 40, 40, 40), 1, 3, 1e-3) > 5


def test_what_is_rare_does_not_belong_together_for_that():
    assert odds((300, 100, 1, 1), 3, 4, 1e-3) == 0
    assert odds((300, 100), 2, 2, 1e-3) < 0


def test_no_pairs_no_odds():
    assert len(size_odds(np.array([1]), np.empty(0, np.uint64), ((0, 1), 0.1))) == 0
