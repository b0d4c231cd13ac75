from __future__ import annotations

from dataclasses import replace

import pytest
from embedded import NAME, embedded, pid

from resolver.app.object_reading import read_objects_of
from resolver.local.loading import load_objects
from resolver.model.survivorship_policy import Survivorship

PEOPLE = [{"ProfileId": pid(n), "FirstName": f"F{n}"} for n in range(1, 5)]
DATED = {"Source": "_source.at", "Target": "_profile.SourceLastUpdatedTimestamp"}


@pytest.fixture
def domain():
    """Four profiles; the first has a dated Crm object and a Call, the second a Call."""
    with embedded(PEOPLE) as (domain, service):
        for name, extra in (("Call", {}), ("Crm", {"at": DATED}), ("Unused", {})):
            domain.clients.read.put_profile_object_type(
                DomainName=NAME,
                ObjectTypeName=name,
                Description="x",
                Fields={"id": {"Source": "_source.id"}, **extra},
                Keys={f"{name}Id": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE", "PROFILE"]}]},
                **({"SourceLastUpdatedTimestampFormat": "EpochMilli"} if extra else {}),
            )
        objects = [
            (pid(1), "Crm", {"id": "1", "at": 0}),
            (pid(1), "Call", {"id": "2"}),
            (pid(2), "Call", {"id": "3"}),
        ]
        load_objects(service.store, NAME, objects)
        yield domain


def test_all_types_are_read_until_every_object_of_the_domain_was_seen(domain):
    ids = [pid(n) for n in range(1, 5)]
    read = read_objects_of(_one_by_one(domain), ids, Survivorship())

    assert read.types == ("Call", "Crm", "Unused")
    assert read.objects.select("profile_id", "object_type_name").rows() == [
        (pid(1), "Call"), (pid(1), "Crm"), (pid(2), "Call"),
    ]  # fmt: skip
    assert (read.profiles, read.spared, read.calls) == (2, 2, 6)
    assert read.facts()["calls"] == domain.calls.counts["list_profile_objects"]


def _one_by_one(domain):
    """The same domain with a pool that reads in order."""

    class InOrder:
        map = staticmethod(map)

    return replace(domain, clients=replace(domain.clients, pool=InOrder()))


@pytest.mark.parametrize(
    ("rules", "types"),
    [
        (Survivorship(), ("Crm",)),
        (Survivorship(recency=("profile",)), ()),
        (Survivorship(recency=("profile",), source_priority=("Call",)), ("Call",)),
    ],
)
def test_only_types_that_the_rules_can_date_or_rank_are_read_when_asked_so(domain, rules, types):
    read = read_objects_of(domain, [pid(1), pid(2)], rules, "dated")

    assert read.types == types
    assert set(read.left_out) == {"Call", "Crm", "Unused"} - set(types)
    assert set(read.objects["object_type_name"]) == set(types)
    assert read.calls == 2 * len(types)


def test_no_objects_cost_no_calls(domain):
    assert read_objects_of(domain, [pid(1)], Survivorship(), "none").objects.is_empty()
    assert domain.calls.counts == {}


def test_a_domain_without_objects_is_not_asked_for_them():
    with embedded(PEOPLE) as (domain, _):
        read = read_objects_of(domain, [pid(1)], Survivorship())

    assert (read.calls, read.objects.height) == (0, 0)
