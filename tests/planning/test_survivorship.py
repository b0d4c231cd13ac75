from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from planning_cases import NOW, objects_frame, profiles_frame

from resolver.model.profile import from_row
from resolver.model.survivorship_policy import STRATEGY_NAMES, Survivorship
from resolver.planning.members import gather, object_count, parse_instant, size_in_kb
from resolver.planning.survivorship import STRATEGIES, TIE_BREAKS, choose

NOTHING = objects_frame([])


def members_of(*profiles, rules=None, objects=NOTHING, seen=None):
    named = [{"ProfileId": "abcdefgh"[n], **p} for n, p in enumerate(profiles)]
    return gather(profiles_frame(named, seen), rules or Survivorship(), objects)


def chosen(field, members, rules, main="z"):
    winner, rule = choose(field, members, main, rules)
    return winner.value, rule


def test_every_strategy_that_a_rule_set_may_name_is_in_the_table_and_says_what_it_does():
    assert set(STRATEGIES) == set(STRATEGY_NAMES)
    assert all(function.__doc__ for function in STRATEGIES.values())


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("most_frequent", "Ana"),
        ("most_complete", "Anna"),
        ("longest", "Anastasia"),
        ("most_recent", "Anastasia"),
        ("source_priority", "A."),
        ("main", "A."),
        ("never", "A."),
    ],
)
def test_each_strategy_prefers_what_it_says(strategy, expected):
    rules = Survivorship(default=strategy, source_priority=("crm", "ctr"))
    objects = objects_frame(
        [
            ("a", "ctr", "1", "{}", datetime(2026, 1, 1, tzinfo=UTC)),
            ("d", "ctr", "2", "{}", datetime(2026, 1, 2, tzinfo=UTC)),
            ("e", "crm", "3", "{}", None),
        ]
    )
    members = members_of(
        {"FirstName": "Ana"},
        {"FirstName": "ana", "LastName": "R"},
        {"FirstName": "Anna", "LastName": "R", "Gender": "FEMALE"},
        {"FirstName": "Anastasia"},
        {"FirstName": "A."},
        {"FirstName": "Ana"},
        {"LastName": "R"},
        rules=rules,
        objects=objects,
    )
    assert chosen("FirstName", members, rules, main="e") == (expected, strategy)


def test_forms_of_one_value_are_counted_together_and_the_usual_form_wins():
    rules = Survivorship(default="most_frequent")
    names = ["RUIZ", "Ruiz", "Ruiz", "Ruis", "Ruis"]
    assert chosen("LastName", members_of(*({"LastName": n} for n in names)), rules) == (
        "Ruiz",
        "most_frequent",
    )


def test_of_address_blocks_the_one_with_most_parts_is_most_complete_and_the_one_with_most_text_longest():
    members = members_of(
        {"Address": {"City": "Bonn", "Country": "DE"}, "FirstName": "A", "LastName": "B"},
        {"Address": {"City": "B", "Country": "D", "PostalCode": "5"}},
        {"Address": {"Address1": "Am alten Rathaus 17"}},
    )
    values = [chosen("Address", members, Survivorship(default=s))[0] for s in ("most_complete", "longest")]
    assert values == [{"City": "B", "Country": "D", "PostalCode": "5"}, {"Address1": "Am alten Rathaus 17"}]


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("PhoneNumber", ("000-000-0000", "206-345-7890"), ("206-345-7890", "valid_first")),
        ("PhoneNumber", ("106-345-7890", "206-345-7890"), ("206-345-7890", "valid_first")),
        ("EmailAddress", ("nobody", "ana@x.io"), ("ana@x.io", "valid_first")),
        ("EmailAddress", ("b@x.io", "a@x.io"), ("b@x.io", "valid_first, then profile_id")),
    ],
)
def test_a_reachable_number_or_address_comes_before_one_that_is_not(field, values, expected):
    rules = Survivorship(
        fields={"PhoneNumber": "valid_first", "EmailAddress": "valid_first"}, phone_region="US"
    )
    assert chosen(field, members_of(*({field: v} for v in values)), rules) == expected


def test_most_recent_without_any_date_says_which_tie_break_decided():
    rules = Survivorship(default="most_recent")
    members = members_of({"LastName": "Ruiz"}, {"LastName": "Ruis"}, {"LastName": "Ruis"})
    assert chosen("LastName", members, rules) == ("Ruis", "most_recent, then most_frequent")


def test_a_dated_profile_comes_before_an_undated_one():
    rules = Survivorship(default="most_recent")
    members = members_of(
        {"LastName": "Ruiz"}, {"LastName": "Ruis"}, seen={"b": datetime(1999, 1, 1, tzinfo=UTC)}
    )
    assert chosen("LastName", members, rules, main="a") == ("Ruis", "most_recent")


def test_ties_are_broken_in_the_stated_order():
    rules = Survivorship(default="never")
    two = [{"LastName": "Ruiz"}, {"LastName": "Ruis"}]
    told = [
        chosen("LastName", members_of(*two, {"LastName": "Ruis"}, {"FirstName": "X"}), rules)[1],
        chosen("LastName", members_of(*two), Survivorship(default="longest"), main="b")[1],
        chosen("LastName", members_of(two[0], {**two[1], "FirstName": "A"}), rules)[1],
        chosen("LastName", members_of(*two, seen={"b": NOW}), rules)[1],
        chosen("LastName", members_of(*two), rules)[1],
    ]
    assert told == [
        f"{s}, then {t}" for s, t in zip(["never", "longest", *["never"] * 3], TIE_BREAKS, strict=True)
    ]


def test_a_profiles_date_is_the_latest_of_the_clocks_that_the_rules_list():
    when = {n: datetime(2026, n, 1, tzinfo=UTC) for n in (1, 2, 3)}
    objects = objects_frame([("a", "crm", "1", "{}", when[2]), ("a", "crm", "2", "{}", None)])
    person = {"FirstName": "Ana", "Attributes": {"Changed": "2026-03-01T00:00:00Z"}}
    expected = {
        (): None,
        ("profile",): when[1],
        ("profile", "objects"): when[2],
        ("objects", "Attributes.Changed"): when[3],
        ("Attributes.Other",): None,
    }
    for clocks, latest in expected.items():
        rules = Survivorship(recency=clocks)
        (member,) = members_of(person, rules=rules, objects=objects, seen={"a": when[1]})
        assert member.seen_at == (None if latest is None else int(latest.timestamp() * 1e6))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02", 86_400),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01 00:00:01.5", 1.5),
        ("1712345678", 1_712_345_678),
        ("1712345678901", 1_712_345_678.901),
    ],
)
def test_instants_are_read_from_iso_texts_and_epoch_numbers(text, seconds):
    assert parse_instant(text) == pytest.approx(seconds * 1e6)


@pytest.mark.parametrize("text", [None, "", "yesterday", "12", "²²²²²²²²²", "2026-13-01"])
def test_what_is_no_instant_is_unknown(text):
    assert parse_instant(text) is None


def test_the_source_column_ranks_a_profile_as_an_object_type_does():
    frame = pl.DataFrame(
        {"profile_id": ["a", "b", "c"], "first_name": ["A", "B", "C"], "source": ["crm", "web", None]}
    )
    rules = Survivorship(source_priority=("crm", "web", "crm"))
    members = gather(
        frame, rules, objects_frame([("c", "crm", "1", "{}", None), ("b", "odd", "2", "{}", None)])
    )
    assert [m.priority for m in members] == [0, 1, 0]


def test_an_object_that_two_profiles_hold_counts_once_and_sizes_add_up():
    objects = objects_frame(
        [
            ("a", "crm", "1", "x" * 1024, None),
            ("b", "crm", "1", "x" * 1024, None),
            ("b", "ctr", "1", "x", None),
        ]
    )
    members = members_of({"FirstName": "A"}, {"FirstName": "B"}, {"FirstName": "C"}, objects=objects)
    assert object_count(members) == 2
    assert size_in_kb(members) == pytest.approx(2 + 1 / 1024)


def test_blanks_are_no_values_however_they_are_written():
    frame = pl.DataFrame(
        {
            "profile_id": ["a"],
            "first_name": [""],
            "last_name": ["Ruiz"],
            "gender": pl.Series([None], dtype=pl.Null),
            "address": [{"city": "", "country": None}],
            "shipping_address": pl.Series([None], dtype=pl.Null),
            "mailing_address": [{"city": "Bonn", "country": ""}],
            "billing_address": pl.Series([{"city": None}], dtype=pl.Struct({"city": pl.Null})),
            "attributes": [[{"key": "x", "value": ""}, {"key": None, "value": "1"}]],
        }
    )
    (member,) = gather(frame, Survivorship(), NOTHING)
    assert member.values == {"LastName": "Ruiz", "MailingAddress": {"City": "Bonn"}}


def test_of_an_attribute_that_comes_twice_the_last_one_counts_as_in_the_api_shape():
    twice = [{"key": "x", "value": "1"}, {"key": "x", "value": "2"}]
    frame = pl.DataFrame({"profile_id": ["a"], "attributes": [twice]})
    (member,) = gather(frame, Survivorship(), NOTHING)
    assert member.values == {"Attributes.x": "2"}
    assert from_row(frame.row(0, named=True))["Attributes"] == {"x": "2"}
