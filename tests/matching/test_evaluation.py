from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.errors import BadFrame
from resolver.matching.evaluation import by_entity_size, pair_scores, score_clusters, wrong_pairs

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


def frames(rows):
    ids = [f"p{i:02d}" for i in range(len(rows))]
    truth = pl.DataFrame({"profile_id": ids, "entity_id": [f"e{t}" for t, _ in rows]})
    clusters = pl.DataFrame({"profile_id": ids, "cluster_id": [f"c{c}" for _, c in rows]})
    return clusters, truth.reverse()


@given(labels)
def test_scores_are_those_of_counting_one_by_one(rows):
    clusters, truth = frames(rows)
    score = score_clusters(clusters, truth)
    pairs = list(combinations(rows, 2))
    assert score.true_pairs == sum(x[0] == y[0] for x, y in pairs)
    assert score.predicted_pairs == sum(x[1] == y[1] for x, y in pairs)
    assert score.correct_pairs == sum(x == y for x, y in pairs)
    n = len(rows)
    precision = sum(rows.count(r) / sum(c == r[1] for _, c in rows) for r in rows) / n
    recall = sum(rows.count(r) / sum(t == r[0] for t, _ in rows) for r in rows) / n
    assert score.bcubed_precision == pytest.approx(precision)
    assert score.bcubed_recall == pytest.approx(recall)
    entities = {frozenset(i for i, r in enumerate(rows) if r[0] == t) for t, _ in rows}
    found = {frozenset(i for i, r in enumerate(rows) if r[1] == c) for _, c in rows}
    assert score.exact_entities == len(entities & found)


@given(labels)
def test_wrong_pairs_are_those_in_which_clusters_and_truth_differ(rows):
    wrong = wrong_pairs(*frames(rows))
    pairs = list(combinations(rows, 2))
    joined = wrong.filter(pl.col("error") == "joined")
    assert joined.height == sum(x[1] == y[1] and x[0] != y[0] for x, y in pairs)
    assert wrong.height - joined.height == sum(x[0] == y[0] and x[1] != y[1] for x, y in pairs)


def test_rates_with_nothing_below_the_line_are_one():
    clusters, truth = frames([(0, 0), (1, 1)])
    score = score_clusters(clusters, truth)
    assert (score.precision, score.recall, score.f1, score.exact_rate) == (1, 1, 1, 1)
    assert score.bcubed_f1 == 1


def test_scores_by_size_tell_single_profiles_from_pairs():
    clusters, truth = frames([(0, 0), (0, 0), (1, 1), (1, 2), (2, 3)])
    by_size = by_entity_size(clusters, truth)
    assert by_size.rows() == [(1, 1, 1, None), (2, 2, 1, 0.5)]


def test_thresholds_trade_precision_for_recall():
    _, truth = frames([(0, 0), (0, 0), (1, 1)])
    pairs = pl.DataFrame(
        {
            "profile_id_left": ["p00", "p01"],
            "profile_id_right": ["p01", "p02"],
            "match_weight": [5.0, 1.0],
        }
    )
    table = pair_scores(pairs, truth, [0.0, 3.0, 9.0])
    assert table["precision"].to_list() == [0.5, 1.0, 1.0]
    assert table["recall"].to_list() == [1.0, 1.0, 0.0]
    assert table["f1"].to_list() == [pytest.approx(2 / 3), 1.0, 0.0]


def test_ids_that_repeat_or_are_in_one_frame_only_are_refused():
    clusters, truth = frames([(0, 0), (1, 1)])
    with pytest.raises(BadFrame, match="1 profile ids are repeated"):
        score_clusters(pl.concat([clusters, clusters.head(1)]), truth)
    with pytest.raises(BadFrame, match="clusters has 1 profiles and the truth 2; 1 are in both"):
        score_clusters(clusters.head(1), truth)
