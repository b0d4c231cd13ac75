from __future__ import annotations

from datetime import UTC, datetime

import pytest
from embedded import NAME, embedded, pid

from resolver.app.object_reading import read_objects_of
from resolver.model.frames import OBJECTS, conform
from resolver.model.survivorship_policy import Survivorship
from resolver.profiles.object_times import ObjectType, object_type

MAY = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def definition(source, pattern):
    field = {"Source": source, "Target": "_profile.SourceLastUpdatedTimestamp"}
    return {"ObjectTypeName": "Crm", "Fields": {"at": field}, "SourceLastUpdatedTimestampFormat": pattern}


@pytest.mark.parametrize(
    ("pattern", "value", "moment"),
    [
        ("EPOCHMILLI", 1777863721000, MAY),
        ("EpochMilli", '"1777863721000"', MAY),
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", '"2026-05-04T03:02:01Z"', MAY),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '"2026-05-04T05:02:01.000+02:00"', MAY),
        ("dd/MM/yy hh:mm:ss a", '"04/05/26 03:02:01 AM"', MAY),
        ("yyyy-MM-dd", '"2026-05-04"', datetime(2026, 5, 4, tzinfo=UTC)),
        ("yyyy-MM-dd", '"last week"', None),
        ("EpochMilli", "null", None),
        ("EpochMilli", "1e400", None),
        ("EpochMilli", '{"a": 1}', None),
        ("yyyy-'W'ww", '"2026-W04"', None),
    ],
)
def test_a_moment_is_read_by_the_format_of_its_type(pattern, value, moment):
    type_ = object_type(definition("_source.meta.changed", pattern))

    assert type_.moment_of(f'{{"meta": {{"changed": {value}}}}}') == moment


@pytest.mark.parametrize("source", ["{{#if _source.a}}x{{/if}}", "_sourcea", "", "_source"])
def test_only_a_plain_accessor_is_followed(source):
    assert object_type(definition(source, "EpochMilli")) == ObjectType("Crm")


@pytest.mark.parametrize("text", [None, "no json", "[]", '{"meta": 7}', '{"other": 1}'])
def test_an_object_that_does_not_say_when_has_no_moment(text):
    assert object_type(definition("_source.meta.changed", "EpochMilli")).moment_of(text) is None


def test_objects_of_a_domain_come_with_their_moments():
    with embedded([{"ProfileId": pid(1), "PhoneNumber": "0800"}, {"ProfileId": pid(2)}]) as (domain, _):
        for name, extra in (("Crm", definition("_source.at", "EpochMilli")), ("Plain", {"Fields": {}})):
            fields = {"id": {"Source": "_source.id"}, "phone": {"Source": "_source.phone"}} | extra["Fields"]
            formats = {k: v for k, v in extra.items() if k == "SourceLastUpdatedTimestampFormat"}
            domain.clients.read.put_profile_object_type(
                DomainName=NAME,
                ObjectTypeName=name,
                Description="x",
                Fields=fields,
                Keys={
                    f"{name}Id": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE"]}],
                    "_phone": [{"FieldNames": ["phone"], "StandardIdentifiers": ["PROFILE"]}],
                },
                **formats,
            )
            text = '{"id": "7", "phone": "0800", "at": 1777863721000}'
            domain.clients.read.put_profile_object(DomainName=NAME, ObjectTypeName=name, Object=text)
        reading = read_objects_of(domain, [pid(1), pid(2), pid(99)], Survivorship())
        frame = reading.objects

    assert frame.equals(conform(frame, OBJECTS))
    columns = frame.select("profile_id", "object_type_name", "last_updated_at").rows()
    assert columns == [(pid(1), "Crm", MAY), (pid(1), "Plain", None)]
    # whoever is read after the domain's two objects were seen needs no call: several threads, any order
    assert domain.calls.counts["list_profile_objects"] == reading.calls == 2 * reading.profiles
    assert reading.profiles + reading.spared == 3
