"""Objects that arrive odd, late, again or too many."""

from __future__ import annotations

import json
import sqlite3

import pytest
from botocore.exceptions import ClientError
from checked_service import CheckedService
from clock import Clock
from conftest import client_of

from resolver.local.embed import attach
from resolver.local.operations import ingestion
from resolver.local.request import Settings
from resolver.local.tables.objects import dead_letters

FIELDS = {name: {"Source": f"_source.{name}"} for name in ("id", "a", "b", "who")}
DAY = 86_400


def key(*identifiers, fields=("id",)):
    return [{"StandardIdentifiers": list(identifiers), "FieldNames": list(fields)}]


KEYS = {"crmId": key("UNIQUE", "PROFILE")}


def connect(store, **settings):
    client = client_of()
    attach(client, CheckedService(store, Settings(**settings)))
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    return client


def define(client, fields=FIELDS, keys=KEYS, **more):
    client.put_profile_object_type(
        DomainName="shop",
        ObjectTypeName="crm",
        Description="x",
        AllowProfileCreation=True,
        **{"Fields": fields, "Keys": keys, **more},
    )


def ingest(client, body):
    text = body if isinstance(body, str) else json.dumps(body)
    answer = client.put_profile_object(DomainName="shop", ObjectTypeName="crm", Object=text)
    return answer["ProfileObjectUniqueKey"]


def found(client, name, value):
    return client.search_profiles(DomainName="shop", KeyName=name, Values=[value])["Items"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"id":1e400}', "too large"),
        ('{"id":"1","z":-1e999}', "too large"),
        ('{"id":"1","z":' + "[" * 150 + "]" * 150 + "}", "inside one another"),
        ('{"id":"1","z":' + '{"a":' * 900 + "1" + "}" * 901, "inside one another"),
        ('{"id":"1","z":' + "[" * 90_000 + "]" * 90_000 + "}", "inside one another"),
    ],
)
def test_numbers_without_end_and_objects_without_bottom_are_refused(store, body, reason):
    client = connect(store)
    define(client, {**FIELDS, "a": {"Source": "{{_source.z}}"}})
    with pytest.raises(ClientError, match=reason) as refused:
        ingest(client, body)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    ingest(client, '{"id":"1","z":' + "[" * 90 + "]" * 90 + "}")


def test_a_whole_number_keeps_all_its_digits(store):
    client = connect(store)
    define(client, {**FIELDS, "id": {"Source": "{{_source.id}}"}})
    for digits in ("9007199254740993", "1180591620717411303424", "1" + "0" * 240):
        ingest(client, f'{{"id":{digits}}}')
        assert len(found(client, "crmId", digits)) == 1


def test_an_expression_that_an_object_breaks_refuses_the_object(store):
    client = connect(store)
    define(client, {**FIELDS, "a": {"Source": "{{#if _source.a}}{{#removeExtraSpace}}{{/if}}"}})
    ingest(client, {"id": "1"})
    with pytest.raises(ClientError, match="the field a: removeExtraSpace is not closed"):
        ingest(client, {"id": "1", "a": "x"})


def test_a_queued_object_that_fails_is_a_dead_letter_and_holds_nothing_up(store, monkeypatch):
    clock = Clock()
    client = connect(store, clock=clock, consistency_delay_seconds=5)
    define(client)
    for number in ("1", "2", "3"):
        ingest(client, {"id": number})
    attach_all = ingestion.attach

    def fail_at_two(session, domain, new, at):
        attach_all(session, domain, new, at)
        if "2" in new.incoming.body:
            raise RecursionError

    monkeypatch.setattr(ingestion, "attach", fail_at_two)
    clock.now += 6
    assert [len(found(client, "crmId", number)) for number in ("1", "2", "3")] == [1, 0, 1]
    stats = client.get_domain(DomainName="shop")["Stats"]
    assert (stats["ProfileCount"], stats["ObjectCount"]) == (2, 2)
    with store.reading() as session:
        assert dead_letters(session, 1) == [
            ("crm", '{"id": "2"}', "the embedded service failed: RecursionError")
        ]


def test_a_queued_object_that_the_file_has_no_room_for_stays_due(store, monkeypatch):
    clock = Clock()
    client = connect(store, clock=clock, consistency_delay_seconds=5)
    define(client)
    ingest(client, {"id": "1"})
    clock.now += 6
    with monkeypatch.context() as patch:

        def fail(*_):
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(ingestion, "attach", fail)
        assert found(client, "crmId", "1") == []  # a read shows what there is
        with pytest.raises(ClientError, match="full"):
            client.create_profile(DomainName="shop")
    assert len(found(client, "crmId", "1")) == 1


class FullDisk:
    """A connection whose next COMMIT fails."""

    def __init__(self, connection):
        self.connection = connection
        self.failures = 1

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def execute(self, sql, *values):
        if sql == "COMMIT" and self.failures:
            self.failures -= 1
            raise sqlite3.OperationalError("database or disk is full")
        return self.connection.execute(sql, *values)


@pytest.mark.parametrize("delay", [0, 5])
def test_what_was_due_is_still_due_after_a_commit_that_failed(store, monkeypatch, delay):
    clock = Clock()
    client = connect(store, clock=clock, consistency_delay_seconds=delay)
    define(client)
    client.list_domains()
    ingest(client, {"id": "1"})
    clock.now += 31 * DAY if not delay else 6
    monkeypatch.setattr(store, "_writer", FullDisk(store._writer))
    with pytest.raises(ClientError, match="full"):
        client.create_profile(DomainName="shop")
    assert client.get_domain(DomainName="shop")["Stats"]["ProfileCount"] == bool(delay)
    assert len(found(client, "crmId", "1")) == bool(delay)
    found(client, "crmId", "1")
    assert store.watch.earliest > clock.now


def test_objects_of_different_parts_have_different_unique_keys(store):
    client = connect(store)
    define(client, keys={"both": key("UNIQUE", fields=["a", "b"]), "who": key("PROFILE", fields=["who"])})
    bodies = [{"a": "x y", "b": "z"}, {"a": "x", "b": "y z"}, {"a": "q", "b": ""}, {"a": "", "b": "q"}]
    keys = [ingest(client, {**body, "who": "w"}) for body in bodies]
    assert len(set(keys)) == len(bodies)
    assert ingest(client, {**bodies[0], "who": "w"}) == keys[0]
    assert client.get_domain(DomainName="shop")["Stats"]["ObjectCount"] == len(bodies)


def test_an_object_put_again_hands_on_the_new_only_keys_of_the_former_one(store):
    client = connect(store)
    define(client, keys={**KEYS, "fresh": key("PROFILE", "NEW_ONLY", fields=["b"])})
    for value in ("B", "B", "C", "C"):
        ingest(client, {"id": "1", "b": value})
    assert [len(found(client, "fresh", value)) for value in ("B", "C")] == [1, 0]


def test_a_profile_far_over_its_limit_is_brought_down_at_once(store, monkeypatch):
    client = connect(store)
    define(client, keys={"crmId": key("UNIQUE"), "who": key("PROFILE", fields=["who"])})
    for number in range(9):
        ingest(client, {"id": str(number), "who": "w"})
    monkeypatch.setattr(ingestion, "MOST_OBJECTS", 4)
    ingest(client, {"id": "9", "who": "w"})
    assert [len(found(client, "crmId", str(number))) for number in range(10)] == [0] * 6 + [1] * 4
