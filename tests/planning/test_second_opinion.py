from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_cases import NOW, Rules, clusters_frame, profiles_frame

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import DECISIONS, MATCH_GROUPS
from resolver.model.survivorship_policy import SecondOpinion
from resolver.planning.answered import without_answered
from resolver.planning.plans import plan_merges
from resolver.planning.second_opinion import (
    NO_RUN,
    SECOND_OPINION,
    age_days,
    compare_with_matches,
    has_run,
    objection,
)


def facts_of(*groups, days=1.0):
    rows = [(f"g{n}", i, 0.5 + n / 100, None) for n, ids in enumerate(groups) for i in ids]
    frame = pl.DataFrame(rows, schema=MATCH_GROUPS.columns, orient="row")
    return DomainFacts("d", frame, NOW - timedelta(days=days), read_at=NOW)


def table_of(clusters, groups):
    frame = clusters_frame(*([cluster] for cluster in clusters))
    return compare_with_matches(frame, facts_of(*groups))


def relations_of(clusters, groups):
    rows = table_of(clusters, groups).select("cluster_id", "match_id", "relation").iter_rows()
    return {(c, m): r for c, m, r in rows}


@pytest.mark.parametrize(
    ("clusters", "groups", "expected"),
    [
        (["ab"], ["ab"], {("a", "g0"): "same"}),
        (["ab"], [], {("a", None): "ours_only"}),
        (["a", "b"], ["ab"], {(None, "g0"): "aws_only"}),
        (["abcd"], ["ab", "cd"], {("a", "g0"): "split", ("a", "g1"): "split"}),
        (["abc"], ["ab"], {("a", "g0"): "split"}),
        (["ab", "c"], ["abc"], {("a", "g0"): "joined"}),
        (["ab", "cd"], ["abcd"], {("a", "g0"): "joined", ("c", "g0"): "joined"}),
        (["ab", "c"], ["bc"], {("a", "g0"): "differently"}),
        (["abc", "d"], ["ab", "cd"], {("a", "g0"): "differently", ("a", "g1"): "differently"}),
        (["ab"], ["axy"], {("a", None): "ours_only"}),
        (["ab"], ["abx"], {("a", "g0"): "same"}),
    ],
)
def test_each_way_to_differ_has_its_name(clusters, groups, expected):
    assert relations_of(clusters, groups) == expected


def test_groups_that_link_profiles_of_different_clusters_are_marked():
    table = table_of(["ab", "c", "de", "f", "g"], ["abc", "de", "fg"])
    marked = dict(table.select("match_id", "new_links").iter_rows())
    assert marked == {"g0": True, "g1": False, "g2": True}


def test_the_table_says_sizes_the_groups_score_and_the_age_of_the_run():
    row = table_of(["abc"], ["abx", "yz"]).row(0, named=True)
    assert (row["size_ours"], row["size_aws"], row["size_shared"]) == (3, 2, 2)
    assert (row["confidence_score"], row["age_days"]) == (0.5, 1.0)


def slow_relation(ours, groups):
    met = [g for g in groups if len(g) > 1 and g & ours]
    if not met:
        return "ours_only"
    others = any(g - ours for g in met)
    if any(g >= ours for g in met):
        return "joined" if others else "same"
    return "differently" if others else "split"


partitions = st.lists(st.integers(0, 4), min_size=8, max_size=8)


@given(partitions, st.lists(st.integers(0, 4), min_size=10, max_size=10))
def test_the_fast_relations_are_the_obvious_ones(ours, theirs):
    ids = "abcdefgh"
    clusters = [[i for i, c in zip(ids, ours, strict=True) if c == n] for n in range(5)]
    groups = [{i for i, c in zip(ids + "xy", theirs, strict=True) if c == n} for n in range(5)]
    table = table_of([c for c in clusters if c], [sorted(g) for g in groups])
    assert dict(table.schema) == dict(SECOND_OPINION.columns.items())
    known = [g & set(ids) for g in groups]
    for cluster in clusters:
        if len(cluster) > 1:
            told = set(table.filter(pl.col("cluster_id") == cluster[0])["relation"])
            assert told == {slow_relation(set(cluster), known)}
    ours_of = {i: n for n, cluster in enumerate(clusters) for i in cluster}
    for n, group in enumerate(known):
        rows = table.filter(pl.col("match_id") == f"g{n}")
        if len(group) > 1:
            assert set(rows["new_links"]) == {len({ours_of[i] for i in group}) > 1}
        else:
            assert rows.is_empty()


@given(partitions, st.randoms(use_true_random=False))
def test_row_order_never_changes_the_table(theirs, rng):
    clusters = clusters_frame([["a", "b", "c"]], [["d", "e"]], [["f"]], [["g"]], [["h"]])
    groups = [[i for i, c in zip("abcdefgh", theirs, strict=True) if c == n] for n in range(5)]
    facts = facts_of(*groups)
    shuffled = facts_of(*groups)
    order = list(range(facts.match_groups.height))
    rng.shuffle(order)
    shuffled = DomainFacts("d", facts.match_groups[order], facts.matches_generated_at, read_at=NOW)
    rows = list(range(clusters.height))
    rng.shuffle(rows)
    assert compare_with_matches(clusters[rows], shuffled).equals(compare_with_matches(clusters, facts))


def test_agreement_is_asked_for_only_where_the_rules_require_it():
    facts = facts_of("ab")
    assert objection("split", facts, SecondOpinion()) is None
    assert objection("split", facts, SecondOpinion(policy="ignore")) is None


@pytest.mark.parametrize(
    ("relation", "days", "complaint"),
    [
        ("same", 6.9, None),
        ("joined", 6.9, None),
        ("same", 7.1, "not known to be 7 days old or less"),
        ("split", 1, "it says: split"),
        ("differently", 1, "it says: differently"),
        ("ours_only", 1, "it says: ours_only"),
        (NO_RUN, 1, "it holds no run"),
    ],
)
def test_required_agreement_must_be_there_and_fresh(relation, days, complaint):
    told = objection(relation, facts_of("ab", days=days), SecondOpinion(policy="require_agreement"))
    assert (told is None) if complaint is None else told.endswith(complaint)


def test_a_run_of_unknown_age_is_not_fresh():
    facts = facts_of("ab")
    undated = DomainFacts("d", facts.match_groups)
    assert has_run(undated)
    assert not has_run(DomainFacts("d"))
    assert age_days(undated) is None
    assert objection("same", undated, SecondOpinion(policy="require_agreement"))


def by_rules(*groups, generated_at=None):
    rows = [(f"r{n}", i, None, 2) for n, ids in enumerate(groups) for i in ids]
    frame = pl.DataFrame(rows, schema=MATCH_GROUPS.columns, orient="row")
    return DomainFacts("d", frame, generated_at, read_at=NOW, rule_matching=True)


def test_groups_of_rules_count_like_those_of_the_model_and_have_a_level_instead_of_age_and_score():
    frame = clusters_frame(["ab"], ["cd"], ["e"], ["f"])
    facts = facts_of("ab", days=3)
    rules = by_rules("cd", "ef")
    both = DomainFacts(
        "d", pl.concat([facts.match_groups, rules.match_groups]), facts.matches_generated_at, read_at=NOW
    )
    table = compare_with_matches(frame, both)
    rows = table.select("match_id", "relation", "confidence_score", "rule_level", "age_days").rows()
    assert rows == [
        ("g0", "same", 0.5, None, 3.0),
        ("r0", "same", None, 2, None),
        ("r1", "aws_only", None, 2, None),
    ]


def test_rules_alone_can_agree_and_are_never_old():
    required = SecondOpinion(policy="require_agreement")
    assert has_run(by_rules())
    assert objection("same", by_rules("ab"), required) is None
    told = objection("ours_only", by_rules("ab"), required)
    assert told == "agreement with the domain's matching rules is required, and it says: ours_only"
    old = by_rules("ab", generated_at=NOW - timedelta(days=30))
    assert "not known to be 7 days old" in objection("same", old, required)


def test_a_group_of_rules_that_links_what_we_do_not_is_shown_to_a_person_with_its_level():
    people = profiles_frame([{"ProfileId": i, "FirstName": i} for i in "ab"])
    (plan,) = plan_merges(people, clusters_frame(["a"], ["b"]), Rules(), by_rules("ab")).plans
    assert (plan.band, plan.second_opinion) == ("review", "aws_only")
    assert (
        plan.reasons[0]
        == "a matching rule of the domain (level 2) links these profiles, and matching here did not"
    )


def test_what_people_said_is_different_is_not_asked_again_because_the_store_links_it():
    people = profiles_frame([{"ProfileId": i, "FirstName": i} for i in "abc"])
    clusters = clusters_frame(["a"], ["b"], ["c"])

    def asked(group, *apart):
        planning = plan_merges(people, clusters, Rules(), facts_of(group))
        rows = [(left, right, verdict, "ana", "", NOW) for left, right, verdict in apart]
        decisions = pl.DataFrame(rows, schema=DECISIONS.columns, orient="row")
        return len(without_answered(planning, clusters, decisions).plans)

    assert asked("ab") == 1
    assert asked("ab", ("b", "a", "non_match")) == 0
    assert asked("ab", ("a", "b", "unsure"), ("a", "c", "non_match")) == 1
    assert asked("abc", ("a", "b", "non_match")) == 1, "of a and c, and b and c, nobody has said anything"
    assert asked("abc", *((x, y, "non_match") for x, y in ("ab", "bc", "ca"))) == 0
