"""A person has looked at what waits for one: it is settled as the domain shows it, and runs go on."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest
from embedded import NAME, embedded, pid
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.calls import Result
from resolver.app.recounting import list_merges
from resolver.app.restoring import RestoreOptions, restore_merge
from resolver.app.settling import settle_merge
from resolver.errors import BadInput
from resolver.ledger.ledger import open_ledger
from resolver.model.journal import JournalState
from resolver.model.merge_plan import PostStep
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = count(1)
ANA = [
    {"ProfileId": pid(1), "FirstName": "Ana", "EmailAddress": "ana@x.io"},
    {"ProfileId": pid(2), "FirstName": "Anna", "PhoneNumber": "0800"},
]
LATER = PostStep("update_profile", {"ProfileId": pid(1), "HomePhoneNumber": "0900"})
BY = ("bea", "looked at both", lambda: NOON)


def options(**brakes):
    facts = (f"run-{next(RUNS)}", "ana", lambda: NOON)
    return ApplyOptions(*facts, workers=1, settle_seconds=0.2, brakes=Brakes(**brakes))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def meddle_with_merge(domain, meddle):
    """Do something else where the merge is sent, once."""
    event = "before-send.customer-profiles.MergeProfiles"
    events = domain.clients.merge.meta.events

    def once(**_):
        events.unregister(event, once)
        meddle()

    events.register_first(event, once)


def unclear_merge(domain, ledger, plan):
    """The survivor is edited right after the last reading, so it is not as predicted."""
    change = {"DomainName": NAME, "ProfileId": pid(1), "LastName": "Meddled"}
    meddle_with_merge(domain, lambda: domain.clients.read.update_profile(**change))
    report = apply_plans([plan], domain, ledger, options())
    assert report.outcomes[0].result is Result.UNCLEAR


def test_an_unclear_merge_whose_profile_is_gone_is_done_and_its_survivor_is_free_again(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, _):
        unclear_merge(domain, ledger, plan)
        settled = settle_merge(plan.plan_id[:12], domain, ledger, BY)

        assert (settled.state, settled.gone) == ("done", (pid(2),))
        assert ledger.survivors(NAME) == {pid(2): pid(1)}
        assert ledger.unclear(NAME) == []
        assert apply_plans([plan], domain, ledger, options()).outcomes[0].result is Result.ALREADY_APPLIED
        assert ledger.entries_of(plan.plan_id)[-1].detail == "settled by bea: looked at both"
        with pytest.raises(BadInput, match="nothing of it waits"):
            settle_merge(plan.plan_id, domain, ledger, BY)

        restored = restore_merge(
            plan.plan_id, domain, ledger, RestoreOptions("undo", "bea", lambda: NOON, apply=True)
        )
        assert restored.state == "restored"
        assert "LastName" in "".join(restored.kept)


def test_an_unclear_merge_whose_profiles_are_all_there_may_be_tried_again(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, _):
        event = "before-call.customer-profiles.MergeProfiles"

        class Answer:
            status_code = 200

        def accepted(**_):
            return Answer(), {"ResponseMetadata": {"RequestId": "1"}}

        domain.clients.merge.meta.events.register_first(event, accepted, "once")
        report = apply_plans([plan], domain, ledger, options())
        domain.clients.merge.meta.events.unregister(event, accepted, "once")
        assert report.outcomes[0].result is Result.UNCLEAR

        assert settle_merge(plan.plan_id, domain, ledger, BY).state == "failed"
        assert apply_plans([plan], domain, ledger, options()).complete


def test_a_half_done_plan_that_cannot_go_on_is_closed_and_no_run_speaks_of_it_again(ledger):
    plan = plan_of_group(ANA, post_steps=(LATER,))
    with embedded(ANA) as (domain, _):
        stop = iter([False, False, True, True])  # before the merge is prepared, and at its turn
        apply_plans([plan], domain, ledger, options(should_stop=lambda: next(stop)))
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(1), LastName="New")
        assert apply_plans([], domain, ledger, options()).outcomes[0].result is Result.REFUSED
        (row,) = list_merges(NAME, ledger, None)[0]["merges"]
        assert (row["state"], row["survivor"], row["merged"]) == ("refused, 1/2", pid(1), 1)

        assert settle_merge(plan.plan_id, domain, ledger, BY).state == "closed"

        report = apply_plans([], domain, ledger, options())
        assert (report.outcomes, report.complete) == ((), True)
        assert apply_plans([plan], domain, ledger, options()).outcomes[0].reason == "a person has closed it"
        assert ledger.entries_of(plan.plan_id)[-1].state is JournalState.CLOSED
        assert list_merges(NAME, ledger, None)[0]["merges"][0]["state"] == "closed, 1/2"
        assert ledger.expire(NAME, NOON.replace(year=2027))["before_images"] == 1


def test_a_closed_merge_can_be_restored(ledger):
    plan = plan_of_group(ANA, post_steps=(LATER,))
    with embedded(ANA) as (domain, _):
        stop = iter([False, False, True, True])  # before the merge is prepared, and at its turn
        apply_plans([plan], domain, ledger, options(should_stop=lambda: next(stop)))
        settle_merge(plan.plan_id, domain, ledger, BY)
        restored = restore_merge(
            plan.plan_id, domain, ledger, RestoreOptions("undo", "bea", lambda: NOON, apply=True)
        )
        back = read_profiles(domain, list(restored.profiles.values()))
        assert restored.state == "restored"
        assert {p.get("PhoneNumber") for p in back.values()} == {None, "0800"}


def test_a_merge_that_waits_for_nobody_is_bad_input(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, _):
        apply_plans([plan], domain, ledger, options())
        for merge_id in (plan.plan_id, "", "nothing"):
            with pytest.raises(BadInput):
                settle_merge(merge_id, domain, ledger, BY)
