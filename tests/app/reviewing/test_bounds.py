from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from resolver.app.reviewing.bounds import (
    agreement_at_least,
    looks_needed,
    percent_down,
    percent_up,
    wrong_among,
    wrong_at_most,
)


@pytest.mark.parametrize(
    ("looks", "wrong", "said"),
    [(198, 0, "1.51 %"), (199, 0, "1.50 %"), (161, 0, "1.85 %"), (118, 1, "3.96 %")],
)
def test_reference_bounds_are_met_to_the_digit(looks, wrong, said):
    assert percent_up(wrong_at_most(looks, wrong)) == said


@pytest.mark.parametrize(("total", "clean", "most"), [(84, 7, 28), (300, 40, 20), (300, 158, 3)])
def test_reference_counts_of_a_batch_alone_are_met(total, clean, most):
    assert wrong_among(total, clean) == most


@given(st.integers(1, 400), st.integers(0, 20))
def test_a_bound_leaves_what_was_seen_a_five_percent_chance(looks, wrong):
    if wrong < looks:
        assert binom.cdf(wrong, looks, wrong_at_most(looks, wrong)) == pytest.approx(0.05, abs=1e-6)


@given(st.sampled_from([0.01, 0.015, 0.05]), st.integers(0, 5))
def test_the_looks_needed_are_the_fewest(gate, wrong):
    looks = looks_needed(gate, wrong)
    assert wrong_at_most(looks, wrong) <= gate < wrong_at_most(looks - 1, wrong)


def test_agreement_rounds_down_and_no_agreement_is_none():
    assert percent_down(agreement_at_least(118, 115)) == "93 %"
    assert agreement_at_least(5, 0) == 0.0


def test_without_looks_nothing_is_known():
    assert wrong_at_most(0, 0) == 1.0
