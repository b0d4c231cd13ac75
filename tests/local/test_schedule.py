"""When the matching job runs by itself, and what the service shows of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from checked_service import CheckedService
from clock import Clock
from conftest import connected

from resolver.local.request import Settings
from resolver.local.schedule import last_due, last_scheduled

MONDAY = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
DAY = 86_400
ON = {"Matching": {"Enabled": True}}
HERE = {"DomainName": "shop"}


@pytest.fixture(params=["embedded", "http"])
def ticking(request, store):
    """(client, clock) of a domain with matching enabled and two profiles that match."""
    clock = Clock()
    with connected(CheckedService(store, Settings(clock=clock)), request.param) as client:
        client.create_domain(**HERE, DefaultExpirationDays=30, **ON)
        ids = [client.create_profile(**HERE, **TWIN)["ProfileId"] for _ in range(2)]
        yield client, clock, ids


TWIN = {"FirstName": "Ana", "EmailAddress": "a@x.io"}


def test_the_weekly_job_runs_when_its_saturday_has_come(ticking):
    client, clock, ids = ticking
    assert "MatchGenerationDate" not in client.get_matches(DomainName="shop")
    clock.now += 6 * 86_400
    answer = client.get_matches(DomainName="shop")
    assert answer["MatchGenerationDate"] == datetime(2026, 1, 10, tzinfo=UTC)
    group = answer["Matches"][0]
    assert group["ProfileIds"] == ids
    for key, value in (("matchId", group["MatchId"]), ("profileId", ids[1])):
        asked = {
            "DomainName": "shop",
            "MatchType": "ML_BASED_MATCHING",
            "SearchKey": key,
            "SearchValue": value,
        }
        assert client.get_similar_profiles(**asked)["ProfileIds"] == ids
    (job,) = client.list_identity_resolution_jobs(DomainName="shop")["IdentityResolutionJobsList"]
    one = client.get_identity_resolution_job(DomainName="shop", JobId=job["JobId"])
    assert one["JobStats"]["NumberOfMatchesFound"] == 1


def test_the_schedule_is_the_latest_moment_that_has_passed():
    assert last_scheduled(ON, MONDAY.timestamp()) == datetime(2026, 1, 3, tzinfo=UTC)
    chosen = {"Matching": {"Enabled": True, "JobSchedule": {"DayOfTheWeek": "MONDAY", "Time": "12:30"}}}
    assert last_scheduled(chosen, MONDAY.timestamp()) == datetime(2025, 12, 29, 12, 30, tzinfo=UTC)
    assert last_scheduled({}, MONDAY.timestamp()) is None


def test_the_first_run_comes_within_a_day_and_the_next_with_the_week():
    at = MONDAY.timestamp()
    assert last_due(ON, at, at + DAY - 1, waiting_since=at) is None
    assert last_due(ON, at, at + DAY, waiting_since=at) == datetime(2026, 1, 6, 12, tzinfo=UTC)
    assert last_due(ON, at, at + DAY, waiting_since=None) is None
    assert last_due({}, at, at + DAY, waiting_since=None) is None
    for waiting in (at, None):
        assert last_due(ON, at, at + 5 * DAY, waiting_since=waiting) == datetime(2026, 1, 10, tzinfo=UTC)


def test_only_switching_matching_on_starts_the_day_before_the_first_run(ticking):
    client, clock, _ = ticking
    for _ in range(3):
        clock.now += 8 * 3600 - 1
        client.update_domain(**HERE, DefaultExpirationDays=7)
    client.update_domain(**HERE, **ON)
    assert "MatchGenerationDate" not in client.get_matches(**HERE)
    clock.now += 3
    assert client.get_matches(**HERE)["MatchGenerationDate"] == datetime(2026, 1, 6, tzinfo=UTC)
    client.update_domain(**HERE, Matching={"Enabled": False})
    clock.now += DAY
    client.update_domain(**HERE, **ON)
    again = datetime.fromtimestamp(clock.now + DAY, UTC)
    clock.now += DAY
    assert client.get_matches(**HERE)["MatchGenerationDate"] == again


def test_groups_stay_as_they_are_between_two_runs(ticking):
    client, clock, ids = ticking
    clock.now += DAY
    first = client.get_matches(**HERE)
    assert [group["ProfileIds"] for group in first["Matches"]] == [ids]
    third = client.create_profile(**HERE, **TWIN)["ProfileId"]
    client.merge_profiles(**HERE, MainProfileId=ids[0], ProfileIdsToBeMerged=[ids[1]])
    clock.now += DAY
    again = client.get_matches(**HERE)
    assert (again["Matches"], again["MatchGenerationDate"]) == (
        first["Matches"],
        first["MatchGenerationDate"],
    )
    clock.now += 5 * DAY
    assert [group["ProfileIds"] for group in client.get_matches(**HERE)["Matches"]] == [[ids[0], third]]


def test_changed_settings_do_not_swallow_a_run_that_was_due(ticking):
    client, clock, _ = ticking
    clock.now += 6 * DAY
    client.update_domain(**HERE, DefaultExpirationDays=7)
    assert client.get_matches(**HERE)["MatchGenerationDate"] == datetime(2026, 1, 10, tzinfo=UTC)


def test_auto_merging_keeps_the_ids_of_its_groups_to_itself(ticking):
    client, clock, _ = ticking
    clock.now += DAY
    rules = {"MatchingAttributesList": [["EmailAddress"]]}
    merging = {
        "Enabled": True,
        "Consolidation": rules,
        "ConflictResolution": {"ConflictResolvingModel": "RECENCY"},
    }
    client.update_domain(**HERE, Matching={"Enabled": True, "AutoMerging": merging})
    answer = client.get_matches(**HERE)
    assert (answer["PotentialMatches"], answer["Matches"]) == (1, [])


def test_a_token_of_one_run_is_no_good_for_the_next(ticking):
    client, clock, _ = ticking
    for name in ("Ben", "Eva"):
        for _ in range(2):
            client.create_profile(**HERE, FirstName=name, EmailAddress=f"{name}@x.io")
    clock.now += DAY
    page = client.get_matches(**HERE, MaxResults=1)
    token = {"NextToken": page["NextToken"]}
    clock.now += DAY
    assert client.get_matches(**HERE, MaxResults=1, **token)["Matches"] != page["Matches"]
    clock.now += 7 * DAY
    with pytest.raises(ClientError, match="NextToken is not valid") as refused:
        client.get_matches(**HERE, **token)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert client.get_matches(**HERE)["PotentialMatches"] == 3


def test_a_token_of_a_group_is_no_good_for_a_group_of_other_members(ticking):
    client, clock, ids = ticking
    asked = {"MatchType": "ML_BASED_MATCHING", "SearchKey": "profileId", "SearchValue": ids[1]}
    clock.now += DAY
    page = client.get_similar_profiles(**HERE, **asked, MaxResults=1)
    client.create_profile(**HERE, **TWIN)
    clock.now += 7 * DAY
    with pytest.raises(ClientError, match="NextToken is not valid"):
        client.get_similar_profiles(**HERE, **asked, NextToken=page["NextToken"])
