from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from resolver.matching.components import components
from resolver.matching.guard import part
from resolver.matching.linkage import link_profiles
from resolver.model.frames import DECISIONS, empty
from resolver.rule_file import load_rules

SIZE = 9
PAIRS = list(combinations(range(SIZE), 2))


def _arrays(pairs):
    return tuple(np.array([p[side] for p in pairs], np.int64) for side in (0, 1))


@given(st.lists(st.sampled_from(PAIRS), unique=True), st.lists(st.sampled_from(PAIRS), unique=True))
def test_no_barred_pair_shares_a_group_and_nothing_is_joined_without_a_join(joins, barred):
    joins = [pair for pair in joins if pair not in barred]
    label = components(SIZE, *_arrays(joins))
    parted = part(label, _arrays(joins), _arrays(barred))
    assert all(parted[a] != parted[b] for a, b in barred)
    for a, b in PAIRS:
        if parted[a] == parted[b]:
            assert label[a] == label[b]
    spoilt = {label[a] for a, b in barred if label[a] == label[b]}
    for row in range(SIZE):
        if label[row] not in spoilt:
            mates = {b for b in range(SIZE) if label[b] == label[row]}
            assert {b for b in range(SIZE) if parted[b] == parted[row]} == mates, "other groups stay"


def _household(*people):
    shared = {"phone": "+12065550100", "street": "12 Oak Street", "city": "Salem"}
    filler = [
        {
            "first": f"Person{i}",
            "last": f"Family{i}",
            "phone": f"+1206555{2000 + i}",
            "street": f"{i} Elm Road",
            "city": "Reno",
        }
        for i in range(60)
    ]
    rows = [{**shared, **person} for person in people] + filler
    return pl.DataFrame(
        {
            "profile_id": [f"p{i:02d}" for i in range(len(rows))],
            "first_name": [r["first"] for r in rows],
            "last_name": [r["last"] for r in rows],
            "birth_date": [r.get("born") for r in rows],
            "phone_number": [r["phone"] for r in rows],
            "address": [{"address1": r["street"], "city": r["city"]} for r in rows],
        }
    )


def _cores(frame):
    clusters = link_profiles(frame, load_rules(), empty(DECISIONS), lambda _name, _counts: None).clusters
    return dict(clusters.select("profile_id", "core_id").iter_rows())


def test_father_and_son_are_never_merged_without_a_person():
    cores = _cores(_household({"first": "Emily", "last": "Wood"}, {"first": "Emily", "last": "Wood Jr"}))
    assert cores["p00"] != cores["p01"]


def test_a_profile_without_a_birth_date_does_not_bridge_two_that_contradict_each_other():
    cores = _cores(
        _household(
            {"first": "Emily", "last": "Wood", "born": "1967-04-01"},
            {"first": "Emily", "last": "Wood"},
            {"first": "Emily", "last": "Wood", "born": "1995-11-22"},
        )
    )
    assert cores["p00"] != cores["p02"]


def test_the_same_person_twice_is_merged_without_a_person():
    cores = _cores(
        _household(
            {"first": "Emily", "last": "Wood", "born": "1967-04-01"},
            {"first": "Emily", "last": "Wood", "born": "1967-04-01"},
        )
    )
    assert cores["p00"] == cores["p01"]
