"""An export on a service that throttles, fails, forgets its page tokens and is killed: the same bytes."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from embedded import NAME, domain_at, embedded, pid

from resolver.app.exporting import ExportOptions, export_domain
from resolver.local.faults import Fault, Faults
from resolver.local.matching_job import run_matching_job
from resolver.local.sample.generator import make_sample
from resolver.local.service import Settings
from resolver.profiles.pace import Pace
from resolver.profiles.reading import read_match_groups
from resolver.profiles.search_keys import SearchKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOAK = os.environ.get("RESOLVER_SOAK") == "1"
TROUBLES = 30
FASTER = 40  # seconds of the service in one of ours
KINDS = ("throttle", "fail_before", "fail_after", "reset_after")


def domain_with_a_switchboard(seed):
    """Made-up customers, and 150 profiles on one number, so that there are pages; their seeds."""
    people = make_sample(300, seed).profiles
    office = [{"ProfileId": pid(n), "PhoneNumber": "0800", "FirstName": f"F{n}"} for n in range(1, 151)]
    accounts = [p["AccountNumber"] for p in people if "AccountNumber" in p]
    return people + office, [SearchKey("_phone", "0800"), *(SearchKey("_account", a) for a in accounts[::10])]


@pytest.mark.parametrize("seed", range(10 if SOAK else 2))
def test_a_service_at_twenty_calls_a_second_that_fails_at_random_gives_the_same_bytes(
    tmp_path, monkeypatch, seed
):
    monkeypatch.setattr("resolver.local.faults._COMMON_QUOTA", 20)
    dice, faults, begin = random.Random(seed), Faults(), time.time()
    profiles, keys = domain_with_a_switchboard(seed)
    given = [
        ExportOptions(tmp_path / name / "profiles.parquet", NOON, keys=keys) for name in ("calm", "rough")
    ]
    for options in given:
        options.out.parent.mkdir()
    settings = Settings(faults=faults, clock=lambda: begin + (time.time() - begin) * FASTER)
    with embedded(profiles, settings) as (domain, service):
        export_domain(domain, given[0])
        faults.quotas = True
        for operation, times in (("SearchProfiles", TROUBLES), ("GetDomain", 1)):
            for _ in range(times):
                faults.plan(operation, Fault(dice.choice(KINDS), skip=dice.randrange(2, 6)))
        rough = domain_at(None, service)
        pace = Pace(None, lambda: time.monotonic() * FASTER, lambda s: time.sleep(s / FASTER))
        rough = replace(rough, clients=replace(rough.clients, read_pace=pace))
        forgotten = forget_tokens(rough, dice)
        report = export_domain(rough, given[1])

    assert given[0].out.read_bytes() == given[1].out.read_bytes()
    assert pace.rate is not None  # the service said "slower", and was obeyed
    assert len(faults.planned["SearchProfiles"]) < TROUBLES * 0.8
    assert report.calls["search_profiles"] > domain.calls.counts["search_profiles"]
    assert forgotten


def forget_tokens(domain, dice):
    """Page tokens that the service has forgotten, the first and every other one; gives those spoilt."""
    spoilt = []

    def spoil(params, **_):
        if "NextToken" in params and (not spoilt or dice.random() < 0.5):
            spoilt.append(len(spoilt))
            params["NextToken"] = "expired"

    domain.clients.read.meta.events.register("before-parameter-build.customer-profiles.SearchProfiles", spoil)
    return spoilt


def test_pages_whose_token_has_expired_are_read_again_from_the_first(tmp_path):
    crowd = [{"ProfileId": pid(n), "PhoneNumber": "0800", "FirstName": f"F{n}"} for n in range(1, 351)]
    keys = [SearchKey("_phone", "0800")]
    spoilt = []

    def spoil(params, **_):
        if "NextToken" in params and len(spoilt) < 3:
            spoilt.append(params["NextToken"])
            params["NextToken"] = "expired"

    with embedded(crowd) as (domain, _):
        domain.clients.read.meta.events.register(
            "before-parameter-build.customer-profiles.SearchProfiles", spoil
        )
        report = export_domain(domain, ExportOptions(tmp_path / "profiles.parquet", NOON, keys=keys))

    assert len(spoilt) == 3
    assert report.profiles == 350
    assert report.calls["search_profiles"] == 3 * 2 + 4


def test_match_groups_replaced_between_two_pages_are_read_from_the_first_again():
    pairs = [
        {"ProfileId": pid(n), "EmailAddress": f"e{n // 2}@x.io", "FirstName": "Ana"} for n in range(2, 262)
    ]
    again = []

    with embedded(pairs) as (domain, service):
        run_matching_job(service.store, NAME, NOON)

        def rerun(params, **_):
            if "NextToken" in params and not again:
                again.append(1)
                run_matching_job(service.store, NAME, NOON.replace(hour=13))
                del params["NextToken"]  # the groups as they are now, from the first

        domain.clients.read.meta.events.register("before-parameter-build.customer-profiles.GetMatches", rerun)
        groups, generated = read_match_groups(domain)

    assert again
    assert generated == NOON.replace(hour=13)
    assert groups["profile_id"].n_unique() == 260
    assert groups.height == 260
