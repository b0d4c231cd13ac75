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
    "families": (0.93, 0.99),
    "offices": (0.94, 0.99),
    "desks": (0.85, 0.99),
    "agencies": (0.97, 0.99),
    "branches": (0.95, 0.99),
    "call_centres": (0.85, 0.99),
    "malls": (0.95, 0.98),
    "namesakes": (0.95, 0.99),
    "twins": (0.93, 0.99),
    "accounts": (0.97, 0.99),
    "policies": (0.97, 0.99),
    "homes": (0.93, 0.99),
    "contacts": (0.95, 0.99),
    "logins": (0.97, 0.99),
}


@pytest.mark.parametrize("make", populations.POPULATIONS, ids=lambda make: make.__name__)
def test_what_related_customers_share_is_not_taken_for_a_match(make):
    f1, precision, recall = populations.measured(populations.entries(make, 900, seed=3), RULES)
    least, sure = BARS[make.__name__]
    assert f1 >= least
    assert precision >= sure
    assert recall > 0.4


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("families", "family mailbox"),
        ("call_centres", "chain"),
        ("accounts", "family account"),
        ("policies", "family account"),
        ("twins", "twins"),
        ("namesakes", "namesakes"),
    ],
)
def test_without_its_relation_it_is(name, relation):
    relations = tuple(one for one in RULES.relations if one.name != relation)
    without = RULES.model_copy(update={"relations": relations})
    f1, _, _ = populations.measured(populations.entries(getattr(populations, name), 900, seed=3), without)
    assert f1 < BARS[name][0] - 0.05
