from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import (
    NOW,
    Rules,
    clusters_frame,
    draw,
    draw_profile,
    draw_rules,
    objects_frame,
    profile_id,
    profiles_frame,
)

from resolver.errors import BadFrame
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import FIELD_CHOICES, MATCH_GROUPS, PROFILES, empty
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
from resolver.planning.bands import CLUSTER_DOUBTS
from resolver.planning.plan_table import plans_to_frame
from resolver.planning.plans import plan_merges


def people(names, **values):
    return [{"ProfileId": n, "LastName": "Ruiz", **values} for n in names]


def plans_of(clusters, rules=None, facts=None, profiles=None, **columns):
    names = sorted(i for cluster in clusters for core in cluster for i in core)
    frame = profiles_frame(profiles or people(names))
    return plan_merges(
        frame, clusters_frame(*clusters, **columns), rules or Rules(), facts or DomainFacts("d")
    ).plans


def matches(*groups, **facts):
    rows = [(f"g{n}", i, 0.9, None) for n, ids in enumerate(groups) for i in ids]
    frame = pl.DataFrame(rows, schema=MATCH_GROUPS.columns, orient="row")
    return DomainFacts("d", frame, NOW - timedelta(days=1), read_at=NOW, **facts)


def test_a_cluster_held_together_by_its_core_is_one_merge_plan_and_single_profiles_are_none():
    (plan,) = plans_of([["ab"], ["c"]])
    assert (plan.band, plan.profile_ids, plan.reasons, plan.after) == ("merge", ("a", "b"), (), ())
    assert (plan.domain_name, plan.rule_set_fingerprint, plan.second_opinion) == ("d", "rules-1", "no_run")


def test_a_cluster_of_several_cores_is_reviewed_as_a_whole_after_its_cores_are_merged():
    plans = plans_of([["ab", "cd", "e"]], band="review")
    assert [(p.band, sorted(p.profile_ids)) for p in plans] == [
        ("merge", ["a", "b"]),
        ("merge", ["c", "d"]),
        ("review", ["a", "b", "c", "d", "e"]),
    ]
    assert plans[2].after == tuple(sorted(p.plan_id for p in plans[:2]))
    assert plans[2].reasons == (
        "3 parts of the cluster are not held together by evidence fit for an unattended merge",
    )


def test_a_cluster_without_any_core_is_one_review_plan():
    (plan,) = plans_of([["a", "b"]])
    assert (plan.band, plan.after) == ("review", ())


def test_a_review_cluster_of_one_core_stays_in_review_and_a_distinct_one_gets_no_plan():
    assert [p.band for p in plans_of([["ab"]], band="review")] == ["review"]
    assert plans_of([["ab"]], band="distinct") == ()


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("contested", "contested: "),
        ("bridge_held", "bridge-held: "),
        ("shared_contact_only", "joined by a shared phone or mailbox only"),
    ],
)
def test_every_doubt_of_clustering_sends_a_plan_to_review_unless_the_rules_allow_it(column, reason):
    doubt = {column: pl.Series([True, False])}
    (plan,) = plans_of([["ab"]], **doubt)
    assert plan.band == "review"
    assert plan.reasons[0].startswith(reason)
    (plan,) = plans_of([["ab"]], Rules(merging=Merging(allow=(column,))), **doubt)
    assert (plan.band, plan.reasons) == ("merge", ())


@pytest.mark.parametrize("column", ["bridge_held", "shared_contact_only"])
def test_a_doubt_about_what_links_the_cores_leaves_the_cores_alone(column):
    core, whole = plans_of([["ab", "c"]], **{column: pl.Series([True, True, True])})
    assert (core.profile_ids, core.band, core.reasons) == (("a", "b"), "merge", ())
    assert (len(whole.profile_ids), whole.band) == (3, "review")
    assert CLUSTER_DOUBTS[column] in whole.reasons


def test_an_unknown_doubt_is_none():
    (plan,) = plans_of([["ab"]], bridge_held=pl.Series([None, False], dtype=pl.Boolean))
    assert plan.band == "merge"


def test_more_profiles_than_the_size_cap_need_a_person():
    (plan,) = plans_of([["abc"]], Rules(merging=Merging(max_profiles=2)))
    assert (plan.band, plan.reasons) == ("review", ("3 profiles, over the size cap of 2",))


PROTECTED = Rules(survivorship=Survivorship(fields={"BirthDate": "most_frequent"}, protected=("BirthDate",)))


def test_a_value_given_up_in_a_protected_field_needs_a_person():
    pair = [{"ProfileId": "a", "BirthDate": "1980-01-02"}, {"ProfileId": "b", "BirthDate": "1981-01-02"}]
    (plan,) = plans_of([["ab"]], PROTECTED, profiles=pair)
    assert (plan.band, plan.reasons) == (
        "review",
        ("a value of BirthDate would be given up, which is protected",),
    )
    pair[1]["BirthDate"] = "02/01/1980"
    (plan,) = plans_of([["ab"]], PROTECTED, profiles=pair)
    assert (plan.band, [d.field for d in plan.given_up]) == ("merge", ["BirthDate"])
    allowed = PROTECTED.model_copy(update={"merging": Merging(allow=("protected_value_given_up",))})
    pair[1]["BirthDate"] = "1990-01-02"
    assert plans_of([["ab"]], allowed, profiles=pair)[0].band == "merge"


def test_a_field_that_no_rule_may_choose_needs_a_person_only_where_members_differ():
    rules = Rules(survivorship=Survivorship(fields={"LastName": "never"}))
    pair = people("ab")
    assert plans_of([["ab"]], rules, profiles=pair)[0].band == "merge"
    pair[1]["LastName"] = "Ruis"
    (plan,) = plans_of([["ab"]], rules, profiles=pair)
    assert (plan.band, plan.reasons) == ("review", ("no rule may choose LastName, and members differ",))
    assert plan.predicted["LastName"] == "Ruiz"


def test_an_account_and_a_person_are_never_merged_whoever_approves():
    pair = [
        {"ProfileId": "a", "LastName": "R", "ProfileType": "PROFILE"},
        {"ProfileId": "b", "LastName": "S", "ProfileType": "ACCOUNT_PROFILE"},
    ]
    (plan,) = plans_of([["ab"]], profiles=pair)
    assert (plan.band, plan.steps, plan.field_choices, plan.post_steps) == ("review", (), (), ())
    assert plan.predicted == pair[0]
    assert plan.reasons == (
        "an account profile and a profile of a person must not be merged with each other",
    )
    del pair[0]["ProfileType"]
    assert plans_of([["ab"]], profiles=pair)[0].steps == ()


def test_more_objects_or_bytes_than_a_profile_may_hold_are_refused():
    objects = objects_frame([(i, "crm", f"{i}{n}", "x" * 600, None) for i in "ab" for n in range(2)])
    facts = DomainFacts("d", objects=objects)
    (plan,) = plans_of([["ab"]], facts=facts)
    assert (plan.band, plan.object_count) == ("merge", 4)
    (plan,) = plans_of([["ab"]], Rules(merging=Merging(max_objects=3, max_size_kb=2)), facts)
    assert plan.reasons == (
        "4 objects together, over the limit of 3: old ones could be evicted",
        "2 KB of objects together, over the limit of 2 KB",
    )
    assert plan.steps == ()


def test_required_agreement_holds_back_what_the_store_does_not_confirm():
    rules = Rules(second_opinion=SecondOpinion(policy="require_agreement"))
    plans = plans_of([["ab"], ["cd"], ["ef", "g"]], rules, matches("ab", "efg"))
    assert [(p.cluster_id, p.band, p.second_opinion) for p in plans] == [
        ("a", "merge", "same"),
        ("c", "review", "ours_only"),
        ("e", "merge", "joined"),
        ("e", "review", "same"),
    ]
    assert plans_of([["ab"]], rules)[0].reasons == (
        "agreement with GetMatches is required, and it holds no run",
    )


def test_links_that_only_the_store_sees_become_review_plans_after_what_they_overlap():
    plans = plans_of([["ab"], ["c"], ["d"], ["e"]], facts=matches("bc", "ab", "de", "cx"))
    merge, joined, apart = plans
    assert (joined.cluster_id, joined.band, joined.second_opinion) == ("match:g0", "review", "joined")
    assert (joined.after, apart.after) == ((merge.plan_id,), ())
    assert (apart.cluster_id, apart.profile_ids, apart.second_opinion) == ("match:g2", ("d", "e"), "aws_only")
    assert apart.reasons == ("GetMatches links these profiles, and matching here did not",)


def test_two_groups_on_one_profile_come_one_after_the_other_and_equal_groups_once():
    first, second = plans_of([["a"], ["b"], ["c"]], facts=matches("ab", "bc", "ab"))
    assert (first.after, second.after) == ((), (first.plan_id,))


def test_an_ignored_second_opinion_is_not_even_shown():
    rules = Rules(second_opinion=SecondOpinion(policy="ignore"))
    frame, clusters = profiles_frame(people("abc")), clusters_frame(["ab"], ["c"])
    concluded = plan_merges(frame, clusters, rules, matches("bc"))
    assert concluded.second_opinion.is_empty()
    assert [p.second_opinion for p in concluded.plans] == ["ignored"]


def test_matches_without_any_of_our_clusters_say_ours_only():
    assert [p.second_opinion for p in plans_of([["ab"]], facts=matches("xy"))] == ["ours_only"]


def test_where_main_is_empty_and_others_disagree_the_source_is_named():
    trio = [
        {"ProfileId": "a", "LastName": "R", "FirstName": "A"},
        {"ProfileId": "b", "EmailAddress": "b@x.io"},
        {"ProfileId": "c", "EmailAddress": "c@x.io"},
    ]
    (plan,) = plans_of([["abc"]], profiles=trio)
    (step,) = plan.steps
    assert step.field_sources == {"EmailAddress": "b"}


def test_field_choices_tell_disputed_fields_and_filled_blanks_once_a_cluster():
    trio = [
        {"ProfileId": "a", "LastName": "R", "FirstName": "A", "Gender": "MALE"},
        {"ProfileId": "b", "LastName": "S", "Address": {"City": "Köln"}},
        {"ProfileId": "c", "EmailAddress": "c@x.io"},
    ]
    clusters = clusters_frame(["ab", "c"])
    choices = plan_merges(profiles_frame(trio), clusters, Rules(), DomainFacts()).field_choices
    assert dict(choices.schema) == dict(FIELD_CHOICES.columns)
    assert choices.rows() == [
        ("a", "Address", "b", '{"City": "Köln"}', "fill"),
        ("a", "EmailAddress", "c", "c@x.io", "fill"),
        ("a", "LastName", "a", "R", "most_frequent, then main"),
    ]


def test_no_clusters_no_plans():
    concluded = plan_merges(empty(PROFILES), clusters_frame(["a"]).clear(), Rules(), DomainFacts())
    assert concluded.plans == ()
    assert concluded.field_choices.is_empty()


def test_frames_that_do_not_fit_are_refused_with_counts_and_ids_only():
    frame, clusters = profiles_frame(people("ab")), clusters_frame(["abc"])
    with pytest.raises(BadFrame, match=r"clusters: 1 profiles are not in the profiles frame, e\.g\. c"):
        plan_merges(frame, clusters, Rules(), DomainFacts())
    with pytest.raises(BadFrame, match="profiles: 2 repeated profile ids among 4"):
        plan_merges(pl.concat([frame, frame]), clusters_frame(["ab"]), Rules(), DomainFacts())
    with pytest.raises(BadFrame, match="clusters: 1 repeated profile ids among 3"):
        plan_merges(frame, clusters_frame(["ab"], ["a"]), Rules(), DomainFacts())
    with pytest.raises(BadFrame, match="clusters: no column core_id"):
        plan_merges(frame, clusters_frame(["ab"]).drop("core_id"), Rules(), DomainFacts())


def many(seed):
    rng = random.Random(seed)
    profiles = [draw_profile(rng, n, 0.4, 3) for n in range(rng.randint(2, 30))]
    ids = [p["ProfileId"] for p in profiles]
    clusters = []
    while ids:
        members = [ids.pop() for _ in range(min(len(ids), rng.randint(1, 6)))]
        cut = rng.randint(0, len(members))
        clusters.append([core for core in (members[:cut], members[cut:]) if core])
    groups = [rng.sample([p["ProfileId"] for p in profiles], 2) for _ in range(3)]
    seen = {p["ProfileId"]: NOW for p in profiles if rng.random() < 0.5}
    objects = [
        (p["ProfileId"], "crm", str(rng.randrange(9)), "{}", NOW) for p in profiles if rng.random() < 0.5
    ]
    facts = matches(*groups, objects=objects_frame(objects))
    frame = profiles_frame(profiles, seen)
    return frame, clusters_frame(*clusters), draw_rules(rng), facts


def shuffled(frame, seed):
    return frame.sample(fraction=1.0, shuffle=True, seed=seed)


@given(st.integers(0, 10**6), st.integers(0, 99))
def test_row_order_never_changes_a_byte_of_the_plans(seed, order):
    frame, clusters, rules, facts = many(seed)
    one = plan_merges(frame, clusters, rules, facts)
    mixed = replace(
        facts, match_groups=shuffled(facts.match_groups, order), objects=shuffled(facts.objects, order)
    )
    columns = sorted(frame.columns, reverse=True)
    other = plan_merges(shuffled(frame, order).select(columns), shuffled(clusters, order), rules, mixed)
    assert plans_to_frame(other.plans).write_ndjson() == plans_to_frame(one.plans).write_ndjson()
    assert other.field_choices.equals(one.field_choices)


@given(st.integers(0, 10**6))
def test_plan_ids_are_unique_and_after_points_backwards(seed):
    plans = plan_merges(*many(seed)).plans
    earlier: set[str] = set()
    touched: dict[str, set[str]] = {}
    for plan in plans:
        assert plan.plan_id not in earlier
        assert set(plan.after) <= earlier
        overlapping = set().union(*(touched.get(i, set()) for i in plan.profile_ids))
        assert overlapping == set(plan.after)
        earlier.add(plan.plan_id)
        for i in plan.profile_ids:
            touched.setdefault(i, set()).add(plan.plan_id)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_a_plan_changes_its_id_when_a_member_does(seed):
    drawn = draw(seed, 3)
    changed = replace(drawn, profiles=[{**drawn.profiles[0], "FirstName": "changed"}, *drawn.profiles[1:]])
    ids = {plan_merges(d.frame, d.clusters, d.rules, d.facts).plans[0].plan_id for d in (drawn, changed)}
    assert len(ids) == 2
    assert profile_id((seed, 0)) == drawn.profiles[0]["ProfileId"]


def test_main_itself_is_the_source_where_it_holds_the_chosen_value():
    trio = [
        {"ProfileId": "a", "LastName": "Ruiz", "FirstName": "A"},
        {"ProfileId": "b", "LastName": "Ruiz"},
        {"ProfileId": "c", "LastName": "Ruis"},
    ]
    frame = profiles_frame(trio, {"a": NOW - timedelta(days=9), "b": NOW})
    rules = Rules(survivorship=Survivorship(default="most_recent"))
    (plan,) = plan_merges(frame, clusters_frame(["abc"]), rules, DomainFacts()).plans
    (choice,) = plan.field_choices
    assert (choice.source_profile_id, choice.value, choice.strategy) == ("a", "Ruiz", "most_recent")
    assert plan.steps[0].field_sources == {}


def of_size(kilobytes):
    """The attributes of a profile of about so many KB."""
    return {"Attributes": {f"key {n:05d}": "x" * 247 for n in range(int(kilobytes * 1_024 / 262))}}


def test_a_profile_larger_than_the_service_holds_is_never_merged_into():
    a, b = of_size(130)["Attributes"], {f"other {k}": v for k, v in of_size(130)["Attributes"].items()}
    (plan,) = plans_of(
        [["ab"]], profiles=[{"ProfileId": "a", "Attributes": a}, {"ProfileId": "b", "Attributes": b}]
    )
    assert (plan.band, plan.steps, plan.disposals, plan.post_steps) == ("review", (), (), ())
    assert plan.reasons == ("the profile would have 263 KB, over the limit of 250 KB for one profile",)
    assert plan.predicted == {"ProfileId": "a", "Attributes": a}
    (plan,) = plans_of(
        [["ab"]], profiles=[{"ProfileId": "a", "Attributes": a}, {"ProfileId": "b", "Attributes": a}]
    )
    assert plan.band == "merge"


def test_values_that_attributes_would_preserve_count_for_the_size_of_the_profile():
    a = of_size(200)["Attributes"]
    b = dict.fromkeys(list(a)[: len(a) // 3], "y" * 247)
    people = [{"ProfileId": "a", "Attributes": a}, {"ProfileId": "b", "Attributes": b}]
    rules = Rules(survivorship=Survivorship(default="main"))
    (plan,) = plans_of([["ab"]], rules=rules, profiles=people)
    assert plan.band == "merge"
    rules = rules.model_copy(update={"preservation": Preservation(attribute_prefix="old_")})
    (plan,) = plans_of([["ab"]], rules=rules, profiles=people)
    assert plan.steps == ()
    assert "over the limit of 250 KB" in plan.reasons[0]
