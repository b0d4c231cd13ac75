"""A dry run finds what would speak against a plan, in each batch of it, and says which calls it makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from embedded import NAME, embedded, pid
from merges import plan_of_group, put_crm_type

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.calls import Result
from resolver.app.results import describe_apply, render_dry_run
from resolver.ledger.ledger import open_ledger
from resolver.model.merge_plan import PostStep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = count(1)
CROWD = [{"ProfileId": pid(n), "FirstName": f"F{n}", "AccountNumber": f"a{n}"} for n in range(10, 60)]
PAIR = [
    {"ProfileId": pid(1), "FirstName": "Ana", "Attributes": {"a": "secret1"}},
    {"ProfileId": pid(2), "FirstName": "Anna", "PhoneNumber": "0800", "Attributes": {"a": "secret2"}},
]
LATER = PostStep("update_profile", {"ProfileId": pid(1), "HomePhoneNumber": "0911"})


def options(**over):
    facts = {"run_id": f"run-{next(RUNS)}", "actor": "ana", "clock": lambda: NOON, "settle_seconds": 0.5}
    return ApplyOptions(**(facts | {"workers": 1} | over))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def rehearse(domain, ledger, *plans):
    report = apply_plans(plans, domain, ledger, options(dry_run=True))
    assert set(domain.calls.counts) & {"merge_profiles", "update_profile", "add_profile_key"} == set()
    return report


def test_a_plan_whose_survivor_would_not_be_as_predicted_is_refused(ledger):
    plan = plan_of_group(PAIR)
    wrong = replace(plan, predicted={**plan.predicted, "FirstName": "Somebody"})
    with embedded(PAIR) as (domain, _):
        (outcome,) = rehearse(domain, ledger, wrong).outcomes
        assert outcome.result is Result.REFUSED
        assert outcome.reason == "the merge would not leave what the plan predicts"
        assert rehearse(domain, ledger, plan).outcomes[0].result is Result.WOULD_APPLY


@pytest.mark.parametrize("changed", [10, 15, 35, 55])
def test_a_member_that_changed_is_found_in_any_batch_of_a_chain(ledger, changed):
    plan = plan_of_group(CROWD)
    with embedded(CROWD) as (domain, _):
        assert rehearse(domain, ledger, plan).complete
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(changed), LastName="New")
        (outcome,) = rehearse(domain, ledger, plan).outcomes
    assert outcome.result is Result.REFUSED
    assert outcome.reason == f"changed since it was planned: {pid(changed)}"


def test_the_calls_that_a_dry_run_names_are_those_that_the_run_makes(ledger):
    plan = plan_of_group(PAIR, {"FirstName": pid(2), "Attributes.a": pid(2)}, post_steps=(LATER,))
    sent = []
    with embedded(PAIR) as (domain, _):
        told = rehearse(domain, ledger, plan)
        events = domain.clients.merge.meta.events
        for operation in ("MergeProfiles", "UpdateProfile"):
            events.register(
                f"provide-client-params.customer-profiles.{operation}",
                lambda params, **_: sent.append(params),
            )
        assert apply_plans([plan], domain, ledger, options()).complete
    merge, update = told.outcomes[0].calls
    assert merge == {
        "operation": "merge_profiles",
        **{name: value for name, value in sent[0].items() if name != "DomainName"},
    }
    assert update == {"operation": "update_profile", "ProfileId": pid(1), "Fields": ["HomePhoneNumber"]}
    assert sorted(sent[1].keys() - {"DomainName", "ProfileId"}) == update["Fields"]


def test_people_are_told_the_calls_and_no_value(ledger):
    plan = plan_of_group(PAIR, {"FirstName": pid(2), "Attributes.a": pid(2)}, post_steps=(LATER,))
    with embedded([*PAIR, *CROWD]) as (domain, _):
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(11), LastName="New")
        refused = plan_of_group(CROWD[:2])
        data = describe_apply(rehearse(domain, ledger, plan, refused))
    text = render_dry_run(data | {"acceptance": {"plans_held": 3}})
    assert text.splitlines() == [
        "Dry run of 2 plans: 1 would apply, 1 refused. 2 calls would be made; none was.",
        "3 more plans are held by the acceptance gate.",
        f"plan {plan.plan_id[:12]}",
        f"  merge_profiles into {pid(1)}: {pid(2)}; FirstName of {pid(2)}, Attributes.a of {pid(2)}",
        f"  update_profile of {pid(1)}: HomePhoneNumber",
        f"plan {refused.plan_id[:12]}: changed since it was planned: {pid(11)}",
    ]
    assert not any(value in f"{data}{text}" for value in ("secret", "0911", "Anna"))


def test_of_a_plan_that_is_half_done_only_what_remains_is_told(ledger):
    plan = plan_of_group(
        CROWD, post_steps=(PostStep("update_profile", {"ProfileId": pid(10), "LastName": "Ng"}),)
    )
    with embedded(CROWD) as (domain, _):
        for merges, left in ((1, 3), (2, 2), (3, 1)):
            made = Brakes(
                should_stop=lambda most=merges: domain.calls.counts.get("merge_profiles", 0) >= most
            )
            apply_plans([plan], domain, ledger, options(brakes=made))
            (outcome,) = apply_plans([], domain, ledger, options(dry_run=True)).outcomes
            assert outcome.result is Result.WOULD_APPLY, outcome
            assert len(outcome.calls) == left
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(10), FirstName="New")
        (outcome,) = apply_plans([], domain, ledger, options(dry_run=True)).outcomes
    assert outcome.reason == f"survivor {pid(10)} changed since it was merged"


def test_objects_of_all_batches_count_together(ledger):
    plan = plan_of_group(CROWD)
    with embedded(CROWD) as (domain, _):
        put_crm_type(domain.clients.read, "of", "_account")
        for number in range(1001):
            body = f'{{"id": "{number}", "of": "a{11 if number < 600 else 40}"}}'
            domain.clients.read.put_profile_object(DomainName=NAME, ObjectTypeName="Crm", Object=body)
        (outcome,) = rehearse(domain, ledger, plan).outcomes
    assert outcome.result is Result.REFUSED
    assert outcome.reason.startswith("1001 objects would come together, 1000 are allowed")
