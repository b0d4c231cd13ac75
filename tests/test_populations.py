"""Where customers share what marks a person elsewhere, they are still told apart, or a person is asked."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from resolver.rule_file import load_rules

_FILE = Path(__file__).parents[1] / "benchmarks/populations.py"
_SPEC = importlib.util.spec_from_file_location("populations", _FILE)
populations = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(populations)

RULES = load_rules(None)
#: F1 at least, and how much of what would be merged without a person is right: some under what was measured.
BARS = {
    "families": (0.90, 0.99),
    "offices": (0.75, 0.96),
    "desks": (0.80, 0.99),
    "agencies": (0.97, 0.99),
    "branches": (0.93, 0.99),
    "call_centres": (0.80, 0.99),
    "malls": (0.93, 0.99),
    "namesakes": (0.50, 0.93),  # only a birth date tells father and son apart: mostly for a person to see
}


@pytest.mark.parametrize("make", populations.POPULATIONS, ids=lambda make: make.__name__)
def test_what_related_customers_share_is_not_taken_for_a_match(make):
    f1, precision, recall = populations.measured(populations.entries(make, 900, seed=3), RULES)
    least, sure = BARS[make.__name__]
    assert f1 >= least
    assert precision >= sure
    assert recall > 0.4


@pytest.mark.parametrize(("name", "relation"), [("families", "family mailbox"), ("call_centres", "chain")])
def test_without_its_relation_estimation_takes_it_for_the_match(name, relation):
    relations = tuple(one for one in RULES.relations if one.name != relation)
    without = RULES.model_copy(update={"relations": relations})
    f1, _, _ = populations.measured(populations.entries(getattr(populations, name), 900, seed=3), without)
    assert f1 < 0.5
