from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from resolver.matching.constraints import constraints_of, no_constraints
from resolver.model.frames import DECISIONS, empty

IDS = pl.Series("profile_id", ["a", "b", "c", "d", "e"])


def decided(*pairs):
    rows = [
        {"profile_id_left": x, "profile_id_right": y, "verdict": verdict, "reviewer": "r", "reason": "",
         "decided_at": datetime(2026, 1, 1, tzinfo=UTC)}
        for x, y, verdict in pairs
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=DECISIONS.columns)


def apart(constraints, x, y):
    return bool(constraints.kept_apart(np.array([x]), np.array([y]))[0])


def test_no_decisions_bind_nothing():
    for constraints in (no_constraints(5), constraints_of(empty(DECISIONS), IDS)):
        assert len(set(constraints.group.tolist())) == 5
        assert not apart(constraints, 0, 1)


def test_matches_are_closed_under_transitivity():
    constraints = constraints_of(decided(("a", "b", "match"), ("c", "b", "match")), IDS)
    assert constraints.together(np.array([0]), np.array([2]))[0]
    assert not constraints.together(np.array([0]), np.array([3]))[0]


def test_a_non_match_keeps_all_that_belong_to_either_side_apart():
    constraints = constraints_of(
        decided(("a", "b", "match"), ("d", "c", "match"), ("b", "c", "non_match")), IDS
    )
    assert apart(constraints, 0, 3)
    assert apart(constraints, 3, 0)
    assert not apart(constraints, 0, 4)


def test_contradictory_decisions_are_marked_and_only_the_parting_ones_stand():
    constraints = constraints_of(
        decided(("a", "b", "match"), ("b", "c", "match"), ("a", "c", "non_match")), IDS
    )
    assert constraints.contradicted.tolist() == [True, True, True, False, False]
    assert not constraints.together(np.array([0]), np.array([1]))[0]
    assert apart(constraints, 0, 2)


def test_unsure_and_unknown_ids_bind_nothing_and_unknown_ones_are_counted():
    constraints = constraints_of(
        decided(("a", "b", "unsure"), ("a", "gone", "match"), ("e", "e", "match")), IDS
    )
    assert constraints.unknown == 1
    assert len(set(constraints.group.tolist())) == 5
    assert len(constraints.words) == 0
