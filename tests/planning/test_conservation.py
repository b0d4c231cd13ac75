from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_cases import SOAK, Rules, clusters_frame, draw, profiles_frame

from resolver.model.canonical import canonical_json
from resolver.model.domain_facts import DomainFacts
from resolver.model.profile import DEFAULT_MAX_LENGTH, EMAILS, MAX_LENGTH, PHONES
from resolver.model.survivorship_policy import Merging, Preservation, Survivorship
from resolver.planning.conservation import account
from resolver.planning.likeness import likeness
from resolver.planning.members import flat
from resolver.planning.plans import plan_merges
from resolver.planning.simulation import search_keys, simulate_post_steps

KINDS = {"_phone": PHONES, "_email": EMAILS, "_account": ()}


def plan_of(profiles, **sections):
    named = [{"ProfileId": "abcdefgh"[n], **p} for n, p in enumerate(profiles)]
    frame = profiles_frame(named)
    clusters = clusters_frame([[p["ProfileId"] for p in named]])
    (plan,) = plan_merges(frame, clusters, Rules(**sections), DomainFacts()).plans
    return plan


def fates(plan):
    return [(d.field, d.value, d.fate, d.target) for d in plan.disposals]


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=5_000 if SOAK else 80)
@given(seed=st.integers(0, 10**9), size=st.one_of(st.integers(2, 6), st.integers(2, 45)))
def test_every_distinct_value_of_every_member_has_exactly_one_fate_and_really_is_there(seed, size):
    drawn = draw(seed, size)
    (plan,) = plan_merges(drawn.frame, drawn.clusters, drawn.rules, drawn.facts).plans
    members = {p["ProfileId"]: p for p in drawn.profiles}
    distinct = {(f, canonical_json(v)) for p in drawn.profiles for f, v in flat(p).items()}
    entries = account(plan, members)
    assert Counter((e.field, canonical_json(e.value)) for e in entries) == Counter(distinct)
    assert sum(Counter(e.fate for e in entries).values()) == len(distinct)
    after = flat(simulate_post_steps(plan.predicted, plan.post_steps))
    for entry in entries:
        assert_it_is_there(entry, plan, members, after)
    for field, value in flat(dict(plan.predicted)).items():
        assert after[field] == repointed(field, value, plan), "a post-step overwrote what the merge had kept"
    for step in plan.post_steps:
        if step.operation == "update_profile":
            written = flat({k: v for k, v in step.request.items() if k != "EngagementPreferences"})
            assert all(len(v) <= MAX_LENGTH.get(f, DEFAULT_MAX_LENGTH) for f, v in written.items())
            assert all(len(f) <= DEFAULT_MAX_LENGTH + len("Attributes.") for f in written)


def repointed(field, value, plan):
    """Preferences as the post-step leaves them: references to merged profiles name the survivor."""
    if field != "EngagementPreferences":
        return value
    for merged in plan.merged_profile_ids:
        value = value.replace(f'"ProfileId":"{merged}"', f'"ProfileId":"{plan.main_profile_id}"')
    return value


def assert_it_is_there(entry, plan, members, after):
    if entry.fate == "kept" and isinstance(entry.value, dict):
        assert entry.value.items() <= after[entry.target or entry.field].items()
    elif entry.fate in ("kept", "slot"):
        assert after[entry.target or entry.field] == repointed(entry.field, entry.value, plan)
    elif entry.fate == "key":
        moved = {k for i in plan.merged_profile_ids for k in search_keys(members[i])}
        added = {
            (s.request["KeyName"], v)
            for s in plan.post_steps
            if s.operation == "add_profile_key"
            for v in s.request["Values"]
        }
        alike = any(
            likeness(entry.field, after[f]) == likeness(entry.field, entry.value)
            for f in KINDS[entry.target]
            if f in after
        )
        assert (entry.target, entry.value) in moved | added or alike
    elif entry.fate == "attribute":
        text = after[f"Attributes.{entry.target}"]
        assert text == entry.value or isinstance(entry.value, dict)
    else:
        assert entry.reason


def test_a_displaced_number_stays_findable():
    plan = plan_of([{"PhoneNumber": "1", "FirstName": "A"}, {"PhoneNumber": "2"}])
    assert fates(plan) == [("PhoneNumber", "2", "key", "_phone")]
    (step,) = plan.post_steps
    assert step.operation == "add_profile_key"
    assert step.request == {"ProfileId": "a", "KeyName": "_phone", "Values": ["2"]}


def test_without_added_keys_only_the_merged_profiles_numbers_move():
    rules = {"preservation": Preservation(search_keys=False), "survivorship": Survivorship(default="longest")}
    people = [
        {"PhoneNumber": "1", "EmailAddress": "bb", "FirstName": "A"},
        {"PhoneNumber": "22", "EmailAddress": "c"},
    ]
    plan = plan_of(people, **rules)
    assert fates(plan) == [("PhoneNumber", "1", "given_up", None), ("EmailAddress", "c", "key", "_email")]
    assert plan.post_steps == ()


def test_free_fields_take_numbers_and_addresses_only_where_the_rules_say_so():
    people = [
        {
            "PhoneNumber": "1",
            "MobilePhoneNumber": "3",
            "EmailAddress": "a",
            "FirstName": "A",
            "LastName": "B",
        },
        {"PhoneNumber": "2", "EmailAddress": "b", "MiddleName": "C"},
        {"PhoneNumber": "2", "MobilePhoneNumber": "4", "HomePhoneNumber": "2", "BusinessEmailAddress": "b"},
    ]
    rules = Preservation(free_slots=True)
    plan = plan_of(people, preservation=rules, survivorship=Survivorship(default="main"))
    assert fates(plan) == [
        ("PhoneNumber", "2", "kept", "HomePhoneNumber"),
        ("MobilePhoneNumber", "4", "key", "_phone"),
        ("EmailAddress", "b", "kept", "BusinessEmailAddress"),
    ]
    plan = plan_of(people[:2], preservation=rules, survivorship=Survivorship(default="main"))
    assert fates(plan) == [
        ("PhoneNumber", "2", "slot", "HomePhoneNumber"),
        ("EmailAddress", "b", "slot", "PersonalEmailAddress"),
    ]
    assert plan.post_steps[0].request == {
        "ProfileId": "a",
        "PersonalEmailAddress": "b",
        "HomePhoneNumber": "2",
    }


def test_a_number_in_another_form_needs_neither_a_key_nor_a_slot():
    people = [{"PhoneNumber": "206-345-7890", "FirstName": "A"}, {"PhoneNumber": "(206) 345 7890"}]
    plan = plan_of(people, preservation=Preservation(free_slots=True))
    assert (fates(plan), plan.post_steps) == ([("PhoneNumber", "(206) 345 7890", "key", "_phone")], ())
    people[1]["PhoneNumber"] = "+206 345 7890"
    assert plan_of(people).post_steps[0].request["Values"] == ["+206 345 7890"]


def test_a_value_that_moves_once_moves_once():
    people = [
        {"PhoneNumber": "1", "FirstName": "A"},
        {"PhoneNumber": "2"},
        {"MobilePhoneNumber": "2"},
        {"MobilePhoneNumber": "3"},
        {"MobilePhoneNumber": "3"},
    ]
    plan = plan_of(
        people, preservation=Preservation(free_slots=True), survivorship=Survivorship(default="main")
    )
    assert ("PhoneNumber", "2", "slot", "HomePhoneNumber") in fates(plan)
    assert ("MobilePhoneNumber", "2", "slot", "HomePhoneNumber") in fates(plan)


def test_an_address_whose_parts_all_stand_in_the_kept_one_is_not_lost():
    people = [
        {"Address": {"City": "Bonn", "Country": "DE"}, "FirstName": "A"},
        {"Address": {"City": "Bonn"}, "BillingAddress": {"City": "Ulm"}},
        {"Address": {"City": "Ulm"}},
        {"Address": {"City": "Kiel"}},
    ]
    plan = plan_of(people, survivorship=Survivorship(default="most_complete"))
    assert [(f["City"], fate, target) for _, f, fate, target in fates(plan)] == [
        ("Bonn", "kept", "Address"),
        ("Ulm", "kept", "BillingAddress"),
        ("Kiel", "given_up", None),
    ]


def test_attributes_preserve_what_has_no_other_place_within_the_services_limits():
    people = [
        {"FirstName": "Ana", "LastName": "R", "Attributes": {"tier": "gold", "old_LastName": "S"}},
        {"FirstName": "Anna", "LastName": "S", "Attributes": {"tier": "silver"}},
        {"FirstName": "Anne", "AdditionalInformation": "x" * 300},
        {"AdditionalInformation": "y" * 300, "Attributes": {"k" * 255: "1"}},
        {"Attributes": {"k" * 255: "2"}},
    ]
    plan = plan_of(people, preservation=Preservation(attribute_prefix="old_"))
    assert [(f, fate, t) for f, _, fate, t in fates(plan)] == [
        ("AdditionalInformation", "given_up", None),
        ("FirstName", "attribute", "old_FirstName"),
        ("FirstName", "attribute", "old_FirstName_2"),
        ("LastName", "attribute", "old_LastName"),
        ("Attributes." + "k" * 255, "given_up", None),
        ("Attributes.tier", "attribute", "old_tier"),
    ]
    assert plan.disposals[0].reason == "longer than the 255 characters that an attribute holds"
    assert plan.disposals[3].reason == "that attribute says it already"
    (step,) = plan.post_steps
    assert step.request["Attributes"] == {
        "old_tier": "silver",
        "old_FirstName": "Anna",
        "old_FirstName_2": "Anne",
    }


def test_what_is_given_up_says_whether_the_kept_value_says_the_same():
    plan = plan_of([{"FirstName": "Ana", "LastName": "Ruiz"}, {"FirstName": "ANA", "LastName": "Ruis"}])
    assert [d.reason for d in plan.given_up] == [
        "the kept value says the same in another form",
        "another value is kept, and the rule set preserves no others of this field",
    ]


def test_a_refused_plan_takes_nothing_away():
    people = [
        {"ProfileType": "PROFILE", "FirstName": "A"},
        {"ProfileType": "ACCOUNT_PROFILE", "FirstName": "B"},
    ]
    plan = plan_of(people, merging=Merging())
    members = {"abcd"[n]: {"ProfileId": "abcd"[n], **p} for n, p in enumerate(people)}
    assert {e.fate for e in account(plan, members)} == {"kept"}


def test_an_account_with_a_hole_or_a_double_entry_is_an_error():
    people = [{"FirstName": "Ana"}, {"FirstName": "Anna"}]
    members = {"ab"[n]: {"ProfileId": "ab"[n], **p} for n, p in enumerate(people)}
    plan = plan_of(people)
    with pytest.raises(ValueError, match="FirstName of b has 0 fates"):
        account(replace(plan, disposals=()), members)
    with pytest.raises(ValueError, match="disposes of a value twice"):
        account(replace(plan, disposals=plan.disposals * 2), members)
    with pytest.raises(ValueError, match="FirstName of b has 2 fates"):
        account(
            replace(plan, predicted={"ProfileId": "a", "FirstName": "Anna"}), {"a": {}, "b": members["b"]}
        )
