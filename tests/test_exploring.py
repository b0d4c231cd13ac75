"""What a notebook asks, on data small enough to count by hand."""

from __future__ import annotations

import polars as pl
import pytest

from resolver import load_rules, resolve
from resolver.errors import BadInput
from resolver.exploring import (
    by_threshold,
    candidate_clusters,
    cluster_links,
    decide,
    field_overview,
    repeated_values,
    waterfall,
    weight_histogram,
)
from resolver.local.sample.generator import make_sample
from resolver.matching.explanation import explain_pair
from resolver.model.frames import PROFILES
from resolver.profiles.convert import profiles_frame


@pytest.fixture(scope="module")
def sample():
    return make_sample(400, seed=9)


@pytest.fixture(scope="module")
def profiles(sample):
    return profiles_frame(sample.profiles)


@pytest.fixture(scope="module")
def resolution(profiles):
    return resolve(profiles, load_rules())


def test_fields_are_counted_in_blocks_and_attributes_too():
    rows = profiles_frame(
        [
            {
                "ProfileId": "1",
                "FirstName": "Ana",
                "Address": {"City": "Oslo"},
                "Attributes": {"tier": "gold"},
            },
            {"ProfileId": "2", "FirstName": "Ana", "Address": {"City": "Bergen", "State": ""}},
            {"ProfileId": "3"},
        ]
    )
    table = {row["field"]: row for row in field_overview(rows).to_dicts()}
    assert table.keys() == {"first_name", "address.city", "attributes.tier"}
    assert table["first_name"] == {"field": "first_name", "filled": 2 / 3, "distinct": 1, "most_shared": 2}
    assert (table["address.city"]["distinct"], table["attributes.tier"]["filled"]) == (2, 1 / 3)


def test_every_field_of_a_domain_has_a_row(profiles):
    filled = [
        name for name in profiles.columns if name in PROFILES.columns and profiles[name].drop_nulls().len()
    ]
    told = {field.partition(".")[0] for field in field_overview(profiles)["field"]}
    assert told == set(filled) - {"profile_id"}


def test_shared_values_are_those_on_many_profiles():
    rows = profiles_frame(
        [
            {"ProfileId": str(n), "HomePhoneNumber": "1", "MobilePhoneNumber": "2", "FirstName": "Ana"}
            for n in range(4)
        ]
        + [{"ProfileId": "9", "MobilePhoneNumber": "2"}]
    )
    assert repeated_values(rows, at_least=5).rows() == [("mobile_phone_number", "2", 5)]
    assert repeated_values(rows, ["first_name"], at_least=4).rows() == [("first_name", "Ana", 4)]


def test_the_histogram_holds_every_scored_pair(resolution):
    table = weight_histogram(resolution.linkage, width=2.0)
    assert table["pairs"].sum() == resolution.linkage.pairs.height
    assert {bits % 2 for bits in table["bits"]} == {0.0}


def test_thresholds_are_judged_by_decisions_in_either_order(resolution, profiles, sample):
    ids = profiles["profile_id"]
    pairs = resolution.linkage.pairs
    rows = [
        (b, a, "match" if sample.truth[a] == sample.truth[b] else "non_match")
        for a, b in zip(ids.gather(pairs["left"]), ids.gather(pairs["right"]), strict=True)
    ]
    decisions = pl.DataFrame(
        [*rows, (ids[0], "elsewhere", "unsure")],
        schema=["profile_id_left", "profile_id_right", "verdict"],
        orient="row",
    )
    low, high = by_threshold(resolution.linkage, profiles, decisions, [-50.0, 7.0]).to_dicts()
    assert low["pairs"] == low["decided"] == pairs.height
    assert (low["recall"], high["pairs"]) == (1.0, (pairs["match_weight"] >= 7.0).sum())
    right = sum(verdict == "match" for *_, verdict in rows)
    assert low["precision"] == right / pairs.height
    assert low["precision_low"] < low["precision"] < low["precision_high"]
    assert high["precision"] > low["precision"]


def test_without_decisions_there_is_no_precision(resolution, profiles):
    none = pl.DataFrame(schema=["profile_id_left", "profile_id_right", "verdict"]).cast(pl.String)
    (row,) = by_threshold(resolution.linkage, profiles, none, [2.0]).to_dicts()
    assert (row["precision"], row["recall"], row["decided"]) == (None, None, 0)


def test_a_waterfall_ends_at_the_pairs_weight(resolution, profiles):
    ids = profiles["profile_id"]
    ordered = resolution.linkage.pairs.sort("match_weight")
    for row in pl.concat([ordered.head(5), ordered.tail(5)]).rows(named=True):
        pair = explain_pair(resolution.linkage, profiles, (ids[row["left"]], ids[row["right"]]))
        steps = waterfall(pair)
        assert steps["to_bits"][-1] == pytest.approx(pair.total)
        assert steps["from_bits"].to_list()[1:] == pytest.approx(steps["to_bits"].to_list()[:-1])


def test_links_of_a_cluster_name_one_weakest(resolution, profiles):
    several = resolution.linkage.clusters.filter(pl.col("size") > 2)["cluster_id"].unique().sort()
    for cluster_id in several.head(10):
        table = cluster_links(resolution.linkage, profiles, cluster_id)
        assert table["is_weakest"].sum() <= 1
        assert table["bits"].is_sorted(descending=True)


def test_what_waits_for_a_person_is_every_review_plan_and_no_other(resolution):
    table = candidate_clusters(resolution)
    assert set(table["plan_id"]) == {plan.plan_id for plan in resolution.planning.of_band("review")}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((["a"], "match", "ana"), "two profiles"),
        ((["a", "a"], "match", "ana"), "two profiles"),
        ((["a", "b"], "yes", "ana"), "'yes'"),
        ((["a", "b"], "match", " "), "reviewer"),
    ],
)
def test_a_verdict_that_says_nothing_is_refused(arguments, named):
    with pytest.raises(BadInput, match=named):
        decide(*arguments)
