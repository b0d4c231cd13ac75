"""Who waits for whom: reads for nobody, nobody for a big piece of work; what a shared file does to both."""

from __future__ import annotations

import sqlite3
import threading
import time

import pytest
from clock import Clock
from conftest import client_of, connected

from resolver.local.loading import load_objects
from resolver.local.request import Settings
from resolver.local.service import Service

DAY = 86_400
HERE = {"DomainName": "shop"}
TWIN = {"FirstName": "Ana", "EmailAddress": "a@x.io"}
_INDEX = "INSERT INTO profile_key (domain, name, value, profile, origin) VALUES (1, ?, 'x', ?, -1)"
PROMPT = 5.0  # seconds: far from the 30 that another process is waited for
CONTACT = '{"ContactId": "%s", "CustomerEndpoint": {"Address": "2065550100"}}'


@pytest.fixture
def other(store):
    """A hold of the file such as another process has it."""
    connection = sqlite3.connect(store.path, isolation_level=None, timeout=60, check_same_thread=False)
    yield connection
    connection.close()


@pytest.fixture(params=["embedded", "http"])
def due(request, store):
    """A client of a domain in which an object has expired, one is queued and the matching job is due."""
    clock = Clock()
    service = Service(store, Settings(clock=clock))
    with connected(service, request.param) as client:
        client.create_domain(**HERE, DefaultExpirationDays=1, Matching={"Enabled": True})
        client.put_profile_object(**HERE, ObjectTypeName="CTR", Object=CONTACT % 1)
        for _ in range(2):
            client.create_profile(**HERE, **TWIN)
        service.settings = Settings(clock=clock, consistency_delay_seconds=7 * DAY - 1)
        client.put_profile_object(**HERE, ObjectTypeName="CTR", Object=CONTACT % 2)
        clock.now += 7 * DAY
        yield client


def seen_by(client):
    """What there is of the object that expired, of the one that was queued, and of the job."""
    found = [
        len(client.search_profiles(**HERE, KeyName="_ctrContactId", Values=[number])["Items"])
        for number in "12"
    ]
    return (*found, len(client.get_matches(**HERE)["Matches"]))


def test_a_read_shows_what_there_is_while_another_process_writes(due, other):
    other.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    assert seen_by(due) == (1, 0, 0)
    assert time.monotonic() - begin < PROMPT
    other.execute("ROLLBACK")
    assert seen_by(due) == (0, 1, 1)


def test_a_write_waits_for_another_process_and_does_what_was_due_first(due, other):
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    begin = time.monotonic()
    release.start()
    due.create_profile(**HERE)
    assert time.monotonic() - begin >= 0.5
    release.join()
    other.execute("BEGIN IMMEDIATE")  # the reads do nothing
    assert seen_by(due)[:2] == (0, 1)
    other.execute("ROLLBACK")


def test_reads_of_matches_and_jobs_do_not_queue_behind_a_write_that_waits(endpoint):
    client = client_of(endpoint.url)
    client.create_domain(**HERE, DefaultExpirationDays=30, Matching={"Enabled": True})
    with endpoint.store.writing():
        writers = [threading.Thread(target=lambda: client.create_profile(**HERE)) for _ in range(3)]
        for writer in writers:
            writer.start()
        time.sleep(0.5)  # they have begun to wait
        begin = time.monotonic()
        assert client.get_matches(**HERE)["Matches"] == []
        assert client.list_identity_resolution_jobs(**HERE)["IdentityResolutionJobsList"] == []
        assert time.monotonic() - begin < PROMPT
        assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        writer.join(20)
    assert client.get_domain(**HERE)["Stats"]["ProfileCount"] == 3


def answered_meanwhile(endpoint, work):
    """How many requests of another client are answered, first to last byte, while `work(client)` goes on."""
    working, asking = client_of(endpoint.url), client_of(endpoint.url)
    asking.list_domains()
    done = threading.Event()

    def run():
        try:
            work(working)
        finally:
            done.set()

    worker = threading.Thread(target=run)
    count = -1  # the one that was on its way when it began
    worker.start()
    while not done.is_set():
        asking.list_domains()
        count += not done.is_set()
    worker.join()
    return count


def index(store, name, profiles):
    """Put many profiles into the index under one value of a key."""
    with store.writing() as session:
        session.many(_INDEX, ((name, number) for number in profiles))


def test_others_are_served_while_a_big_merge_goes_on(endpoint):
    client = client_of(endpoint.url)
    client.create_domain(**HERE, DefaultExpirationDays=30)
    client.put_profile_object_type(
        **HERE,
        ObjectTypeName="visit",
        Description="a visit",
        Fields={"id": {"Source": "_source.id"}},
        Keys={"visitId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]},
    )
    main, *merged = (client.create_profile(**HERE)["ProfileId"] for _ in range(9))
    visits = [(owner, "visit", {"id": f"{owner}{n}"}) for owner in merged for n in range(1000)]
    load_objects(endpoint.store, "shop", visits)
    count = answered_meanwhile(
        endpoint,
        lambda worker: worker.merge_profiles(**HERE, MainProfileId=main, ProfileIdsToBeMerged=merged),
    )
    assert count >= 5
    stats = client.get_domain(**HERE)["Stats"]
    assert (stats["ProfileCount"], stats["ObjectCount"]) == (1, 8000)


def test_others_are_served_while_a_key_leaves_the_domain(endpoint):
    client = client_of(endpoint.url)
    client.create_domain(**HERE, DefaultExpirationDays=30)
    kept = {"visitId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}]}
    visit = {
        "ObjectTypeName": "visit",
        "Description": "a visit",
        "Fields": {"id": {"Source": "_source.id"}},
    }
    client.put_profile_object_type(**HERE, **visit, Keys={**kept, "badge": [{"FieldNames": ["id"]}]})
    index(endpoint.store, "badge", range(400_000))
    count = answered_meanwhile(
        endpoint, lambda worker: worker.put_profile_object_type(**HERE, **visit, Keys=kept)
    )
    assert count >= 5
    with endpoint.store.reading() as session:
        assert session.one("SELECT count(*) FROM profile_key") == (0,)


def test_others_are_served_while_a_search_goes_through_many_profiles(endpoint):
    client = client_of(endpoint.url)
    client.create_domain(**HERE, DefaultExpirationDays=30)
    index(endpoint.store, "_email", range(0, 600_000, 2))
    index(endpoint.store, "_account", range(1, 600_000, 2))
    both = {"AdditionalSearchKeys": [{"KeyName": "_account", "Values": ["x"]}], "LogicalOperator": "AND"}
    count = answered_meanwhile(
        endpoint, lambda worker: worker.search_profiles(**HERE, KeyName="_email", Values=["x"], **both)
    )
    assert count >= 5
