from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.parameters import BITS, ColumnParameters, Parameters, RelationParameters
from resolver.matching.scoring import HELD, lone_similar, match_weights

LEVELS = ("differ", "similar", "exact")


def model(*relations):
    column = ColumnParameters("x", LEVELS, (0.1, 0.2, 0.7), (0.9, 0.08, 0.02), 0.5, 0.3, (1.0, 1.0, 1.0))
    return Parameters(100, 0.01, (column, column), tuple(relations))


def slow_twin(parameters, bytes_):
    """The formula of the module's first lines, pair by pair with plain floats."""

    def weight(k, byte, m=None):
        column = parameters.columns[k]
        shares = m or column.m
        if byte == 0:
            return 0.0
        if byte >= len(shares):
            return math.log(shares[-1]) + column.step * (byte - len(shares))
        return math.log(shares[byte - 1] / column.u[byte - 1])

    evidence = sum(weight(k, byte) for k, byte in enumerate(bytes_))
    related = sum(
        r.rate * math.exp(sum(weight(k, bytes_[k], dict(r.own).get(k)) for k in r.ties))
        for r in parameters.relations
    )
    prior = math.log(parameters.match_rate / (1 - parameters.match_rate))
    total = (prior + evidence - math.log(1 + related)) * BITS
    known = [b for b in bytes_ if b]
    return min(total, HELD) if len(known) == 1 and known[0] < len(LEVELS) else total


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=9))
def test_weights_are_the_formula(pairs):
    home = RelationParameters("home", 0.02, (0,))
    area = RelationParameters("area", 0.3, (0,), ((0, (0.2, 0.2, 0.6)),))
    for parameters in (model(), model(home), model(home, area)):
        found = match_weights(parameters, np.array(pairs, np.uint8).T.copy())
        assert found == pytest.approx([slow_twin(parameters, pair) for pair in pairs])


@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=9))
def test_relations_that_tie_what_others_tie_weigh_as_if_each_were_summed_by_itself(pairs):
    own = ((0, (0.2, 0.2, 0.6)),)
    two = model()
    four = replace(two, columns=two.columns * 2)
    nested = (
        RelationParameters("flat", 1e-4, (0, 1, 3)),
        RelationParameters("street", 1e-3, (0, 1)),
        RelationParameters("area", 1e-2, (0,)),
        RelationParameters("site", 1e-3, (0, 2), own),
        RelationParameters("chain", 1e-2, (0,), own),
        RelationParameters("other", 1e-2, (2,)),
        RelationParameters("nothing", 1e-5, ()),
    )
    for relations in (nested, nested[::-1]):
        parameters = replace(four, relations=relations)
        found = match_weights(parameters, np.array(pairs, np.uint8).T.copy())
        assert found == pytest.approx([slow_twin(parameters, pair) for pair in pairs])


def test_what_a_household_shares_weighs_less_where_households_are_common():
    shared = np.array([[20], [1]], np.uint8)
    alone = match_weights(model(), shared)[0]
    with_homes = match_weights(model(RelationParameters("home", 0.02, (0,))), shared)[0]
    assert with_homes < alone


def test_one_similar_field_is_held_under_even_odds_and_one_equal_field_is_not():
    bytes_ = np.array([[2, 12, 2], [0, 0, 12]], np.uint8)
    assert lone_similar(model(), bytes_).tolist() == [True, False, False]
    rich = model()
    rich = Parameters(100, 0.4, rich.columns, ())
    held, equal, _ = match_weights(rich, bytes_)
    assert held == HELD
    assert equal > 0


def test_more_agreement_never_weighs_less_without_relations():
    weights = match_weights(model(), np.array([[1, 2, 12, 18], [9, 9, 9, 9]], np.uint8))
    assert sorted(weights.tolist()) == weights.tolist()


def test_parameters_survive_json():
    whole = model(RelationParameters("home", 0.02, (0,), ((0, (0.2, 0.2, 0.6)),)))
    assert Parameters.from_json(whole.to_json()) == whole
