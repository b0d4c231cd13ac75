from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from cryptography.fernet import Fernet
from embedded import NAME, domain_at, embedded, pid
from merges import plan_of_group, put_crm_type

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.calls import Result
from resolver.app.readiness import Conditions
from resolver.errors import AlreadyRunning, BadInput, Held, LedgerFailed, ServiceFailed
from resolver.ledger.ledger import open_ledger
from resolver.ledger.sealing import new_key
from resolver.local.faults import Fault, Faults
from resolver.local.service import Settings
from resolver.model.decision import Decision, Verdict
from resolver.model.journal import JournalState
from resolver.model.merge_plan import PostStep
from resolver.profiles.domain import Domain, describe_domain
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = count(1)

ANA = [
    {"ProfileId": pid(1), "FirstName": "Ana", "EmailAddress": "ana@x.io", "Attributes": {"a": "1"}},
    {"ProfileId": pid(2), "FirstName": "Anna", "PhoneNumber": "0800", "Attributes": {"a": "2", "b": "3"}},
]
BOB = [
    {"ProfileId": pid(3), "FirstName": "Bob", "Address": {"City": "Oslo", "Country": "NO"}},
    {"ProfileId": pid(4), "LastName": "Ng", "Address": {"City": "Bergen"}},
]
CROWD = [{"ProfileId": pid(n), "FirstName": f"F{n}", "AccountNumber": f"a{n}"} for n in range(10, 60)]


def options(**over):
    facts = {
        "run_id": f"run-{next(RUNS)}",
        "actor": "ana",
        "clock": lambda: NOON,
        "settle_seconds": 0.5,
        "workers": 1,
    }
    brakes = {name: over.pop(name) for name in ("limit", "should_stop") if name in over}
    return ApplyOptions(**(facts | {"brakes": Brakes(**brakes)} | over))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


@pytest.fixture
def faults():
    return Faults()


def ids_there(domain, profiles):
    return set(read_profiles(domain, [p["ProfileId"] for p in profiles]))


def merges_in_history(service):
    with service.store.reading() as session:
        return session.all("SELECT count(*) FROM history WHERE action = 'MERGED'")[0][0]


@pytest.mark.parametrize("transport", ["in process", "http"])
@pytest.mark.parametrize("alias", [False, True])
@pytest.mark.parametrize("winner", ["normal", "hostile"])
def test_plans_are_applied_and_the_domain_is_as_predicted(ledger, transport, alias, winner):
    settings = Settings(merge_winner=winner, victim_alias=alias)
    plans = [plan_of_group(ANA, {"FirstName": pid(2), "Attributes.a": pid(2)}), plan_of_group(BOB)]
    with embedded(ANA + BOB, settings, transport) as (domain, service):
        report = apply_plans(plans, domain, ledger, options())

        assert report.complete
        assert report.merged == 2
        assert read_profiles(domain, [pid(1), pid(3)]) == {
            pid(1): plans[0].predicted,
            pid(3): plans[1].predicted,
        }
        assert describe_domain(domain).profile_count == 2
        assert merges_in_history(service) == 2
    assert plans[0].predicted["FirstName"] == "Anna"
    assert ledger.survivors(NAME) == {pid(2): pid(1), pid(4): pid(3)}
    assert ledger.open_intents(NAME) == []


def test_every_merge_is_written_down_before_it_is_sent_and_read_back_after(ledger):
    plan = plan_of_group(ANA)
    seen = []

    def note(**_):
        (intent,) = ledger.open_intents(NAME)
        seen.append((intent.state, intent.before["profiles"], intent.expected))

    with embedded(ANA) as (domain, _):
        domain.clients.merge.meta.events.register("before-call.customer-profiles.MergeProfiles", note)
        apply_plans([plan], domain, ledger, options())

    assert seen == [(JournalState.INTENT, {p["ProfileId"]: p for p in ANA}, plan.predicted)]
    states = [entry.state for entry in ledger.entries_of(plan.plan_id)]
    assert states == [JournalState.INTENT, JournalState.SENT, JournalState.DONE]


def test_before_images_hold_the_objects_too(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, _):
        client = domain.clients.read
        put_crm_type(client, "phone", "_phone")
        client.put_profile_object(
            DomainName=NAME, ObjectTypeName="Crm", Object='{"id": "7", "phone": "0800"}'
        )
        images = []
        domain.clients.merge.meta.events.register(
            "before-call.customer-profiles.MergeProfiles",
            lambda **_: images.append(ledger.open_intents(NAME)[0].before["objects"]),
        )
        report = apply_plans([plan], domain, ledger, options())

    assert report.complete
    assert images[0][pid(1)] == []
    assert [(o["object_type_name"], o["object"]) for o in images[0][pid(2)]] == [
        ("Crm", '{"id": "7", "phone": "0800"}')
    ]


@pytest.mark.parametrize("change", ["edited", "deleted", "merged away"])
@pytest.mark.parametrize("alias", [False, True])
def test_a_plan_whose_member_changed_is_refused_and_the_others_go_on(ledger, change, alias):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    with embedded([*ANA, *BOB, *CROWD[:1]], Settings(victim_alias=alias)) as (domain, _):
        client = domain.clients.read
        if change == "edited":
            client.update_profile(DomainName=NAME, ProfileId=pid(2), LastName="New")
        elif change == "deleted":
            client.delete_profile(DomainName=NAME, ProfileId=pid(2))
        else:
            client.merge_profiles(DomainName=NAME, MainProfileId=pid(10), ProfileIdsToBeMerged=[pid(2)])
        there = ids_there(domain, ANA)
        report = apply_plans(plans, domain, ledger, options())

        assert ids_there(domain, ANA) == there
        assert ids_there(domain, BOB) == {pid(3)}
    first, second = report.outcomes
    assert (first.result, second.result) == (Result.REFUSED, Result.APPLIED)
    expected = "changed" if change == "edited" else "deleted or merged away"
    assert expected in first.reason
    assert pid(2) in first.reason
    assert not report.complete


def test_more_than_twenty_are_merged_in_a_chain(ledger):
    plan = plan_of_group(CROWD, {"AccountNumber": pid(45)})
    with embedded(CROWD) as (domain, service):
        report = apply_plans([plan], domain, ledger, options())

        assert len(plan.steps) == 3
        assert report.complete
        assert report.merged == 49
        assert read_profiles(domain, [pid(10)]) == {pid(10): plan.predicted}
        assert merges_in_history(service) == 3


TROUBLE = {
    "throttle": True,
    "fail_before": False,
    "fail_after": True,
    "reset_after": True,
    "delay_after": True,
}


def impatient(prompt):
    """The same domain over HTTP with real waiting; its client waits for a merge no longer than a second."""
    return replace(domain_at(prompt.clients.endpoint, merge_read_timeout=1.0), sleep=time.sleep)


@pytest.mark.parametrize("where", ["0, in process", "1, in process", "2, in process", "1, http"])
@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_with_a_merge_never_doubles_or_loses_it(ledger, faults, kind, where):
    step, transport = where.split(", ")
    plan = plan_of_group(CROWD)
    with embedded(CROWD, Settings(faults=faults), transport) as (prompt, service):
        domain = prompt if transport == "in process" else impatient(prompt)
        faults.plan("MergeProfiles", Fault(kind, skip=int(step), seconds=9 if domain is prompt else 2.5))
        patience = {"settle_seconds": 0.5 if domain is prompt else 3}
        report = apply_plans([plan], domain, ledger, options(**patience))

        assert report.complete is TROUBLE[kind]
        if not TROUBLE[kind]:
            assert report.outcomes[0].result is Result.FAILED
            again = apply_plans([plan], domain, ledger, options())
            assert again.complete
        assert read_profiles(domain, [pid(10)]) == {pid(10): plan.predicted}
        assert describe_domain(domain).profile_count == 1
        assert merges_in_history(service) == 3
    assert len(ledger.survivors(NAME)) == 49
    assert ledger.done_steps(NAME) == {plan.plan_id: 3}


def test_a_plan_that_is_applied_already_is_not_applied_again(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, service):
        apply_plans([plan], domain, ledger, options())
        report = apply_plans([plan], domain, ledger, options())

        assert report.outcomes[0].result is Result.ALREADY_APPLIED
        assert merges_in_history(service) == 1


def test_a_survivor_that_is_not_as_predicted_stops_the_run_for_a_person(ledger):
    plans = [plan_of_group(ANA), plan_of_group(BOB), plan_of_group(CROWD[:2])]
    with embedded(ANA + BOB + CROWD[:2]) as (domain, _):

        def meddle(**_):
            domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(1), LastName="Meddled")

        once = "meddle-once"
        events = domain.clients.merge.meta.events
        events.register_last("after-call.customer-profiles.MergeProfiles", meddle, once)
        report = apply_plans(plans, domain, ledger, options())
        events.unregister("after-call.customer-profiles.MergeProfiles", meddle, once)

        assert [o.result for o in report.outcomes] == [Result.UNCLEAR, Result.NOT_REACHED, Result.NOT_REACHED]
        assert "differs from the prediction in LastName" in report.outcomes[0].reason
        assert "Meddled" not in str(report)
        assert "unclear" in report.stopped

        overlapping = plan_of_group([ANA[0], BOB[0]])
        later = apply_plans([overlapping, plans[2]], domain, ledger, options())

        assert [o.result for o in later.outcomes] == [Result.REFUSED, Result.APPLIED]
        assert "waits for a person" in later.outcomes[0].reason


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(ledger):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    with embedded(ANA + BOB) as (domain, service):
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(4), LastName="New")
        report = apply_plans(plans, domain, ledger, options(dry_run=True))

        assert [o.result for o in report.outcomes] == [Result.WOULD_APPLY, Result.REFUSED]
        assert merges_in_history(service) == 0
        assert "merge_profiles" not in domain.calls.counts
    assert ledger.entries_of(plans[0].plan_id) == []


def test_a_limit_ends_the_run_after_so_many_plans(ledger):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    with embedded(ANA + BOB) as (domain, service):
        report = apply_plans(plans, domain, ledger, options(limit=1))

        assert [o.result for o in report.outcomes] == [Result.APPLIED, Result.NOT_REACHED]
        assert merges_in_history(service) == 1


def test_a_run_that_is_told_to_stop_finishes_the_call_in_hand_and_goes_on_next_time(ledger):
    plan = plan_of_group(CROWD)
    with embedded(CROWD) as (domain, service):
        report = apply_plans(
            [plan], domain, ledger, options(should_stop=lambda: merges_in_history(service) == 1)
        )

        assert report.outcomes[0].result is Result.NOT_REACHED
        assert report.outcomes[0].merged == 20
        assert ledger.open_intents(NAME) == []
        finished = apply_plans([], domain, ledger, options())  # the ledger knows the rest of the plan

        assert finished.complete
        assert finished.merged == 29
        assert read_profiles(domain, [pid(10)]) == {pid(10): plan.predicted}


def test_where_aws_merges_itself_the_run_is_held(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, service):
        client = domain.clients.read
        client.create_domain(
            DomainName="auto",
            DefaultExpirationDays=366,
            Matching={"Enabled": True, "AutoMerging": {"Enabled": True}},
        )
        auto = Domain("auto", domain.clients)
        with pytest.raises(Held, match=r"Matching\.AutoMerging"):
            apply_plans([plan], auto, ledger, options())
        assert merges_in_history(service) == 0


def test_failure_after_failure_ends_the_run(ledger, faults):
    plans = [plan_of_group(CROWD[n : n + 2]) for n in range(0, 20, 2)]
    with embedded(CROWD, Settings(faults=faults)) as (domain, service):
        faults.plan("MergeProfiles", Fault("fail_before", times=99))
        report = apply_plans(plans, domain, ledger, options())

        assert report.counts == {"failed": 5, "not reached": 5}
        assert "5 plans in a row" in report.stopped
        assert merges_in_history(service) == 0


def test_a_plan_of_another_domain_is_bad_input(ledger):
    plan = plan_of_group(ANA, domain_name="elsewhere")
    with embedded(ANA) as (domain, _), pytest.raises(BadInput, match="elsewhere"):
        apply_plans([plan], domain, ledger, options())


def test_plans_that_share_a_profile_are_not_both_applied(ledger):
    plans = [plan_of_group(ANA), plan_of_group([ANA[0], BOB[0]])]
    with embedded(ANA + BOB) as (domain, _):
        report = apply_plans(plans, domain, ledger, options())

    assert [o.result for o in report.outcomes] == [Result.APPLIED, Result.REFUSED]
    assert "shares profiles" in report.outcomes[1].reason


def test_two_runs_do_not_work_in_one_domain(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, service):
        ledger.acquire_lease(NAME, "somebody else", NOON)
        with pytest.raises(AlreadyRunning, match="somebody else"):
            apply_plans([plan], domain, ledger, options())
        assert merges_in_history(service) == 0

        later = NOON + timedelta(hours=1)
        report = apply_plans([plan], domain, ledger, options(clock=lambda: later))
        assert report.complete
    with pytest.raises(AlreadyRunning, match="lost"):
        ledger.renew_lease(NAME, "somebody else", later)


def test_nothing_is_sent_once_the_lease_is_not_sure(ledger):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    times = iter([NOON, NOON])
    with embedded(ANA + BOB) as (domain, _), pytest.raises(AlreadyRunning, match="in time"):
        apply_plans(plans, domain, ledger, options(clock=lambda: next(times, NOON + timedelta(minutes=4))))

    assert "merge_profiles" not in domain.calls.counts


def test_nothing_is_sent_when_the_ledger_cannot_take_the_intent(ledger, monkeypatch):
    plan = plan_of_group(ANA)

    def full(entry):
        raise LedgerFailed("ledger: cannot write: database or disk is full")

    monkeypatch.setattr(ledger, "record_intent", full)
    with embedded(ANA) as (domain, _), pytest.raises(LedgerFailed, match="full"):
        apply_plans([plan], domain, ledger, options())

    assert "merge_profiles" not in domain.calls.counts


def test_a_result_that_could_not_be_written_is_found_by_the_next_run(ledger, monkeypatch):
    plan = plan_of_group(ANA)

    def full(entry):
        raise LedgerFailed("ledger: cannot write: database or disk is full")

    with embedded(ANA) as (domain, service):
        with monkeypatch.context() as patch:
            patch.setattr(ledger, "record_result", full)
            with pytest.raises(LedgerFailed, match="full"):
                apply_plans([plan], domain, ledger, options())
        report = apply_plans([plan], domain, ledger, options())

        assert [entry.state for entry in report.settled] == [JournalState.DONE]
        assert report.outcomes[0].result is Result.ALREADY_APPLIED
        assert report.merged == 1
        assert report.complete
        assert merges_in_history(service) == 1


def test_a_domain_that_cannot_be_read_back_leaves_the_intent_open_for_the_next_run(ledger, faults):
    plan = plan_of_group(ANA)
    with embedded(ANA, Settings(faults=faults)) as (domain, service):
        faults.plan("SearchProfiles", Fault("fail_before", times=99))
        with pytest.raises(ServiceFailed):
            apply_plans([plan], domain, ledger, options())
        faults.clear()
        report = apply_plans([plan], domain, ledger, options())

        assert [entry.state for entry in report.settled] == [JournalState.DONE]
        assert merges_in_history(service) == 1


def test_an_open_merge_whose_image_is_gone_waits_for_a_person(ledger, faults, monkeypatch):
    plan = plan_of_group(ANA)
    with embedded(ANA, Settings(faults=faults)) as (domain, _):
        faults.plan("SearchProfiles", Fault("fail_before", times=99))
        with pytest.raises(ServiceFailed):
            apply_plans([plan], domain, ledger, options())
        faults.clear()
        with monkeypatch.context() as patch:
            patch.setattr(ledger._seal, "_fernet", Fernet(new_key()))
            assert ledger.abandon() == 3
        report = apply_plans([plan], domain, ledger, options())

    assert [entry.state for entry in report.settled] == [JournalState.UNCLEAR]
    assert report.outcomes[0].result is Result.REFUSED


def test_a_merge_that_happens_after_it_was_given_up_is_found_done_by_the_next_run(ledger, faults):
    plan = plan_of_group(ANA)
    with embedded(ANA, Settings(faults=faults)) as (domain, service):
        faults.plan("MergeProfiles", Fault("fail_before"))
        apply_plans([plan], domain, ledger, options())
        domain.clients.merge.merge_profiles(  # the service comes round to it at last
            DomainName=NAME, MainProfileId=pid(1), ProfileIdsToBeMerged=[pid(2)]
        )
        report = apply_plans([plan], domain, ledger, options())

        assert report.complete
        assert merges_in_history(service) == 1
    assert ledger.survivors(NAME) == {pid(2): pid(1)}


def test_the_ledger_knows_how_each_run_ended(ledger, faults):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    with embedded(ANA + BOB, Settings(faults=faults)) as (domain, _):
        faults.plan("BatchGetProfile", Fault("fail_before", times=5))
        with pytest.raises(ServiceFailed):
            apply_plans(plans, domain, ledger, options(run_id="broken"))
        apply_plans(plans, domain, ledger, options(run_id="limited", limit=1))
        apply_plans(plans, domain, ledger, options(run_id="whole"))

    assert ledger.end_of("broken") == ("broken off", {"error": "ServiceFailed"})
    assert ledger.end_of("limited") == (
        "partly",
        {"applied": 1, "not reached": 1, "merged": 1, "stopped": "the limit of 1 plans is reached"},
    )
    assert ledger.end_of("whole")[0] == "complete"
    assert ledger.end_of("another") is None


def test_a_late_merge_is_found_by_any_run_whatever_plans_it_is_given(ledger, faults):
    plan = plan_of_group(ANA)
    with embedded(ANA, Settings(faults=faults)) as (domain, _):
        faults.plan("MergeProfiles", Fault("fail_before"))
        apply_plans([plan], domain, ledger, options())
        domain.clients.merge.merge_profiles(
            DomainName=NAME, MainProfileId=pid(1), ProfileIdsToBeMerged=[pid(2)]
        )
        report = apply_plans([], domain, ledger, options())

    assert [entry.state for entry in report.settled] == [JournalState.DONE]
    assert report.merged == 1
    assert ledger.survivors(NAME) == {pid(2): pid(1)}


@pytest.mark.parametrize("handed", [True, False])
def test_a_late_merge_whose_survivor_was_edited_since_waits_for_a_person(ledger, faults, handed):
    plan = plan_of_group(ANA)
    with embedded(ANA, Settings(faults=faults)) as (domain, _):
        faults.plan("MergeProfiles", Fault("fail_before"))
        apply_plans([plan], domain, ledger, options())
        client = domain.clients.merge
        client.merge_profiles(DomainName=NAME, MainProfileId=pid(1), ProfileIdsToBeMerged=[pid(2)])
        client.update_profile(DomainName=NAME, ProfileId=pid(1), LastName="New")
        report = apply_plans([plan] if handed else [], domain, ledger, options())

        assert [entry.state for entry in report.settled] == [JournalState.UNCLEAR]
        assert not report.complete
        assert [entry.plan_id for entry in ledger.unclear(NAME)] == [plan.plan_id]
        assert apply_plans([], domain, ledger, options()).settled == ()


def test_profiles_that_another_plan_merged_are_not_taken_for_a_late_merge(ledger, faults):
    plan, anew = plan_of_group(ANA), plan_of_group([*ANA, BOB[0]])
    with embedded(ANA + BOB, Settings(faults=faults)) as (domain, _):
        faults.plan("MergeProfiles", Fault("fail_before"))
        apply_plans([plan], domain, ledger, options())
        assert apply_plans([anew], domain, ledger, options()).complete
        assert apply_plans([], domain, ledger, options()).settled == ()


def test_a_role_that_may_not_merge_ends_the_run_at_its_first_call(ledger, faults):
    plans = [plan_of_group(ANA), plan_of_group(BOB)]
    with embedded(ANA + BOB, Settings(faults=faults)) as (domain, _):
        faults.plan("MergeProfiles", Fault("deny", times=9))
        with pytest.raises(ServiceFailed, match="may not do that"):
            apply_plans(plans, domain, ledger, options())

        assert domain.calls.counts["merge_profiles"] == 1
        assert [e.state for e in ledger.entries_of(plans[0].plan_id)] == [
            JournalState.INTENT,
            JournalState.FAILED,
        ]
        assert ledger.open_intents(NAME) == []
        faults.clear()
        assert apply_plans(plans, domain, ledger, options()).complete


def define_cases(client):
    client.put_profile_object_type(
        DomainName=NAME,
        ObjectTypeName="Tickets",
        Description="Connect Cases",
        Fields={"id": {"Source": "_source.id"}, "phone": {"Source": "_source.phone"}},
        Keys={
            "ticketId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE", "CASE"]}],
            "_phone": [{"FieldNames": ["phone"], "StandardIdentifiers": ["PROFILE"]}],
        },
    )


@pytest.mark.parametrize(("allowed", "expected"), [(3, Result.REFUSED), (4, Result.APPLIED)])
def test_a_merge_that_brings_too_many_objects_together_is_refused(ledger, allowed, expected):
    """They came after the plan was made; how many are too many, the rule set says."""
    plan = plan_of_group(CROWD)
    with embedded(CROWD) as (domain, service):
        client = domain.clients.read
        put_crm_type(client, "of", "_account")
        for number in range(4):  # two in the first call's batch, two in the second's
            body = f'{{"id": "{number}", "of": "a{11 if number < 2 else 40}"}}'
            client.put_profile_object(DomainName=NAME, ObjectTypeName="Crm", Object=body)
        conditions = Conditions(max_objects=allowed)
        report = apply_plans([plan], domain, ledger, options(conditions=conditions))

        (outcome,) = report.outcomes
        assert outcome.result is expected
        assert merges_in_history(service) == (3 if expected is Result.APPLIED else 1)
    if expected is Result.REFUSED:
        assert outcome.reason == "call 2: 4 objects would come together, 3 are allowed on one profile"


@pytest.mark.parametrize("allowed", [False, True])
def test_profiles_with_connect_cases_are_held_unless_they_are_allowed(ledger, allowed):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, service):
        define_cases(domain.clients.read)
        domain.clients.read.put_profile_object(
            DomainName=NAME, ObjectTypeName="Tickets", Object='{"id": "7", "phone": "0800"}'
        )
        report = apply_plans([plan], domain, ledger, options(allow_cases=allowed))

        assert merges_in_history(service) == int(allowed)
    assert report.complete is allowed
    if not allowed:
        assert report.outcomes[0].result is Result.HELD
        assert pid(2) in report.outcomes[0].reason


def test_the_history_of_the_service_is_part_of_the_receipt(ledger):
    plan = plan_of_group(ANA)
    with embedded(ANA) as (domain, _):
        apply_plans([plan], domain, ledger, options())

    said = [receipt.history for receipt in ledger.receipts_of(plan.plan_id)]
    assert said == ["", "", "1 MERGED since the intent"]


def test_a_receipt_names_the_reviewers_whose_verdicts_joined_the_profiles(ledger):
    plan = plan_of_group(ANA)
    ledger.record_decisions(NAME, [Decision(pid(1), pid(2), Verdict.MATCH, "bea", "", "", NOON)])
    with embedded(ANA) as (domain, _):
        apply_plans([plan], domain, ledger, options())

    (merge,) = ledger.merges_of(NAME)
    assert merge.approved_by == "reviewer bea; rule set r1"


def test_the_journal_holds_no_value_that_was_sent(ledger):
    update = PostStep("update_profile", {"ProfileId": pid(1), "LastName": "Unmistakable"})
    key = PostStep("add_profile_key", {"ProfileId": pid(1), "KeyName": "_phone", "Values": ["0911"]})
    plan = plan_of_group(ANA, post_steps=(update, key))
    with embedded(ANA) as (domain, _):
        assert apply_plans([plan], domain, ledger, options()).complete

    text = str(ledger.entries_of(plan.plan_id))
    assert "Unmistakable" not in text
    assert "0911" not in text
    assert "LastName" in text


def test_a_refused_post_step_fails_its_plan_and_the_others_go_on(ledger):
    broken = PostStep("add_profile_key", {"ProfileId": pid(1), "KeyName": "nowhere", "Values": ["1"]})
    plans = [plan_of_group(ANA, post_steps=(broken,)), plan_of_group(BOB)]
    with embedded(ANA + BOB) as (domain, _):
        report = apply_plans(plans, domain, ledger, options())

    assert [outcome.result for outcome in report.outcomes] == [Result.FAILED, Result.APPLIED]
    assert ledger.open_intents(NAME) == []


def test_a_plan_of_profiles_that_somebody_told_apart_since_is_refused_with_the_name(ledger):
    plan, other = plan_of_group(ANA), plan_of_group(BOB)
    with embedded([*ANA, *BOB]) as (domain, _):
        ledger.record_decisions(NAME, [Decision(pid(1), pid(2), Verdict.NON_MATCH, "bea", "", "", NOON)])
        rehearsed = apply_plans([plan, other], domain, ledger, options(dry_run=True))
        report = apply_plans([plan, other], domain, ledger, options())
        assert describe_domain(domain).profile_count == 3
        ledger.record_decisions(NAME, [Decision(pid(1), pid(2), Verdict.UNSURE, "bea", "", "", NOON)])
        again = apply_plans([plan], domain, ledger, options())
    for told in (rehearsed, report):
        assert told.outcomes[0].result is Result.REFUSED
        assert told.outcomes[0].reason == "bea said that two of these are different customers"
    assert report.outcomes[1].result is Result.APPLIED
    assert again.complete, "a verdict that was taken back holds nothing"
