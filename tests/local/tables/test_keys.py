"""No statement on the search index walks all of it."""

from __future__ import annotations

import itertools

import pytest

from resolver.local.tables import keys, lookup, objects, profiles
from resolver.local.tables.lookup import KeyQuery, PageOf

OWNER = (1, 1)
KEY = ("_email", "a@x.io")
MAIL = KeyQuery("_email", ("a@x.io",))
MAILS = KeyQuery("_email", ("a@x.io", "b@x.io"))


CALLS = [
    lambda store: keys.add_keys(store, OWNER, [KEY], keys.GIVEN),
    lambda store: keys.add_merged(store, OWNER, [(KEY, {"crm"})]),
    lambda store: keys.remove_keys(store, OWNER, [KEY], keys.DERIVED),
    lambda store: keys.remove_keys_of_object(store, 1, 7),
    lambda store: keys.keep_as_merged(store, 1, 7, "crm"),
    lambda store: keys.remove_merged_of_type(store, 1, "crm"),
    lambda store: keys.move_given(store, 1, 2),
    lambda store: keys.remove_all_given(store, 1),
    lambda store: keys.remove_given(store, OWNER, KEY),
    lambda store: keys.origins_of(store, OWNER, KEY),
    lambda store: keys.hits(store, OWNER, "_email", ["a@x.io", "b@x.io"]),
    lambda store: lookup.find_by_keys(store, 1, ([MAIL], "OR"), PageOf(0, 3)),
    lambda store: lookup.find_by_keys(store, 1, ([MAILS, MAIL], "AND"), PageOf(0, 3)),
    lambda store: objects.list_objects(store, (1, "crm"), (1, MAILS)),
    lambda store: profiles.survivor_of(store, 1, "a"),
    lambda store: profiles.forget_former(store, 1, ["a", "b"]),
    lambda store: profiles.remove_profile(store, 1, profiles.Profile(1, "a", {}, {}, 0, 0, 0), "b"),
]


@pytest.mark.parametrize("call", CALLS, ids=itertools.count())
def test_every_statement_searches_the_index_and_scans_nothing(store, call):
    seen = []
    with store.writing() as session:
        keys.add_keys(session, OWNER, [KEY], keys.GIVEN)
        session.run("INSERT INTO former_profile VALUES (1, 'b', 2, 'c')")
        session.connection.set_trace_callback(seen.append)
        call(session)
        session.connection.set_trace_callback(None)
        steps = [row[3] for sql in seen for row in session.all(f"EXPLAIN QUERY PLAN {sql}")]
    assert seen
    walked = [step for step in steps if step.startswith("SCAN")]
    assert [step for step in walked if "VIRTUAL TABLE" not in step and "subquery" not in step] == []


def test_a_scan_would_be_noticed(store):
    with store.reading() as session:
        plan = session.all("EXPLAIN QUERY PLAN DELETE FROM profile_key WHERE profile = 1 AND origin = 7")
    assert any(row[3].startswith("SCAN profile_key") for row in plan)
