"""Matching by a domain's own rules."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.local.rule_matching import groups_by_rules

HERE = {"DomainName": "shop"}


@pytest.fixture
def shop(client):
    client.create_domain(**HERE, DefaultExpirationDays=30)
    return client


def set_rules(shop, *rules, **more):
    matching = {"Enabled": True, "MatchingRules": [{"Rule": list(rule)} for rule in rules], **more}
    shop.update_domain(**HERE, RuleBasedMatching=matching)


def create(shop, **fields) -> str:
    return shop.create_profile(**HERE, **fields)["ProfileId"]


def groups(shop) -> list[tuple[int, list[str]]]:
    """(level, profile ids) of every group, in order."""
    found = []
    for match_id in shop.list_rule_based_matches(**HERE, MaxResults=100)["MatchIds"]:
        asked = {"MatchType": "RULE_BASED_MATCHING", "SearchKey": "matchId", "SearchValue": match_id}
        answer = shop.get_similar_profiles(**HERE, **asked)
        assert (answer["MatchId"], answer["MatchType"]) == (match_id, "RULE_BASED_MATCHING")
        assert "ConfidenceScore" not in answer
        found.append((answer["RuleLevel"], answer["ProfileIds"]))
    return found


def test_a_rule_asks_for_all_its_attributes_and_compares_them_exactly(shop):
    ids = [
        create(shop, FirstName=first, BirthDate=born)
        for first, born in (
            ("Ana", "1990-01-01"),
            ("Ana", "1990-01-01"),
            ("ana", "1990-01-01"),
            ("Ana", "1990-01-02"),
        )
    ]
    create(shop, FirstName="Ana")
    set_rules(shop, ["FirstName", "BirthDate"])
    assert groups(shop) == [(1, ids[:2])]


def test_levels_are_tried_in_turn_and_a_group_tells_the_weakest(shop):
    one, two = (create(shop, FirstName="Ana", AccountNumber="7") for _ in range(2))
    create(shop, FirstName="Ana", LastName="Ruiz")
    late = create(shop, FirstName="Ana", LastName="Ruiz", AccountNumber="9")
    rules = ["AccountNumber"], ["FirstName", "LastName"], ["FirstName"]
    set_rules(shop, *rules, MaxAllowedRuleLevelForMatching=1)
    assert groups(shop) == [(1, [one, two])]
    set_rules(shop, *rules, MaxAllowedRuleLevelForMatching=2)
    assert [level for level, _ in groups(shop)] == [1, 2]
    assert late in groups(shop)[1][1]
    third = create(shop, FirstName="Ana")
    set_rules(shop, *rules)
    ((level, ids),) = [group for group in groups(shop) if third in group[1]]
    assert level == 3
    assert one in ids, "who matches a member at its own first level joins"


def test_types_compare_slot_with_slot_or_any_with_any(shop):
    one = create(shop, EmailAddress="ana@x.io", PhoneNumber="206 555 0100")
    two = create(shop, BusinessEmailAddress="Ana@x.io", HomePhoneNumber="(206) 555-0100")
    chosen = {"EmailAddress": ["EmailAddress", "BusinessEmail"], "PhoneNumber": ["Phone", "HomePhone"]}
    for rule in ["EmailAddress"], ["PhoneNumber"], ["EmailAddress", "PhoneNumber"]:
        set_rules(shop, rule, AttributeTypesSelector={"AttributeMatchingModel": "ONE_TO_ONE", **chosen})
        assert groups(shop) == []
        set_rules(shop, rule, AttributeTypesSelector={"AttributeMatchingModel": "MANY_TO_MANY", **chosen})
        assert groups(shop) == [(1, [one, two])]


def test_parts_of_an_address_are_those_of_one_block(shop):
    split = {
        "Address": {"City": "Oslo", "PostalCode": "1"},
        "ShippingAddress": {"City": "Bergen", "PostalCode": "2"},
    }
    one = create(shop, **split)
    two = create(shop, ShippingAddress={"City": "Oslo", "PostalCode": "1"})
    create(shop, Address={"City": "Oslo", "PostalCode": "2"})
    selector = {"AttributeMatchingModel": "MANY_TO_MANY", "Address": ["Address", "ShippingAddress"]}
    set_rules(shop, ["Address.City", "Address.PostalCode"], AttributeTypesSelector=selector)
    assert groups(shop) == [(1, [one, two])]


def test_attributes_may_be_part_of_a_rule(shop):
    ids = [create(shop, Attributes={"crm": "7"}) for _ in range(2)]
    create(shop, Attributes={"other": "7"})
    set_rules(shop, ["Attributes.crm"])
    assert groups(shop) == [(1, ids)]


def test_groups_follow_every_change_at_once(shop):
    one, two = (create(shop, EmailAddress="ana@x.io") for _ in range(2))
    set_rules(shop, ["EmailAddress"])
    assert groups(shop) == [(1, [one, two])]
    shop.update_profile(**HERE, ProfileId=two, EmailAddress="ben@x.io")
    assert groups(shop) == []
    three = create(shop, EmailAddress="ana@x.io")
    assert groups(shop) == [(1, [one, three])]
    shop.merge_profiles(**HERE, MainProfileId=one, ProfileIdsToBeMerged=[three])
    assert groups(shop) == []


def test_the_group_of_a_profile_can_be_asked_for(shop):
    one, two = (create(shop, EmailAddress="ana@x.io") for _ in range(2))
    alone = create(shop, EmailAddress="ben@x.io")
    set_rules(shop, ["EmailAddress"])
    asked = {"MatchType": "RULE_BASED_MATCHING", "SearchKey": "profileId"}
    assert shop.get_similar_profiles(**HERE, **asked, SearchValue=two)["ProfileIds"] == [one, two]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        shop.get_similar_profiles(**HERE, **asked, SearchValue=alone)


@pytest.mark.parametrize(
    ("rules", "selector", "named"),
    [
        ([["Name"]], {}, "level 1 names Name"),
        ([["FirstName"], ["Address"]], {}, "level 2 names Address"),
        ([["Address.Street"]], {}, "Address.Street"),
        ([["Attributes."]], {}, "Attributes."),
        ([["PhoneNumber"]], {"PhoneNumber": ["Fax"]}, "PhoneNumber: Fax"),
    ],
)
def test_rules_that_name_no_attribute_are_refused_by_name(shop, rules, selector, named):
    more = (
        {"AttributeTypesSelector": {"AttributeMatchingModel": "ONE_TO_ONE", **selector}} if selector else {}
    )
    with pytest.raises(ClientError, match=named):
        set_rules(shop, *rules, **more)
    assert "RuleBasedMatching" not in shop.get_domain(**HERE)


VALUES = st.sampled_from(["a", "b", "c", None])
PEOPLE = st.lists(
    st.fixed_dictionaries({"FirstName": VALUES, "LastName": VALUES, "BirthDate": VALUES}), max_size=9
)
RULES = st.lists(
    st.lists(st.sampled_from(["FirstName", "LastName", "BirthDate"]), min_size=1, max_size=3, unique=True),
    min_size=1,
    max_size=3,
)


@settings(max_examples=300)
@given(PEOPLE, RULES)
def test_groups_are_what_comparing_every_pair_gives(people, rules):
    held = [{name: value for name, value in person.items() if value} for person in people]

    def level(i: int, j: int) -> int | None:
        return next(
            (
                n
                for n, rule in enumerate(rules, 1)
                if all(held[i].get(f) and held[i].get(f) == held[j].get(f) for f in rule)
            ),
            None,
        )

    first = [
        min((level(i, j) or 99 for j in range(len(held)) if j != i), default=99) for i in range(len(held))
    ]
    links = {
        (i, j) for i in range(len(held)) for j in range(len(held)) if i != j and level(i, j) == first[i] != 99
    }
    cluster = list(range(len(held)))
    for _ in held:
        for i, j in links:
            cluster[i] = cluster[j] = min(cluster[i], cluster[j])
    wanted = {frozenset(str(k) for k in range(len(held)) if cluster[k] == c) for c in cluster}
    rows = [(k + 1, str(k), fields) for k, fields in enumerate(held)]
    found = groups_by_rules({"MatchingRules": [{"Rule": rule} for rule in rules]}, lambda: rows)
    assert {frozenset(group.profile_ids) for group in found} == {g for g in wanted if len(g) > 1}
