from __future__ import annotations

from datetime import UTC, datetime

import pytest
from planning_cases import objects_frame, profiles_frame

from resolver.model.survivorship_policy import Survivorship
from resolver.planning.main_profile import choose_main
from resolver.planning.members import gather

LAST = "all else equal, its profile id is the smallest"


def main_of(profiles, disputed=(), objects=(), seen=None, **rules):
    named = [{"ProfileId": "abcdefgh"[n], **p} for n, p in enumerate(profiles)]
    policy = Survivorship(**rules)
    members = gather(profiles_frame(named, seen), policy, objects_frame(list(objects)))
    member, reason = choose_main(members, disputed, policy)
    return member.profile_id, reason


def test_a_value_that_no_merge_can_steer_decides_before_anything_else():
    people = [
        {"GenderString": "x", "FirstName": "A", "LastName": "B"},
        {"GenderString": "f"},
        {"GenderString": "f"},
    ]
    objects = [("a", "crm", "1", "{}", None)]
    who, reason = main_of(people, ["GenderString"], objects)
    assert (who, reason) == (
        "b",
        "its GenderString should stay, and a merge could not choose that; then " + LAST,
    )


def test_a_profile_without_the_disputed_value_costs_a_call_and_comes_second():
    people = [
        {"FirstName": "A", "LastName": "B"},
        {"GenderString": "f"},
        {"GenderString": "f"},
        {"GenderString": "x"},
    ]
    assert main_of(people, ["GenderString"])[0] == "b"


def test_where_the_main_profile_is_trusted_it_should_have_a_value():
    people = [{"FirstName": "A", "LastName": "B"}, {"AccountNumber": "1"}, {"AccountNumber": "2"}]
    who, reason = main_of(people, ["AccountNumber"], fields={"AccountNumber": "main"})
    assert (who, reason) == ("b", "it fills the fields in which the main profile is trusted; then " + LAST)


@pytest.mark.parametrize(
    ("people", "objects", "seen", "expected"),
    [
        (
            [{"FirstName": "A"}, {}],
            [("b", "crm", "1", "{}", None)],
            {},
            ("b", "it has more objects (1 against 0)"),
        ),
        (
            [{"FirstName": "A"}, {"FirstName": "A", "LastName": "B"}],
            [],
            {},
            ("b", "it fills more fields (2 against 1)"),
        ),
        ([{}, {}], [], {"b": datetime(2026, 1, 5, tzinfo=UTC)}, ("b", "its data are newer (2026-01-05)")),
        ([{}, {}], [], {}, ("a", LAST)),
    ],
)
def test_then_objects_then_filled_fields_then_age_then_the_id_decide(people, objects, seen, expected):
    assert main_of(people, objects=objects, seen=seen) == expected
