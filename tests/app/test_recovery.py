"""What is left after the executor dies, or the service misbehaves, at any point: every merge exactly once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from embedded import NAME, embedded, hurried, no_sleep, pid
from hypothesis import given, settings
from hypothesis import strategies as st
from killing import apply_and_die
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.calls import Result
from resolver.errors import ServiceFailed
from resolver.ledger.ledger import open_ledger
from resolver.local.faults import Fault, Faults
from resolver.local.loading import load_profiles
from resolver.local.service import Settings
from resolver.model.journal import JournalState
from resolver.model.merge_plan import PostStep
from resolver.profiles.domain import Domain, describe_domain
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CROWD = [{"ProfileId": pid(n), "FirstName": f"F{n}", "AccountNumber": f"a{n}"} for n in range(10, 40)]
KEPT = PostStep(
    "update_profile", {"ProfileId": pid(10), "HomePhoneNumber": "0800", "Attributes": {"was": "F11"}}
)
FINDABLE = PostStep("add_profile_key", {"ProfileId": pid(10), "KeyName": "_phone", "Values": ["0900"]})
CHAIN = plan_of_group(CROWD, post_steps=(KEPT, FINDABLE))
AFTERWARDS = dict(CHAIN.predicted) | {"HomePhoneNumber": "0800", "Attributes": {"was": "F11"}}
RUNS = count(1)


def options(**over):
    facts = {
        "run_id": f"run-{next(RUNS)}",
        "actor": "ana",
        "clock": lambda: NOON,
        "settle_seconds": 0.3,
        "workers": 3,
    }
    brakes = {name: over.pop(name) for name in ("limit", "should_stop") if name in over}
    return ApplyOptions(**(facts | {"brakes": Brakes(**brakes)} | over))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def merges_in_history(service, domain_name=NAME):
    sql = """SELECT count(*) FROM history JOIN domain ON domain.seq = history.domain
             WHERE history.action = 'MERGED' AND domain.name = ?"""
    with service.store.reading() as session:
        return session.all(sql, domain_name)[0][0]


def found_by_phone(domain, value):
    answer = domain.ask("search_profiles", KeyName="_phone", Values=[value])
    return [item["ProfileId"] for item in answer["Items"]]


def test_post_steps_keep_what_a_merge_cannot(ledger):
    with embedded(CROWD) as (domain, _):
        report = apply_plans([CHAIN], domain, ledger, options())

        assert report.complete
        assert read_profiles(domain, [pid(10)]) == {pid(10): AFTERWARDS}
        assert found_by_phone(domain, "0900") == [pid(10)]
    states = [(entry.step, entry.state) for entry in ledger.entries_of(CHAIN.plan_id) if entry.step > 1]
    assert states == [
        (2, JournalState.INTENT),
        (2, JournalState.DONE),
        (3, JournalState.INTENT),
        (3, JournalState.DONE),
    ]


def test_a_survivor_edited_before_its_post_steps_is_left_alone(ledger):
    plan = plan_of_group(CROWD[:2], post_steps=(KEPT,))
    with embedded(CROWD) as (domain, service):
        stopped = apply_plans([plan], domain, ledger, options(should_stop=lambda: merges_in_history(service)))
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(10), LastName="New")
        report = apply_plans([], domain, ledger, options())

        assert stopped.outcomes[0].result is Result.NOT_REACHED
        assert report.outcomes[0].result is Result.REFUSED
        assert f"survivor {pid(10)} changed" in report.outcomes[0].reason
        assert "HomePhoneNumber" not in read_profiles(domain, [pid(10)])[pid(10)]


PLACES = [
    (where, nth)
    for where, last in (("before intent", 4), ("after intent", 4), ("after send", 2), ("before result", 4))
    for nth in (1, last)
]


@pytest.fixture(scope="module")
def processes():
    """Children forked from a clean server that has imported what is slow to import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resolver.app.applying", "resolver.ledger.ledger", "boto3", "polars"])
    return context


@pytest.mark.parametrize(("where", "nth"), PLACES, ids=str)
def test_an_executor_killed_anywhere_leaves_a_job_that_the_next_one_finishes(processes, tmp_path, where, nth):
    path = str(tmp_path / "ledger.db")
    with embedded(CROWD, transport="http") as (domain, service):
        at = (domain.clients.endpoint, path, NOON)
        killed = processes.Process(target=apply_and_die, args=(CHAIN, at, (where, nth)))
        killed.start()
        killed.join(60)
        assert killed.exitcode == -signal.SIGKILL

        after_the_lease = NOON + timedelta(minutes=10)
        with open_ledger(path) as ledger:
            report = apply_plans([CHAIN], domain, ledger, options(clock=lambda: after_the_lease))

            assert report.complete, report
            assert read_profiles(domain, [pid(10)]) == {pid(10): AFTERWARDS}
            assert found_by_phone(domain, "0900") == [pid(10)]
            assert describe_domain(domain).profile_count == 1
            assert merges_in_history(service) == 2
            assert ledger.done_steps(NAME) == {CHAIN.plan_id: 4}
            assert ledger.open_intents(NAME) == []


faults_of = st.builds(
    Fault,
    kind=st.sampled_from(["throttle", "fail_before", "fail_after", "reset_after", "delay_after"]),
    times=st.integers(1, 3),
    skip=st.integers(0, 4),
    seconds=st.just(99.0),
)
OPERATIONS = ["MergeProfiles", "BatchGetProfile", "SearchProfiles", "UpdateProfile", "AddProfileKey"]
schedules = st.lists(st.tuples(st.sampled_from(OPERATIONS), faults_of), max_size=8)


@pytest.fixture(scope="module")
def many_domains():
    """One service for all examples; each of them makes a domain of its own in it."""
    faults, numbers = Faults(), count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")  # the fixture that all tests have comes later than this one
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with embedded([], Settings(faults=faults)) as (domain, service):

            def another():
                clients = hurried(domain.clients)
                return Domain(f"d{next(numbers)}", clients, sleep=no_sleep), service, faults

            yield another


PEOPLE = [
    {
        "ProfileId": pid(100 + n),
        "FirstName": f"F{n}",
        "EmailAddress": f"e{n}@x.io",
        "Attributes": {f"k{n}": "v"},
    }
    for n in range(60)
]


@pytest.mark.soak
@settings(max_examples=1000 if os.environ.get("RESOLVER_SOAK") else 15)
@given(schedule=schedules, sizes=st.lists(st.integers(2, 24), min_size=1, max_size=3))
def test_whatever_the_service_does_each_merge_happens_once(many_domains, tmp_path_factory, schedule, sizes):
    domain, service, faults = many_domains()
    load_profiles(service.store, domain.name, PEOPLE)
    plans, start = [], 0
    for size in sizes:
        group = PEOPLE[start : start + size]
        if len(group) > 1:
            plans.append(plan_of_group(group, post_steps=_post_steps(group[0]["ProfileId"])))
        start += size
    with open_ledger(str(tmp_path_factory.mktemp("ledger") / "ledger.db")) as ledger:
        for operation, fault in schedule:
            faults.plan(operation, Fault(fault.kind, fault.times, fault.skip, fault.seconds))
        for _ in range(len(schedule) * 3 + 1):
            try:
                report = apply_plans(plans, domain, ledger, options())
            except ServiceFailed:
                continue  # the reads failed too often: the next run goes on
            assert Result.UNCLEAR not in {outcome.result for outcome in report.outcomes}
            if report.complete:
                break
        faults.clear()

        assert report.complete
        for plan in plans:
            kept = {"HomePhoneNumber": "0800"}
            assert read_profiles(domain, plan.profile_ids) == {
                plan.main_profile_id: {**plan.predicted, **kept}
            }
        merged = sum(len(plan.merged_profile_ids) for plan in plans)
        assert describe_domain(domain).profile_count == len(PEOPLE) - merged
        assert merges_in_history(service, domain.name) == sum(len(plan.steps) for plan in plans)
        assert len(ledger.survivors(domain.name)) == merged
        assert ledger.done_steps(domain.name) == {plan.plan_id: len(plan.steps) + 2 for plan in plans}
        assert ledger.open_intents(domain.name) == []


def _post_steps(profile_id):
    return (
        PostStep("update_profile", {"ProfileId": profile_id, "HomePhoneNumber": "0800"}),
        PostStep("add_profile_key", {"ProfileId": profile_id, "KeyName": "_phone", "Values": ["0900"]}),
    )
