from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching import estimation
from resolver.matching.estimation import Sample, byte_counts, fit, measure_u
from resolver.matching.parameters import ColumnParameters, Parameters, RelationParameters

M = ((0.05, 0.15, 0.80), (0.10, 0.20, 0.70), (0.15, 0.05, 0.80))
U = ((0.90, 0.08, 0.02), (0.80, 0.15, 0.05), (0.70, 0.20, 0.10))
START = (0.1, 0.3, 0.6)
ANY = (1.0, 1.0, 1.0)
STEP = 0.3
LABELS = ("differ", "similar", "exact")


def drawn(matches, others, seed=5):
    """Bytes of pairs drawn from known m and u; the bin of equality is that of u."""
    draw = np.random.default_rng(seed)
    out = []
    for m, u in zip(M, U, strict=True):
        level = np.concatenate([draw.choice(3, matches, p=m), draw.choice(3, others, p=u)])
        out.append(np.where(level == 2, 3 + round(-np.log(u[2]) / STEP), level + 1))
    return np.array(out, np.uint8)


def begin(rules, profiles, *relations):
    columns = tuple(ColumnParameters(f"c{k}", LABELS, START, u, 0.5, STEP, ANY) for k, u in enumerate(U))
    return Parameters(profiles, 1 / profiles, columns, relations)


def test_em_recovers_the_m_and_the_match_rate_that_data_were_drawn_from(rules):
    profiles = 400
    pairs = profiles * (profiles - 1) // 2
    model = fit(rules, begin(rules, profiles), Sample(drawn(4000, pairs - 4000)))
    for column, m in zip(model.columns, M, strict=True):
        assert column.m == pytest.approx(m, abs=0.05)
    assert model.match_rate == pytest.approx(4000 / pairs, rel=0.1)
    assert model.converged


def test_a_sample_that_stands_for_all_pairs_gives_the_same_rate(rules):
    profiles = 400
    pairs = profiles * (profiles - 1) // 2
    bytes_ = drawn(4000, pairs - 4000)
    some = np.random.default_rng(1).choice(pairs, pairs // 2, replace=False)
    whole = fit(rules, begin(rules, profiles), Sample(bytes_))
    half = fit(rules, begin(rules, profiles), Sample(np.ascontiguousarray(bytes_[:, some]), 2.0))
    assert half.match_rate == pytest.approx(whole.match_rate, rel=0.1)


def test_too_few_iterations_are_admitted(rules):
    short = rules.model_copy(update={"estimation": rules.estimation.model_copy(update={"iterations": 1})})
    model = fit(short, begin(rules, 400), Sample(drawn(4000, 75_800)))
    assert (model.iterations, model.converged) == (1, False)


def test_a_field_that_is_compared_alone_teaches_nothing_about_itself(rules):
    bytes_ = drawn(300, 3000)
    bytes_[1:] = 0
    model = fit(rules, begin(rules, 80), Sample(bytes_))
    assert model.columns[0].m == pytest.approx(START)


def test_a_relation_takes_up_pairs_that_agree_in_what_it_ties(rules):
    draw = np.random.default_rng(2)
    bytes_ = drawn(300, 20_000)
    relatives = np.arange(300, 1500)
    bytes_[0, relatives] = 16  # they share the first field and agree elsewhere by chance
    home = RelationParameters("home", 1e-4, (0,))
    del draw
    plain = fit(rules, begin(rules, 202), Sample(bytes_))
    related = fit(rules, begin(rules, 202, home), Sample(bytes_))
    assert related.relations[0].rate == pytest.approx(1200 / (202 * 201 / 2), rel=0.3)
    assert related.match_rate < plain.match_rate


def test_a_relation_that_the_file_hardly_shows_is_as_rare_as_the_rules_expect(rules):
    bytes_ = drawn(300, 20_000)
    relation = rules.relations[1]
    rates = {}
    for expected in (0.05, 1e-4):
        own = relation.model_copy(update={"per_match": expected})
        less = rules.model_copy(update={"relations": (own,)})
        home = RelationParameters(relation.name, 1e-9, (0, 1, 2))
        model = fit(less, begin(less, 202, home), Sample(bytes_))
        rates[expected] = model.relations[0].rate / model.match_rate
    assert rates[0.05] > 0.04
    assert rates[1e-4] < 0.02


def test_equal_pairs_are_looked_at_once_and_count_as_many():
    bytes_ = np.array([[1, 2, 1, 3, 1], [4, 5, 4, 6, 4]], np.uint8)
    once, times = estimation._once(Sample(bytes_))
    assert once.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert times.tolist() == [3, 1, 1]
    once, times = estimation._once(Sample(bytes_, labels=np.full(5, np.nan)))
    assert once is bytes_
    assert times.tolist() == [1] * 5


def test_beginning_with_some_pairs_ends_where_all_pairs_end(rules, monkeypatch):
    bytes_ = drawn(4000, 75_800)
    whole = fit(rules, begin(rules, 400), Sample(bytes_))
    monkeypatch.setattr(estimation, "_MANY", 1)
    rough = fit(rules, begin(rules, 400), Sample(bytes_))
    assert rough.converged
    assert rough.match_rate == pytest.approx(whole.match_rate, rel=0.01)
    for one, other in zip(rough.columns, whole.columns, strict=True):
        assert one.m == pytest.approx(other.m, abs=0.005)


def test_a_relation_that_hardly_shows_is_left_out_of_the_next_pass(rules):
    learned = begin(
        rules, 400, RelationParameters("seen", 1e-3, (0,)), RelationParameters("idle", 1e-7, (1,))
    )
    following = estimation.with_what_shows(rules, learned, learned)
    assert [relation.name for relation in following.relations] == ["seen"]


def bound(rules, columns, rows):
    cols = columns(rows)
    u = [np.full(len(column.comparison.levels), 1 / len(column.comparison.levels)) for column in cols]
    model = estimation.start(rules, cols, u, [0.5] * len(cols))
    return {relation.name: {cols[k].name for k in relation.ties} for relation in model.relations}


def test_a_relation_ties_each_attribute_of_the_kind_that_it_names(rules, columns):
    rows = [
        {
            "first_name": "ann",
            "last_name": "lee",
            "attributes": [{"key": "policy", "value": f"P{n}"}, {"key": "tier", "value": "gold"}],
        }
        for n in range(10, 20)
    ]
    assert "attribute:policy" in bound(rules, columns, rows)["family account"]
    assert "attribute:tier" not in bound(rules, columns, rows)["family account"]


def test_of_relations_that_tie_the_same_the_first_stands(rules, columns):
    rows = [{"first_name": "ann", "last_name": "lee", "phone_number": "+12025550123"}]
    assert "family account" not in bound(rules, columns, rows)  # no account: it would be the household again
    with_account = [rows[0] | {"account_number": "4711"}]
    assert bound(rules, columns, with_account)["family account"] == {"last_name", "phone", "account_number"}


def test_labels_outweigh_what_the_model_believes(rules):
    bytes_ = drawn(300, 3000)
    labels = np.full(3300, np.nan)
    labels[:300] = 0.0
    model = fit(rules, begin(rules, 82), Sample(bytes_, labels=labels))
    assert model.match_rate < fit(rules, begin(rules, 82), Sample(bytes_)).match_rate / 2


def test_a_share_is_never_learned_above_its_limit():
    limited = estimation._limited((0.4, 0.2, 0.4), (0.1, 1.0, 1.0))
    assert limited == pytest.approx((0.1, 0.3, 0.6))


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40))
def test_u_is_never_zero_and_adds_up_to_one(columns, bytes_):
    column = columns([{"gender": "female"}, {"gender": "male"}])[0]
    shares = measure_u([column], byte_counts(np.array([bytes_], np.uint8)), None)[0]
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(1)


def test_expected_matches_are_taken_off_u(columns):
    column = columns([{"gender": "female"}, {"gender": "male"}])[0]
    bytes_ = np.array([[1] * 50 + [2] * 50], np.uint8)
    before = measure_u([column], byte_counts(bytes_), None)[0]
    after = measure_u([column], byte_counts(bytes_), [np.array([0.0, 0.4])])[0]
    assert after[1] < before[1]


def test_being_similar_is_half_as_common_as_being_equal_where_no_stranger_shows_it(columns):
    column = columns([{"first_name": "Inge"}, {"first_name": "Jan"}])[0]
    equal, differ = column.top + 1, 1
    bytes_ = np.array([[differ] * 95 + [equal] * 5], np.uint8)
    shares = measure_u([column], byte_counts(bytes_), None)[0]
    assert shares[1:-1] == pytest.approx(shares[-1] / 2)
    assert shares.sum() == pytest.approx(1)
