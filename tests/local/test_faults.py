"""Failures on demand: each leaves the state that it promises, on both transports."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from checked_service import CheckedService
from clock import Clock
from conftest import client_of, connected

from resolver.local.embed import attach
from resolver.local.faults import Fault, Faults
from resolver.local.operations.profiles import SCALAR_FIELDS
from resolver.local.request import Settings

CREATE = {"DomainName": "shop", "FirstName": "Ana"}


@pytest.fixture(params=["embedded", "http"])
def faulty(request, store):
    faults, clock = Faults(), Clock()
    service = CheckedService(store, Settings(faults=faults, clock=clock))
    with connected(service, request.param) as client:
        client.meta.config.read_timeout = 0.3
        client.create_domain(DomainName="shop", DefaultExpirationDays=30, Matching={"Enabled": True})
        yield client, faults, clock


def count(client):
    return client.get_domain(DomainName="shop")["Stats"]["ProfileCount"]


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [("throttle", 429, 0), ("fail_before", 500, 0), ("fail_after", 500, 1)],
)
def test_an_error_comes_before_or_after_the_work_as_planned(faulty, kind, status, done):
    client, faults, _ = faulty
    faults.plan("CreateProfile", Fault(kind))
    with pytest.raises(ClientError) as failed:
        client.create_profile(**CREATE)
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert count(client) == done
    client.create_profile(**CREATE)
    assert count(client) == done + 1


@pytest.mark.parametrize("kind", ["fail_after", "reset_after"])
def test_a_call_that_is_refused_uses_up_no_fault_that_comes_after_the_work(faulty, kind):
    client, faults, _ = faulty
    faults.plan("CreateProfile", Fault(kind, skip=1))
    faults.plan("CreateProfile", Fault("deny"))
    for _ in range(3):
        with pytest.raises(ClientError, match="Domain none not found"):
            client.create_profile(DomainName="none", FirstName="Ana")
        with pytest.raises(ClientError, match="cannot both be given"):
            client.create_profile(**CREATE, Gender="FEMALE", GenderString="f")
    client.create_profile(**CREATE)
    with pytest.raises((ClientError, ConnectionClosedError)) as failed:
        client.create_profile(**CREATE)
    assert "not authorized" not in str(failed.value)
    assert count(client) == 2
    with pytest.raises(ClientError, match="not authorized"):
        client.create_profile(**CREATE)
    client.create_profile(**CREATE)
    assert count(client) == 3


def test_a_reset_comes_after_the_work(faulty):
    client, faults, _ = faulty
    faults.plan("CreateProfile", Fault("reset_after", skip=1))
    client.create_profile(**CREATE)
    with pytest.raises(ConnectionClosedError):
        client.create_profile(**CREATE)
    assert count(client) == 2


def test_an_answer_can_come_later_than_the_client_waits(store):
    service = CheckedService(store, Settings(faults=Faults()))
    service.settings.faults.plan("CreateProfile", Fault("delay_after", seconds=3600))
    client = client_of()
    attach(client, service)
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    with pytest.raises(ReadTimeoutError):
        client.create_profile(**CREATE)
    assert count(client) == 1


def test_quotas_refuse_what_comes_too_fast_and_refill_with_time(faulty):
    client, faults, clock = faulty
    faults.quotas = True
    client.update_domain(DomainName="shop")
    with pytest.raises(ClientError, match="Rate exceeded"):
        client.update_domain(DomainName="shop")
    clock.now += 1
    client.update_domain(DomainName="shop")


def test_ingested_objects_become_visible_after_the_consistency_delay(store):
    clock = Clock()
    service = CheckedService(store, Settings(clock=clock, consistency_delay_seconds=5))
    client = client_of()
    attach(client, service)
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    body = '{"ContactId": "1", "CustomerEndpoint": {"Address": "2065550100"}}'
    client.put_profile_object(DomainName="shop", ObjectTypeName="CTR", Object=body)
    assert count(client) == 0
    clock.now += 6
    assert count(client) == 1


def test_objects_expire_and_leave_their_fields(faulty):
    client, _, clock = faulty
    body = '{"ContactId": "1", "CustomerEndpoint": {"Address": "2065550100"}}'
    client.put_profile_object(DomainName="shop", ObjectTypeName="CTR", Object=body)
    clock.now += 31 * 86_400
    stats = client.get_domain(DomainName="shop")["Stats"]
    assert (stats["ProfileCount"], stats["ObjectCount"]) == (1, 0)
    asked = {"DomainName": "shop", "Values": ["2065550100"]}
    assert len(client.search_profiles(**asked, KeyName="_phone")["Items"]) == 1
    assert client.search_profiles(**{**asked, "Values": ["1"]}, KeyName="_ctrContactId")["Items"] == []


@pytest.mark.parametrize(("winner", "kept"), [("normal", "B"), ("hostile", "C")])
def test_the_winner_among_merged_profiles_is_a_setting(store, winner, kept):
    client = client_of()
    attach(client, CheckedService(store, Settings(merge_winner=winner, victim_alias=True)))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    main, ben, carl = (
        client.create_profile(DomainName="shop", **fields)["ProfileId"]
        for fields in ({"LastName": "A"}, {"FirstName": "B"}, {"FirstName": "C"})
    )
    client.merge_profiles(DomainName="shop", MainProfileId=main, ProfileIdsToBeMerged=[ben, carl])
    (found,) = client.search_profiles(DomainName="shop", KeyName="_profileId", Values=[carl])["Items"]
    assert (found["ProfileId"], found["FirstName"]) == (main, kept)


def test_a_null_donor_erases_and_blocks_travel_whole(store):
    client = client_of()
    attach(client, CheckedService(store))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    everything = {name: "x" for name in SCALAR_FIELDS if name not in ("PartyType", "Gender", "ProfileType")}
    everything |= {"Address": {"City": "Ulm"}, "Attributes": {"a": "1", "b": "2"}}
    main = client.create_profile(DomainName="shop", **everything)["ProfileId"]
    bare = client.create_profile(DomainName="shop", Address={"PostalCode": "1"})["ProfileId"]
    donors = {"EmailAddress": bare, "Address": bare, "Attributes": {"a": bare, "c": bare}}
    client.merge_profiles(
        DomainName="shop", MainProfileId=main, ProfileIdsToBeMerged=[bare], FieldSourceProfileIds=donors
    )
    (left,) = client.batch_get_profile(DomainName="shop", ProfileIds=[main])["Profiles"]
    expected = {**everything, "Address": {"PostalCode": "1"}, "Attributes": {"b": "2"}, "ProfileId": main}
    del expected["EmailAddress"]
    assert left == expected


@pytest.mark.parametrize("size", [1, 2, 20])
def test_reads_do_not_wait_for_a_writer(store, size):
    client = client_of()
    attach(client, CheckedService(store))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    seen = []
    with store.writing():
        reader = threading.Thread(target=lambda: seen.append(client.list_domains(MaxResults=size)))
        reader.start()
        reader.join(20)
    assert len(seen) == 1
