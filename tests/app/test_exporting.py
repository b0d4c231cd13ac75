from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import polars as pl
import pytest
from embedded import NAME, domain_at, embedded, pid
from hypothesis import given
from hypothesis import strategies as st
from killing import export_and_die

from resolver.app.exporting import ExportOptions, export_domain, facts_beside
from resolver.errors import BadFile, BadInput, ServiceFailed, UnknownDomain
from resolver.local.faults import Fault, Faults
from resolver.local.loading import load_profiles
from resolver.local.matching_job import run_matching_job
from resolver.local.normalisation import standard_keys
from resolver.local.service import Settings
from resolver.model.frames import PROFILES, conform
from resolver.model.profile import by_id, from_row
from resolver.profiles.domain import Domain
from resolver.profiles.search_keys import SearchKey

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOAK = os.environ.get("RESOLVER_SOAK") == "1"


def options(directory, *accounts):
    keys = [SearchKey("_account", account) for account in accounts]
    return ExportOptions(directory / "profiles.parquet", NOON, keys=keys)


def exported(directory):
    frame = conform(pl.read_parquet(directory / "profiles.parquet"), PROFILES)
    return [from_row(row) for row in frame.iter_rows(named=True)]


CHAIN = [
    {"ProfileId": pid(1), "AccountNumber": "a1", "EmailAddress": "ana@x.io", "FirstName": "Ana"},
    {"ProfileId": pid(2), "PersonalEmailAddress": "ANA@x.io", "MobilePhoneNumber": "+1 (206) 345-7890"},
    {"ProfileId": pid(3), "HomePhoneNumber": "2063457890", "FirstName": "Jo", "LastName": "Ng"},
    {"ProfileId": pid(4), "FirstName": "jo", "LastName": "NG", "Attributes": {"tier": "gold", "x": "y"}},
    {"ProfileId": pid(5), "FirstName": "Alone", "Address": {"City": "Oslo"}},
]


@pytest.mark.parametrize("transport", ["in process", "http"])
def test_an_export_follows_emails_phones_and_names_and_tells_what_it_missed(tmp_path, transport):
    with embedded(CHAIN, transport=transport) as (domain, _):
        report = export_domain(domain, options(tmp_path, "a1"))

    assert exported(tmp_path) == CHAIN[:4]
    assert (report.profiles, report.profile_count_after, report.unreachable) == (4, 5, 1)
    assert report.completeness == 0.8
    assert report.routes == {"seed keys": 1, "_email": 1, "_phone": 1, "_fullName": 1}
    assert report.calls["search_profiles"] == 4
    assert facts_beside(tmp_path / "profiles.parquet").domain_name == NAME


def test_match_groups_are_seeds_too(tmp_path):
    with embedded(CHAIN) as (domain, service):
        run_matching_job(service.store, NAME, NOON)
        report = export_domain(domain, options(tmp_path))
    facts = facts_beside(tmp_path / "profiles.parquet")

    assert exported(tmp_path) == CHAIN[:4]
    assert report.match_groups == facts.match_groups["match_id"].n_unique() > 0
    assert facts.matches_generated_at == NOON
    assert report.routes["match groups"] == facts.match_groups["profile_id"].n_unique()


def test_ids_known_from_before_are_read_and_those_gone_are_counted(tmp_path):
    with embedded(CHAIN) as (domain, _):
        given_ids = ExportOptions(tmp_path / "profiles.parquet", NOON, known_ids=[pid(5), pid(99)])
        report = export_domain(domain, given_ids)

    assert exported(tmp_path) == [CHAIN[4]]
    assert report.gone_ids == 1


def test_without_any_way_in_the_export_says_so(tmp_path):
    with embedded(CHAIN) as (domain, _), pytest.raises(BadInput, match="no way to find its 5 profiles"):
        export_domain(domain, options(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_an_empty_domain_exports_an_empty_file(tmp_path):
    with embedded([]) as (domain, _):
        report = export_domain(domain, options(tmp_path))

    assert exported(tmp_path) == []
    assert report.completeness is None


def test_an_unknown_domain_is_named_with_those_that_are_there(tmp_path):
    with (
        embedded(CHAIN) as (domain, _),
        pytest.raises(UnknownDomain, match=r"no domain retial .*there: retail"),
    ):
        export_domain(Domain("retial", domain.clients), options(tmp_path, "a1"))

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_found_out_before_the_first_search(tmp_path):
    (tmp_path / "file").write_text("")
    with embedded(CHAIN) as (domain, _), pytest.raises(BadFile, match="cannot write there"):
        export_domain(domain, options(tmp_path / "file", "a1"))

    assert "search_profiles" not in domain.calls.counts


def test_an_export_ends_as_soon_as_every_profile_is_found(tmp_path):
    with embedded(CHAIN[:1]) as (domain, _):
        report = export_domain(domain, options(tmp_path, "a1"))

    assert report.completeness == 1
    assert report.calls["search_profiles"] == 1


def test_many_hits_are_paged_to_the_end(tmp_path):
    crowd = [{"ProfileId": pid(n), "PhoneNumber": "0800", "FirstName": f"F{n}"} for n in range(1, 251)]
    with embedded(crowd) as (domain, _):
        by_phone = ExportOptions(tmp_path / "profiles.parquet", NOON, keys=[SearchKey("_phone", "0800")])
        report = export_domain(domain, by_phone)

    assert exported(tmp_path) == crowd
    assert report.calls["search_profiles"] == 3


members = st.fixed_dictionaries(
    {},
    optional={
        "AccountNumber": st.sampled_from(["a1", "a2", "A1"]),
        "EmailAddress": st.sampled_from(["a@x.io", "A@X.io", "b@x.io", "c@x.io"]),
        "BusinessEmailAddress": st.sampled_from(["b@x.io", "d@x.io"]),
        "PhoneNumber": st.sampled_from(["206 345 7890", "+12063457890", "0800", "+44 20 7946 0958"]),
        "HomePhoneNumber": st.sampled_from(["(0800)", "442079460958", "555"]),
        "FirstName": st.sampled_from(["Ana", "ana", "Jo"]),
        "LastName": st.sampled_from(["Ng", "NG", " Ng"]),
    },
)


def reachable(profiles, seeds):
    """The slow twin: which profiles hang together with the seeds by any key of the service's index."""
    holders = defaultdict(set)
    for profile in profiles:
        for key in standard_keys(profile):
            holders[key].add(profile["ProfileId"])
    known, waiting = by_id(profiles), [i for key in seeds for i in holders[key]]
    seen = set(waiting)
    while waiting:
        for key in standard_keys(known[waiting.pop()]):
            waiting.extend(holders[key] - seen)
            seen |= holders[key]
    return seen


@pytest.fixture(scope="module")
def many_domains():
    """One service for all examples; each of them makes a domain of its own in it."""
    numbers = count()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")  # the fixture that all tests have comes later than this one
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with embedded([]) as (domain, service):
            yield lambda: (Domain(f"d{next(numbers)}", domain.clients), service)


@given(profiles=st.lists(members, max_size=12))
def test_an_export_finds_what_is_connected_to_a_seed_and_nothing_twice(
    many_domains, tmp_path_factory, profiles
):
    domain, service = many_domains()
    directory = tmp_path_factory.mktemp("export")
    profiles = [{"ProfileId": pid(n), **fields} for n, fields in enumerate(profiles, 1)]
    load_profiles(service.store, domain.name, profiles)

    export_domain(domain, options(directory, "a1"))

    ids = [profile["ProfileId"] for profile in exported(directory)]
    assert ids == sorted(reachable(profiles, [("_account", "a1")]))
    assert by_id(exported(directory)) == {i: p for i, p in by_id(profiles).items() if i in ids}


@pytest.mark.parametrize("kind", ["throttle", "fail_before", "fail_after", "reset_after"])
def test_trouble_on_the_way_does_not_change_the_output(tmp_path, kind):
    faults = Faults()
    for operation in ("SearchProfiles", "GetDomain"):
        faults.plan(operation, Fault(kind, times=2, skip=1))
    with embedded(CHAIN, Settings(faults=faults)) as (domain, _):
        export_domain(domain, options(tmp_path, "a1"))

    assert exported(tmp_path) == CHAIN[:4]
    assert faults.planned == {"SearchProfiles": [], "GetDomain": []}


def test_a_service_that_keeps_failing_ends_the_export_and_leaves_no_output(tmp_path):
    faults = Faults()
    with embedded(CHAIN, Settings(faults=faults)) as (domain, _):
        faults.plan("SearchProfiles", Fault("fail_before", times=50))
        with pytest.raises(ServiceFailed, match=r"search_profiles .*InternalServerException"):
            export_domain(domain, options(tmp_path, "a1"))

    assert not (tmp_path / "profiles.parquet").exists()


def test_an_interrupted_export_goes_on_where_it_was(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    faults = Faults()
    with embedded(CHAIN, Settings(faults=faults)) as (domain, service):
        export_domain(domain, options(whole, "a1"))
        faults.plan("SearchProfiles", Fault("fail_before", times=50, skip=2))
        with pytest.raises(ServiceFailed):
            export_domain(domain_at(None, service), options(tmp_path, "a1"))
        faults.clear()
        again = domain_at(None, service)
        report = export_domain(again, options(tmp_path, "a1"))

    assert report.resumed == 2
    assert report.calls["search_profiles"] == 2  # the phone that failed, then the name that it led to
    assert (tmp_path / "profiles.parquet").read_bytes() == (whole / "profiles.parquet").read_bytes()
    assert not (tmp_path / "profiles.parquet.partial").exists()


def test_unfinished_work_of_another_day_is_not_continued(tmp_path):
    faults = Faults()
    with embedded(CHAIN, Settings(faults=faults)) as (domain, service):
        faults.plan("SearchProfiles", Fault("fail_before", times=50, skip=2))
        with pytest.raises(ServiceFailed):
            export_domain(domain, options(tmp_path, "a1"))
        faults.clear()
        later = ExportOptions(
            tmp_path / "profiles.parquet", NOON.replace(day=3), keys=[SearchKey("_account", "a1")]
        )
        report = export_domain(domain_at(None, service), later)

    assert report.resumed == 0
    assert exported(tmp_path) == CHAIN[:4]


def test_no_key_is_sent_twice_and_each_with_one_value(tmp_path):
    sent = Counter()

    def note(params, **_):
        asked = json.loads(params["body"])
        for key in [asked, *asked.get("AdditionalSearchKeys", [])]:
            (value,) = key["Values"]
            sent[SearchKey(key["KeyName"], value).normalised] += 1

    with embedded(CHAIN) as (domain, _):
        domain.clients.read.meta.events.register("before-call.customer-profiles.SearchProfiles", note)
        export_domain(domain, options(tmp_path, "a1"))

    assert sorted(name for name, _ in sent) == ["_account", "_email", "_fullName", "_fullName", "_phone"]
    assert set(sent.values()) == {1}


def crowd(size):
    """People in a chain of shared names and e-mails, many hops long, with phones that lead back."""
    return [
        {
            "ProfileId": pid(1000 + n),
            "AccountNumber": f"a{n}",
            "FirstName": f"F{n // 2}",
            "EmailAddress": f"e{(n + 1) // 2}@x.io",
            "PhoneNumber": f"+1206{2000000 + n * 7 % size:07}",
        }
        for n in range(size)
    ]


@pytest.fixture(scope="module")
def processes():
    """Children forked from a clean server that has imported what is slow to import."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resolver.app.applying", "resolver.app.exporting", "boto3", "polars"])
    return context


@pytest.mark.soak
def test_an_export_killed_again_and_again_ends_with_the_same_bytes(processes, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    seeds = ["a0", "a150"]
    given_options = replace(options(tmp_path, *seeds), keys_at_risk=10)
    size, moments = (4000, random.Random(11).choices(range(1, 60), k=20)) if SOAK else (200, (1, 7, 20))
    with embedded([*crowd(size), CHAIN[4]], transport="http") as (domain, _):
        report = export_domain(domain, options(whole, *seeds))
        for nth in moments:
            killed = processes.Process(
                target=export_and_die, args=(given_options, domain.clients.endpoint, nth)
            )
            killed.start()
            killed.join(60)
            assert killed.exitcode == -signal.SIGKILL
            assert not (tmp_path / "profiles.parquet").exists()
        resumed = export_domain(domain_at(domain.clients.endpoint), given_options)

    assert (tmp_path / "profiles.parquet").read_bytes() == (whole / "profiles.parquet").read_bytes()
    assert resumed.profiles == report.profiles == size
    assert resumed.resumed >= 10
    assert resumed.calls["search_profiles"] < report.calls["search_profiles"]


def test_a_throttled_service_and_a_bad_network_change_nothing_but_the_time(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    faults = Faults()
    with embedded(crowd(120), Settings(faults=faults)) as (domain, service):
        export_domain(domain, options(whole, "a0"))
        for skip, kind in enumerate(["throttle", "fail_before", "reset_after", "fail_after"] * 4):
            faults.plan("SearchProfiles", Fault(kind, skip=skip))
        export_domain(domain_at(None, service), options(tmp_path, "a0"))

    assert len(faults.planned["SearchProfiles"]) < 8  # at least half of the trouble happened
    assert (tmp_path / "profiles.parquet").read_bytes() == (whole / "profiles.parquet").read_bytes()


def test_groups_of_the_domains_rules_are_seeds_and_facts_too(tmp_path):
    rules = {"Enabled": True, "MatchingRules": [{"Rule": ["FirstName"]}, {"Rule": ["EmailAddress"]}]}
    with embedded([*CHAIN, {**CHAIN[0], "ProfileId": pid(6)}]) as (domain, _):
        client = domain.clients.read
        client.update_domain(DomainName=NAME, Matching={"Enabled": False}, RuleBasedMatching=rules)
        report = export_domain(domain, options(tmp_path))
        first = facts_beside(tmp_path / "profiles.parquet")
        skipped = export_domain(domain, replace(options(tmp_path, "a1"), rule_matches=False))
    facts = facts_beside(tmp_path / "profiles.parquet")

    assert report.match_groups == report.calls["get_similar_profiles"] > 0
    assert report.rule_matching
    assert first.rule_matching
    assert (skipped.rule_matching, skipped.match_groups, facts.rule_matching) == (False, 0, False)


def test_what_rules_say_is_beside_the_export_with_its_level(tmp_path):
    rules = {"Enabled": True, "MatchingRules": [{"Rule": ["FirstName"]}, {"Rule": ["EmailAddress"]}]}
    with embedded([*CHAIN, {**CHAIN[0], "ProfileId": pid(6)}]) as (domain, service):
        run_matching_job(service.store, NAME, NOON)
        domain.clients.read.update_domain(DomainName=NAME, RuleBasedMatching=rules)
        export_domain(domain, options(tmp_path))
    facts = facts_beside(tmp_path / "profiles.parquet")

    assert facts.rule_matching
    assert facts.matches_generated_at is not None
    levels = facts.match_groups.group_by("match_id").agg(
        pl.col("rule_level").first(), pl.col("confidence_score").first()
    )
    assert {(level is None, score is None) for _, level, score in levels.rows()} == {
        (True, False),
        (False, True),
    }
