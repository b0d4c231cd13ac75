from __future__ import annotations

import pytest

from resolver.errors import BadRules
from resolver.model.gates import FIGURES, Gates, Limit
from resolver.report.judging import judge
from resolver.rule_file import load_rules, parse_rules, rules_directory

DEFAULT = (rules_directory() / "default.toml").read_text()


def gates(**settings) -> Gates:
    return Gates(limits=(Limit(reason="because", **settings),))


def figures(limit: Gates, now: dict[str, float], before: dict[str, float] | None) -> list[str]:
    return [breach.figure for breach in judge(limit, now, before)]


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [
        (1000, 1500, False),
        (1000, 1501, True),
        (1000, 900, False),
        (1000, 899, True),
        (10, 59, False),
        (10, 61, True),
    ],
)
def test_a_jump_holds_beyond_its_share_and_its_grace(before, now, held):
    limit = gates(figure="profiles", rise=0.5, fall=0.1, grace=50)
    assert bool(figures(limit, {"profiles": now}, {"profiles": before})) is held


def test_the_first_run_is_held_by_absolute_limits_only():
    limit = gates(figure="largest_cluster", rise=0.0, at_most=50)
    assert figures(limit, {"largest_cluster": 50}, None) == []
    assert figures(limit, {"largest_cluster": 51}, None) == ["largest_cluster"]
    assert figures(gates(figure="profiles", at_least=1), {"profiles": 0}, None) == ["profiles"]


def test_a_field_that_empties_or_fills_is_named():
    limit = gates(figure="fill_rate.*", rise=1.0, fall=0.2, grace=0.1)
    before = {"fill_rate.phone_number": 0.9, "fill_rate.birth_date": 0.5, "fill_rate.city": 0.11}
    now = {"fill_rate.birth_date": 0.5, "fill_rate.city": 0.02, "fill_rate.gender": 0.7}
    assert figures(limit, now, before) == ["fill_rate.gender", "fill_rate.phone_number"]


def test_blocking_rules_that_only_one_run_used_are_not_compared():
    limit = gates(figure="pairs_per_profile.*", rise=1.0)
    before = {"pairs_per_profile.phone": 1.0, "pairs_per_profile.email": 1.0}
    now = {"pairs_per_profile.phone": 2.5, "pairs_per_profile.name": 90.0}
    assert figures(limit, now, before) == ["pairs_per_profile.phone"]


def test_a_breach_says_before_now_limit_and_reason():
    (breach,) = judge(
        gates(figure="match_rate", rise=0.5, grace=0.1), {"match_rate": 0.9}, {"match_rate": 0.2}
    )
    assert (breach.before, breach.now, breach.reason) == (0.2, 0.9, "because")
    assert breach.limit == "a rise of at most 50%, or 0.1"


@pytest.mark.parametrize("name", ["default", "cautious"])
def test_the_shipped_rule_sets_limit_every_figure_with_a_reason(name):
    limits = load_rules(rules_directory() / f"{name}.toml").gates.limits
    assert {limit.figure for limit in limits} == set(FIGURES)
    assert all(limit.reason for limit in limits)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('figure = "match_rate"', 'figure = "match_rat"', "unknown figure 'match_rat'"),
        (
            'figure = "profiles"\nat_least = 1\nrise = 0.5\nfall = 0.1\n',
            'figure = "profiles"\n',
            "limits nothing",
        ),
        ("fall = 0.1\n", "fall = 1.1\n", "there: 1.1"),
    ],
)
def test_a_limit_that_says_nothing_or_names_nothing_is_refused(old, new, complaint):
    assert old in DEFAULT
    with pytest.raises(BadRules, match=complaint):
        parse_rules(DEFAULT.replace(old, new, 1), "mine.toml")


def test_gates_do_not_change_the_fingerprint_because_they_change_no_answer():
    assert (
        parse_rules(DEFAULT.replace("at_most = 50", "at_most = 60"), "x").fingerprint
        == parse_rules(DEFAULT, "x").fingerprint
    )
