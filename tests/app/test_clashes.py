"""Plans that share a profile are never carried out beside each other, under whatever ids."""

from __future__ import annotations

import json
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from embedded import NAME, embedded, pid
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.calls import Result
from resolver.app.clashes import Clashes
from resolver.app.restoring import RestoreOptions, restore_merge
from resolver.ledger.ledger import open_ledger
from resolver.local.service import Settings
from resolver.profiles.reading import read_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUNS = count(1)
PEOPLE = [{"ProfileId": pid(n), "AccountNumber": f"a{n}", "Attributes": {f"k{n}": "v"}} for n in range(1, 60)]


def plan(*numbers):
    return plan_of_group([PEOPLE[n - 1] for n in numbers])


def options(**over):
    facts = {"run_id": f"run-{next(RUNS)}", "actor": "ana", "clock": lambda: NOON}
    return ApplyOptions(**(facts | {"settle_seconds": 0.5, "workers": 4} | over))


@pytest.fixture
def ledger(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db")) as opened:
        yield opened


def test_plans_without_a_common_profile_do_not_clash():
    clashes = Clashes({}, {})
    clashes.take(plan(1, 2))
    assert clashes.why(plan(3, 4)) is None


@pytest.mark.parametrize("other", [(1, 3), (3, 1), (2, 3), (3, 2), (4, 3, 2)])
def test_a_profile_that_another_plan_keeps_or_merges_away_clashes(other):
    clashes, first = Clashes({}, {}), plan(1, 2)
    clashes.take(first)
    assert clashes.why(plan(*other)) == f"shares profiles with plan {first.plan_id}"


@pytest.mark.parametrize("gone_in_the_first", [True, False])
def test_an_id_that_was_merged_away_stands_for_the_profile_that_has_its_content(gone_in_the_first):
    clashes = Clashes({}, {pid(9): pid(2)})  # an earlier run merged 9 into 2
    pair = [plan(1, 2), plan(9, 3)]
    first, second = reversed(pair) if gone_in_the_first else pair
    clashes.take(first)
    assert clashes.why(second) == f"shares profiles with plan {first.plan_id}"


def test_two_ids_that_were_merged_into_one_profile_clash():
    clashes, first = Clashes({}, {pid(8): pid(2), pid(9): pid(2)}), plan(1, 8)
    clashes.take(first)
    assert clashes.why(plan(9, 3)) == f"shares profiles with plan {first.plan_id}"


@pytest.mark.parametrize("held", [2, 9])
def test_what_waits_for_a_person_is_held_under_all_its_ids(held):
    clashes = Clashes({pid(held): "that one"}, {pid(9): pid(2)})
    for other in (plan(1, 2), plan(1, 9)):
        assert clashes.why(other) == "shares profiles with plan that one, which waits for a person"


@pytest.mark.parametrize("alias", [False, True])
def test_a_chain_of_plans_is_carried_out_only_to_its_first(ledger, alias):
    chain = [plan(2, 1), plan(3, 2), plan(4, 3), plan(5, 6)]
    with embedded(PEOPLE, Settings(victim_alias=alias)) as (domain, _):
        report = apply_plans(chain, domain, ledger, options())

        assert [o.result for o in report.outcomes] == [
            Result.APPLIED,
            Result.REFUSED,
            Result.APPLIED,
            Result.APPLIED,
        ]
        again = apply_plans(chain[1:2], domain, ledger, options())
        assert again.outcomes[0].result is Result.REFUSED
        assert set(read_profiles(domain, [pid(n) for n in range(1, 7)])) == {pid(2), pid(4), pid(5)}


@pytest.mark.parametrize("alias", [False, True])
def test_a_plan_with_an_id_of_before_is_never_beside_one_with_its_survivor(ledger, alias):
    with embedded(PEOPLE, Settings(victim_alias=alias)) as (domain, _):
        assert apply_plans([plan(1, 2)], domain, ledger, options()).complete
        there = read_profiles(domain, [pid(1)])[pid(1)]
        anew = plan_of_group([there, PEOPLE[2]])
        report = apply_plans([anew, plan(4, 2)], domain, ledger, options())

        assert report.outcomes[0].result is Result.APPLIED
        assert report.outcomes[1].result is Result.REFUSED
        assert report.outcomes[1].reason == f"shares profiles with plan {anew.plan_id}"


def test_a_plan_with_an_id_of_before_is_never_beside_one_with_its_restored_profile(ledger):
    with embedded(PEOPLE) as (domain, _):
        first = plan(1, 2)
        assert apply_plans([first], domain, ledger, options()).complete
        told = RestoreOptions(f"run-{next(RUNS)}", "ana", lambda: NOON, apply=True)
        new_id = restore_merge(first.plan_id, domain, ledger, told).profiles[pid(2)]
        anew = plan_of_group([read_profiles(domain, [new_id])[new_id], PEOPLE[2]])
        report = apply_plans([anew, plan(4, 2)], domain, ledger, options(clock=later))

    assert report.outcomes[0].result is Result.APPLIED
    assert report.outcomes[1].reason == f"shares profiles with plan {anew.plan_id}"


def later():
    return NOON + timedelta(hours=1)


@pytest.mark.parametrize("seed", range(3))
def test_no_two_merges_under_way_ever_share_a_profile(ledger, seed):
    draw = random.Random(seed)
    numbers = range(1, 60)
    plans = {p.plan_id: p for p in (plan(*draw.sample(numbers, draw.choice([2, 2, 3]))) for _ in range(24))}
    under_way, overlaps, most = {}, [], [0]

    def begin(params, **_):
        request = json.loads(params["body"])
        ids = {request["MainProfileId"], *request["ProfileIdsToBeMerged"]}
        overlaps.extend(ids & other for other in list(under_way.values()) if ids & other)
        under_way[threading.get_ident()] = ids
        most[0] = max(most[0], len(under_way))
        time.sleep(0.1)

    def end(**_):
        del under_way[threading.get_ident()]

    with embedded(PEOPLE, transport="http") as (domain, _):
        events = domain.clients.merge.meta.events
        events.register("before-call.customer-profiles.MergeProfiles", begin)
        events.register("after-call.customer-profiles.MergeProfiles", end)
        report = apply_plans(list(plans.values()), domain, ledger, options())

    assert set(report.counts) <= {"applied", "refused"}
    assert report.counts["applied"] >= 2
    assert overlaps == []
    assert most[0] > 1, "several merges are under way at a time"
    merged = ledger.survivors(NAME)
    assert len(merged) == report.merged
