"""A call that waits for its turn under the pace is looked at again when the turn has come."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from embedded import NAME, embedded, no_sleep, pid
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.calls import Result
from resolver.errors import AlreadyRunning
from resolver.ledger.ledger import open_ledger
from resolver.local.faults import Fault, Faults
from resolver.local.service import Settings
from resolver.model.journal import JournalState
from resolver.model.merge_plan import PostStep
from resolver.profiles.pace import Pace
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = count(1)
ANA = [{"ProfileId": pid(1), "FirstName": "Ana"}, {"ProfileId": pid(2), "LastName": "Ruiz"}]
BOB = [{"ProfileId": pid(3), "FirstName": "Bob"}, {"ProfileId": pid(4), "LastName": "Ng"}]
LATER = PostStep("update_profile", {"ProfileId": pid(1), "HomePhoneNumber": "0800"})
SLOW = 0.1  # calls a second: a turn comes every ten seconds


class Clock:
    """Seconds that only waiting for a turn moves; ``meanwhile`` happens during the first such waiting."""

    def __init__(self, meanwhile=lambda: None):
        self.seconds = 1_000.0
        self.meanwhile = [meanwhile]

    def read(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds
        if self.meanwhile:
            self.meanwhile.pop()()

    def at(self):
        return NOON + timedelta(seconds=self.seconds - 1_000.0)


def slowly(domain, clock, rate=SLOW):
    """The same domain; its merges come at that rate, by that clock."""
    pace = Pace(rate, clock.read, clock.sleep)
    return replace(domain, clients=replace(domain.clients, merge_pace=pace))


def options(clock, **over):
    facts = {"run_id": f"run-{next(RUNS)}", "actor": "ana", "clock": clock.at}
    return ApplyOptions(**(facts | {"settle_seconds": 0.5, "workers": 1} | over))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def states_of(ledger, plan):
    return [entry.state for entry in ledger.entries_of(plan.plan_id)]


def rename(domain):
    domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(2), FirstName="New")


def remove(domain):
    domain.clients.read.delete_profile(DomainName=NAME, ProfileId=pid(2))


def merge_away(domain):
    domain.clients.read.merge_profiles(DomainName=NAME, MainProfileId=pid(9), ProfileIdsToBeMerged=[pid(2)])


@pytest.mark.parametrize("change", [rename, remove, merge_away])
@pytest.mark.parametrize("alias", [False, True])
def test_a_member_that_changes_while_its_merge_waits_is_not_merged(ledger, change, alias):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    people = [*ANA, *BOB, {"ProfileId": pid(9), "FirstName": "Zoe"}]
    with embedded(people, Settings(victim_alias=alias)) as (domain, _):
        clock = Clock(lambda: change(domain))
        report = apply_plans(plans, slowly(domain, clock), ledger, options(clock))

        assert [o.result for o in report.outcomes] == [Result.APPLIED, Result.REFUSED]
        assert report.outcomes[1].reason == f"changed while the call waited for its turn: {pid(2)}"
        assert domain.calls.counts["merge_profiles"] == 1
    assert states_of(ledger, plans[1]) == [JournalState.INTENT, JournalState.REFUSED]
    assert ledger.open_intents(NAME) == []


def brake(kind, tmp_path):
    """Brakes that are off at first, what puts them on, and what the run then says."""
    stop, stopped = tmp_path / "STOP", threading.Event()
    return {
        "file": (Brakes(stop_file=stop), stop.touch, f"the stop file {stop} is there"),
        "window": (Brakes(until=NOON + timedelta(seconds=5)), lambda: None, "the run window ended at 12:00"),
        "signal": (Brakes(should_stop=stopped.is_set), stopped.set, "stopped"),
    }[kind]


@pytest.mark.parametrize("kind", ["file", "window", "signal"])
def test_a_brake_that_is_put_on_while_a_merge_waits_keeps_it_from_being_sent(ledger, kind, tmp_path):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    brakes, put_on, reason = brake(kind, tmp_path)
    with embedded(ANA + BOB) as (domain, _):
        clock = Clock(put_on)
        report = apply_plans(plans, slowly(domain, clock), ledger, options(clock, brakes=brakes))

        assert [o.result for o in report.outcomes] == [Result.APPLIED, Result.NOT_REACHED]
        assert report.stopped == report.outcomes[1].reason == reason
        assert domain.calls.counts["merge_profiles"] == 1
        assert states_of(ledger, plans[1]) == [JournalState.INTENT, JournalState.REFUSED]

        assert apply_plans(plans, domain, ledger, options(clock)).complete
        assert domain.calls.counts["merge_profiles"] == 2
    assert ledger.survivors(NAME) == {pid(2): pid(1), pid(4): pid(3)}


def test_a_surprise_in_one_plan_keeps_the_merge_of_another_one_from_being_sent(ledger):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    noted, waiting = threading.Event(), threading.Event()

    def wait_for_the_surprise():
        waiting.set()
        assert noted.wait(20)

    with embedded(ANA + BOB) as (domain, _):
        clock = Clock(wait_for_the_surprise)
        taken = []

        def meddle(**_):
            if not taken:
                taken.append(True)
                assert waiting.wait(20), "the other merge waits for its turn"
                for profile_id in (pid(1), pid(3)):
                    there = read_profiles(domain, [profile_id])[profile_id]
                    if "LastName" in there:
                        domain.clients.read.update_profile(
                            DomainName=NAME, ProfileId=profile_id, LastName="Meddled"
                        )

        domain.clients.merge.meta.events.register_last("after-call.customer-profiles.MergeProfiles", meddle)
        told = options(clock, workers=2, on_progress=lambda _: noted.set())
        report = apply_plans(plans, slowly(domain, clock), ledger, told)

        assert {o.result for o in report.outcomes} == {Result.UNCLEAR, Result.NOT_REACHED}
        assert "is unclear" in report.stopped
        assert domain.calls.counts["merge_profiles"] == 1
    assert ledger.open_intents(NAME) == []


def test_a_lease_that_ends_while_a_merge_waits_is_seen_before_it_is_sent(ledger):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    with embedded(ANA + BOB) as (domain, _):
        clock = Clock()
        with pytest.raises(AlreadyRunning, match="in time"):
            apply_plans(plans, slowly(domain, clock, 1 / 120), ledger, options(clock))

        assert domain.calls.counts["merge_profiles"] == 1
        assert states_of(ledger, plans[1]) == [JournalState.INTENT], "whoever has the lease now settles it"
        report = apply_plans(plans, domain, ledger, options(clock))

        assert [entry.state for entry in report.settled] == [JournalState.FAILED]
        assert report.complete
        assert domain.calls.counts["merge_profiles"] == 2


@pytest.mark.parametrize(("rate", "again"), [(100.0, 0), (SLOW, 1)])
def test_members_are_read_again_only_where_their_reading_is_older_than_a_second(ledger, rate, again):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    with embedded(ANA + BOB) as (domain, _):
        clock = Clock()
        assert apply_plans(plans, slowly(domain, clock, rate), ledger, options(clock)).complete
        assert domain.calls.counts["batch_get_profile"] == len(plans) + again


def test_a_survivor_that_changes_while_its_post_step_waits_is_left_alone(ledger):
    plan = plan_of_group(ANA, post_steps=(LATER,))

    def edit():
        domain.clients.read.update_profile(DomainName=NAME, ProfileId=pid(1), HomePhoneNumber="0900")

    with embedded(ANA) as (domain, _):
        clock = Clock(edit)
        report = apply_plans([plan], slowly(domain, clock), ledger, options(clock))

        assert report.outcomes[0].result is Result.REFUSED
        assert read_profiles(domain, [pid(1)])[pid(1)]["HomePhoneNumber"] == "0900"
    assert states_of(ledger, plan)[-2:] == [JournalState.INTENT, JournalState.REFUSED]


def test_after_a_429_the_members_are_read_again_however_short_the_wait(ledger):
    plan, faults = plan_of_group(ANA), Faults()

    def edit(parsed, **_):
        if "Error" in parsed:
            rename(domain)

    with embedded(ANA, Settings(faults=faults)) as (domain, _):
        faults.plan("MergeProfiles", Fault("throttle"))
        domain.clients.merge.meta.events.register("after-call.customer-profiles.MergeProfiles", edit)
        report = apply_plans([plan], replace(domain, sleep=no_sleep), ledger, options(Clock()))

        assert report.outcomes[0].result is Result.REFUSED
        assert domain.calls.counts["merge_profiles"] == 1
    assert states_of(ledger, plan) == [JournalState.INTENT, JournalState.REFUSED]


def test_a_throttled_post_step_of_unknown_outcome_stays_open_when_the_run_is_stopped(ledger):
    plan, faults = plan_of_group(ANA, post_steps=(LATER,)), Faults()

    def updated():
        return domain.calls.counts.get("update_profile", 0) > 0

    with embedded(ANA, Settings(faults=faults)) as (domain, _):
        faults.plan("UpdateProfile", Fault("fail_before"))
        told = options(Clock(), brakes=Brakes(should_stop=updated))
        report = apply_plans([plan], domain, ledger, told)

        assert report.outcomes[0].result is Result.NOT_REACHED
        assert [entry.step for entry in ledger.open_intents(NAME)] == [1]
        assert apply_plans([plan], domain, ledger, options(Clock())).complete
        assert read_profiles(domain, [pid(1)])[pid(1)]["HomePhoneNumber"] == "0800"


@pytest.mark.parametrize("waited", [5, 120])
def test_a_run_ends_when_aws_begins_to_merge_in_its_domain(ledger, waited):
    plans = [plan_of_group(BOB), plan_of_group(ANA)]
    matching = {"Enabled": True, "AutoMerging": {"Enabled": True}}
    with embedded(ANA + BOB) as (domain, _):

        def switch_on():
            domain.clients.read.update_domain(DomainName=NAME, Matching=matching)

        clock = Clock(switch_on)
        asked = domain.calls.counts.get("get_domain", 0)
        told = options(
            clock, hold=lambda: None
        )  # the lease would not outlive two minutes without a heartbeat
        report = apply_plans(plans, slowly(domain, clock, 1 / waited), ledger, told)

        ended = waited > 60
        assert domain.calls.counts["get_domain"] - asked == (2 if ended else 1)
        assert domain.calls.counts["merge_profiles"] == (1 if ended else 2)
        assert report.complete is not ended
        if ended:
            assert report.outcomes[1].result is Result.NOT_REACHED
            assert "AWS merges profiles there, too (Matching.AutoMerging)" in report.stopped
            assert states_of(ledger, plans[1]) == [JournalState.INTENT, JournalState.REFUSED]
