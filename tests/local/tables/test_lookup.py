from __future__ import annotations

import pytest

from resolver.local.loading import load_profiles
from resolver.local.tables import keys, objects, profiles
from resolver.local.tables.domains import find_domain
from resolver.local.tables.lookup import KeyQuery, PageOf, find_by_keys

SHARERS = 20_000
PHONE = KeyQuery("_phone", ("+12065550100",))
EMAIL = KeyQuery("_email", ("info@example.com", "office@example.com"))
RARE = KeyQuery("_account", ("A7", "A11"))


@pytest.fixture
def session(store):
    """A domain in which everybody shares a phone and one of two addresses."""
    profiles = (
        {
            "ProfileId": f"{number:032x}",
            "AccountNumber": f"A{number % 1000}",
            "PhoneNumber": "2065550100",
            "EmailAddress": ("info" if number % 2 else "office") + "@example.com",
        }
        for number in range(SHARERS)
    )
    load_profiles(store, "shop", profiles)
    with store.reading() as session:
        yield session


def steps(session, keys, page):
    """What a page costs, in hundreds of SQLite's own steps, and the page."""
    domain, count = find_domain(session, "shop").seq, 0

    def tick():
        nonlocal count
        count += 1

    session.connection.set_progress_handler(tick, 100)
    found = find_by_keys(session, domain, keys, page)
    session.connection.set_progress_handler(None, 0)
    return count, found


@pytest.mark.parametrize(
    ("queries", "operator"),
    [
        ([PHONE], "OR"),
        ([EMAIL], "OR"),
        ([PHONE, EMAIL], "OR"),
        ([PHONE, EMAIL, RARE], "OR"),
        ([PHONE, EMAIL], "AND"),
        ([EMAIL, PHONE, EMAIL], "AND"),
        ([PHONE, RARE], "AND"),
        ([RARE, PHONE, EMAIL], "AND"),
    ],
)
@pytest.mark.parametrize("after", [0, SHARERS - 5_000])
def test_a_page_costs_little_however_many_profiles_share_a_value(session, queries, operator, after):
    cost, found = steps(session, (queries, operator), PageOf(after, 21))
    few = operator == "AND" and RARE in queries
    fits = [seq for seq in range(1, SHARERS + 1) if not few or (seq - 1) % 1000 in {7, 11}]
    assert found == [seq for seq in fits if seq > after][:21]
    assert cost < 400  # 40,000 steps; a walk over the sharers takes more than 100,000


def test_the_count_of_steps_notices_a_walk_over_all_sharers(session):
    cost, _ = steps(session, ([PHONE], "OR"), PageOf(0, SHARERS))
    assert cost > 1000


def test_lists_of_values_may_be_of_any_length(session):
    """SQLite takes 250,000 parameters at most."""
    domain = find_domain(session, "shop").seq
    nobody = tuple(f"nobody-{number}" for number in range(300_000))
    many = KeyQuery("_account", (*nobody, "A7"))
    assert find_by_keys(session, domain, ([RARE, many], "AND"), PageOf(0, 3)) == [8, 1008, 2008]
    assert keys.hits(session, (domain, 8), "_account", many.values) == {"A7"}
    assert objects.list_objects(session, (8, "crm"), (domain, many)) == []
    ids = tuple(f"{number:032x}" for number in range(300_000))
    assert len(profiles.find_profiles(session, domain, ids)) == SHARERS
    assert len(profiles.get_profiles(session, range(300_000))) == SHARERS
