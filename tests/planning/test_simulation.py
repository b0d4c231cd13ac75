"""Predictions against what the embedded service's MergeProfiles leaves."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from planning_cases import SOAK, Drawn, draw

from resolver.local.embed import attach
from resolver.local.loading import load_objects, load_profiles
from resolver.local.service import Service, Settings
from resolver.local.store import Store
from resolver.model.merge_plan import FieldChoice, MergeStep
from resolver.model.profile import DEFAULT_MAX_LENGTH, STEERABLE, UNSTEERABLE
from resolver.planning.members import flat
from resolver.planning.plans import plan_merges
from resolver.planning.simulation import (
    search_keys_after,
    simulate_post_steps,
    simulate_step,
    simulate_steps,
)

if TYPE_CHECKING:
    from resolver.model.merge_plan import MergePlan

CRM = {
    "Description": "objects that touch no field",
    "Fields": {"id": {"Source": "_source.id"}, "by": {"Source": "_source.by"}},
    "Keys": {
        "crmId": [{"StandardIdentifiers": ["UNIQUE"], "FieldNames": ["id"]}],
        "_profileId": [{"StandardIdentifiers": ["PROFILE", "LOOKUP_ONLY"], "FieldNames": ["by"]}],
    },
}


TWINS = {"PartyTypeString": "PartyType", "GenderString": "Gender"}


def _without_twins(profile):
    return {name: value for name, value in profile.items() if TWINS.get(name) not in profile}


class Sandbox:
    """A domain after domain in one embedded service."""

    def __init__(self, merge_winner: Any) -> None:
        self.merge_winner = merge_winner
        self.store = Store.open(None)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.client = boto3.client("customer-profiles", region_name="us-east-1", **keys)
        attach(self.client, Service(self.store, Settings(merge_winner=merge_winner)))
        self.names = (f"domain-{n}" for n in count())

    def load(self, drawn: Drawn) -> str:
        name = next(self.names)
        # no single call gives both of a pair; a profile has both after two calls
        load_profiles(self.store, name, [_without_twins(profile) for profile in drawn.profiles])
        for profile in drawn.profiles:
            if twins := {twin: profile[twin] for twin, one in TWINS.items() if {twin, one} <= profile.keys()}:
                self.client.update_profile(DomainName=name, ProfileId=profile["ProfileId"], **twins)
        self.client.put_profile_object_type(DomainName=name, ObjectTypeName="crm", **CRM)
        load_objects(self.store, name, drawn.bodies)
        for profile_id, key, value in drawn.given_keys:
            self.client.add_profile_key(DomainName=name, ProfileId=profile_id, KeyName=key, Values=[value])
        return name

    def merge(self, domain: str, step: Any) -> dict[str, Any]:
        self.client.merge_profiles(
            DomainName=domain,
            MainProfileId=step.main_profile_id,
            ProfileIdsToBeMerged=list(step.merged_profile_ids),
            FieldSourceProfileIds=step.field_sources,
        )
        return self.read(domain, step.main_profile_id)

    def read(self, domain: str, profile_id: str) -> dict[str, Any]:
        answer = self.client.batch_get_profile(DomainName=domain, ProfileIds=[profile_id])
        return answer["Profiles"][0]

    def objects(self, domain: str, profile_id: str) -> int:
        total, token = 0, {}
        while True:
            page = self.client.list_profile_objects(
                DomainName=domain, ObjectTypeName="crm", ProfileId=profile_id, MaxResults=100, **token
            )
            total += len(page["Items"])
            if "NextToken" not in page:
                return total
            token = {"NextToken": page["NextToken"]}

    def finds(self, domain: str, key: str, value: str) -> list[str]:
        page = self.client.search_profiles(DomainName=domain, KeyName=key, Values=[value])
        return [item["ProfileId"] for item in page["Items"]]


@pytest.fixture(scope="module", params=["normal", "hostile"])
def sandbox(request):
    made = Sandbox(request.param)
    yield made
    made.store.close()


def note_what_is_covered(drawn: Drawn, plan: MergePlan) -> None:
    """What the draws reach, for `--hypothesis-show-statistics`."""
    main = next(p for p in drawn.profiles if p["ProfileId"] == plan.main_profile_id)
    texts = [v for p in drawn.profiles for v in flat(p).values() if isinstance(v, str)]
    keys = [
        (type_, body["id"])
        for type_, body in {(b[0], b[1], b[2]["id"]): b[1:] for b in drawn.bodies}.values()
    ]
    covered = {
        "main holds nothing but its id": len(main) == 1,
        "main lacks a disputed field": any(c.field not in flat(main) for c in plan.field_choices),
        "addresses conflict": any("Address" in c.field for c in plan.field_choices),
        "attributes conflict": any(c.field.startswith("Attributes.") for c in plan.field_choices),
        "preferences conflict": any(c.field == "EngagementPreferences" for c in plan.field_choices),
        "a field conflicts that nothing steers": any(c.field in UNSTEERABLE for c in plan.field_choices),
        "a donor is named": any(s.field_choices for s in plan.steps),
        "several calls": len(plan.steps) > 1,
        "several members hold one object": len(keys) > len(set(keys)),
        "keys added by hand": bool(drawn.given_keys),
        "a text as long as may be": any(len(text) >= DEFAULT_MAX_LENGTH for text in texts),
        "a text outside ASCII": not all(map(str.isascii, texts)),
        "preferences name a merged profile": any(
            "EngagementPreferences" in s.request for s in plan.post_steps
        ),
        **{f"fate {fate}": True for fate in {d.fate for d in plan.disposals}},
    }
    for name, is_so in covered.items():
        if is_so:
            event(name)


def the_plan(drawn: Drawn) -> MergePlan:
    (plan,) = plan_merges(drawn.frame, drawn.clusters, drawn.rules, drawn.facts).plans
    return plan


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=2_600 if SOAK else 60)
@given(seed=st.integers(0, 10**9), size=st.one_of(st.integers(2, 6), st.integers(2, 45)))
def test_the_predicted_profile_is_what_merge_profiles_leaves(sandbox, seed, size):
    drawn = draw(seed, size)
    plan = the_plan(drawn)
    note_what_is_covered(drawn, plan)
    state = {p["ProfileId"]: p for p in drawn.profiles}
    domain = sandbox.load(drawn)
    for step in plan.steps:
        state[step.main_profile_id] = simulate_step(state, step)
        assert sandbox.merge(domain, step) == state[step.main_profile_id]
    assert state[plan.main_profile_id] == plan.predicted
    assert sandbox.objects(domain, plan.main_profile_id) == plan.object_count
    merged = [p for p in drawn.profiles if p["ProfileId"] != plan.main_profile_id]
    found_by = sorted(search_keys_after(merged, plan.predicted))
    for key, value in [k for k in found_by if len(k[1]) <= DEFAULT_MAX_LENGTH][:: 1 + size // 4]:
        assert sandbox.finds(domain, key, value) == [plan.main_profile_id]
    for _, key, value in drawn.given_keys:
        assert sandbox.finds(domain, key, value) == [plan.main_profile_id]
    for post in plan.post_steps:
        getattr(sandbox.client, post.operation)(DomainName=domain, **post.request)
    after = simulate_post_steps(plan.predicted, plan.post_steps)
    assert sandbox.read(domain, plan.main_profile_id) == after
    for disposal in plan.disposals:
        if disposal.fate == "key":
            assert sandbox.finds(domain, disposal.target, disposal.value) == [plan.main_profile_id]


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=1_000 if SOAK else 40)
@given(seed=st.integers(0, 10**9), size=st.integers(2, 21))
def test_even_a_careless_call_is_simulated_as_it_is_served(sandbox, seed, size):
    """Sources without a value, disputes that nobody decided: what plans never send."""
    drawn = draw(seed, size)
    rng = random.Random(seed)
    ids = [p["ProfileId"] for p in drawn.profiles]
    fields = [f for f in (*STEERABLE, "Attributes.tier", "Attributes.none") if rng.random() < 0.3]
    choices = tuple(FieldChoice(f, rng.choice(ids), "claimed", "drawn") for f in fields)
    step = MergeStep(ids[0], tuple(ids[1:]), choices)
    served = sandbox.merge(sandbox.load(drawn), step)
    # the simulation assumes that the first of the request wins; a hostile service takes the last
    order = step.merged_profile_ids[:: 1 if sandbox.merge_winner == "normal" else -1]
    state = {p["ProfileId"]: p for p in drawn.profiles}
    assert simulate_step(state, MergeStep(ids[0], order, choices)) == served


def test_a_named_source_without_a_value_erases_and_an_unnamed_conflict_keeps_main():
    state = {
        "a": {"ProfileId": "a", "FirstName": "Ana", "Attributes": {"x": "1"}},
        "b": {
            "ProfileId": "b",
            "LastName": "Ruiz",
            "EmailAddress": "a@x.io",
            "Attributes": {"x": "2", "y": "3"},
        },
        "c": {"ProfileId": "c", "FirstName": "Anna"},
    }

    def after(**sources):
        choices = tuple(FieldChoice(f.replace("_", "."), i, "claimed", "drawn") for f, i in sources.items())
        return simulate_step(state, MergeStep("a", ("b", "c"), choices))

    union = {"ProfileId": "a", "FirstName": "Ana", "LastName": "Ruiz", "EmailAddress": "a@x.io"}
    assert after() == {**union, "Attributes": {"x": "1", "y": "3"}}
    assert after(FirstName="c", Attributes_x="b")["FirstName"] == "Anna"
    assert after(Attributes_x="b")["Attributes"] == {"x": "2", "y": "3"}
    assert "EmailAddress" not in after(EmailAddress="c")
    assert "Attributes" not in after(Attributes_x="c", Attributes_y="c")


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@settings(max_examples=500 if SOAK else 50)
@given(seed=st.integers(0, 10**9), size=st.integers(2, 45))
def test_the_prediction_of_a_plan_equals_the_simulation_of_its_steps(seed, size):
    drawn = draw(seed, size)
    plan = the_plan(drawn)
    assert plan.predicted == simulate_steps({p["ProfileId"]: p for p in drawn.profiles}, plan.steps)
