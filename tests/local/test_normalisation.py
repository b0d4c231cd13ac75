"""The phone index's shortcut agrees with the full parser, and a load is checked as the API checks."""

from __future__ import annotations

import itertools

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.local.admin import AdminRefused, load_over_http, run_matching_job_over_http
from resolver.local.loading import BadProfile, load_objects, load_profiles, stable_id
from resolver.local.matching_job import Link, connected
from resolver.local.normalisation import phone, standard_keys
from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.tables.domains import find_domain

DIGITS = st.text("0123456789", min_size=1, max_size=17)


def slow_phone(text):
    digits = "".join(character for character in text if character in "0123456789")
    plus = "+" if "+" in text.partition(digits[0])[0] else ""
    try:
        number = phonenumbers.parse(plus + digits, "US")
    except phonenumbers.NumberParseException:
        return digits
    if not phonenumbers.is_possible_number(number):
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@given(st.sampled_from(["", "+", "+1", "1", "+44", "011", "(+", " (+44) ", "tel:+", "4+", "(0) +"]), DIGITS)
def test_the_shortcut_for_us_numbers_agrees_with_the_full_parser(prefix, digits):
    assert phone(prefix + digits) == slow_phone(prefix + digits)


def test_only_the_digits_of_a_number_count_and_a_plus_before_them():
    assert phone("(+44) 20 7946 0018") == phone("+44 20 7946 0018") == phone("tel:+44-20-7946-0018")
    assert phone("+1 (206) 345-7890") == phone("(+1) 206 345 7890") == phone("2063457890")
    assert phone("206 345 7890 +") == phone("2063457890")  # it stands for nothing there
    assert phone("4420 7946 0018") != phone("+44 20 7946 0018")


@pytest.mark.parametrize("field", ["EmailAddress", "PersonalEmailAddress", "PhoneNumber", "HomePhoneNumber"])
def test_a_blank_value_is_no_key(field):
    assert standard_keys({field: "  "}) == set()


@given(st.text(max_size=20))
def test_a_normal_number_is_its_own_normal_form(text):
    assert phone(phone(text)) == phone(text)


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1])))
def test_groups_are_disjoint_and_a_score_is_the_weakest_needed_link(pairs):
    links = [Link(left, right, round(1 - 0.01 * (left * 9 + right), 2)) for left, right in sorted(pairs)]
    groups = connected(links)
    members = [seq for group, _ in groups for seq in group]
    assert len(members) == len(set(members))
    assert set(members) == {seq for pair in pairs for seq in pair}
    for group, confidence in groups:
        stronger = [link for link in links if link.left in group and link.confidence > confidence]
        assert [found for found, _ in connected(stronger)] != [group]


def test_a_running_service_loads_and_matches_over_http(store):
    with running(Service(store)) as endpoint_url:
        twins = [{"ProfileId": f"crm-{n}", "FirstName": "Ana", "EmailAddress": "a@x.io"} for n in range(2)]
        report = load_over_http(endpoint_url, "shop", twins)
        assert report.mapping == {f"crm-{n}": stable_id("shop", f"crm-{n}") for n in range(2)}
        assert run_matching_job_over_http(endpoint_url, "shop")["JobStats"]["NumberOfMatchesFound"] == 1
        with pytest.raises(AdminRefused, match="already in domain"):
            load_over_http(endpoint_url, "shop", twins)
        with pytest.raises(AdminRefused, match="not found"):
            run_matching_job_over_http(endpoint_url, "none")


REFUSED = [
    {"Nickname": "x"},
    {"FirstName": "x" * 256},
    {"ProfileId": 5},
    {"FirstName": 5},
    {"Gender": "x"},
    {"Address": "x"},
    {"FirstName": 0},
    {"FirstName": []},
    {"Address": {"City": "x" * 256}},
    {"AdditionalInformation": "x" * 1001},
    {"Attributes": {"a": "x" * 256}},
    {"Attributes": {"a": 0}},
    {"PartyType": "OTHER", "PartyTypeString": "club"},
    {"Gender": "FEMALE", "GenderString": "f"},
    {"Attributes": {f"{number:04}": "x" * 250 for number in range(2000)}},  # 500 KB
]


@pytest.mark.parametrize("bad", REFUSED, ids=itertools.count())
def test_a_profile_that_the_api_would_refuse_stops_the_load(store, bad):
    member = "a profile has at most" if len(str(bad)) > 100_000 else next(iter(bad))
    with pytest.raises(BadProfile, match=f"profile number 2.*{member}"):
        load_profiles(store, "shop", [{"FirstName": "Ana"}, bad])
    with pytest.raises(BadProfile, match="profile number 2"), running(Service(store)) as endpoint_url:
        load_over_http(endpoint_url, "shop", [{"FirstName": "Ana"}, bad])
    with pytest.raises(BadProfile, match="twice"):
        load_profiles(store, "shop", [{"ProfileId": "a"}, {"ProfileId": "a"}])
    with store.reading() as session:
        assert find_domain(session, "shop") is None


def test_objects_are_loaded_onto_the_profiles_they_name(store):
    load_profiles(store, "shop", [{"ProfileId": "crm-1"}])
    body = {"ContactId": "c", "CustomerEndpoint": {"Address": "2065550100"}}
    assert load_objects(store, "shop", [("crm-1", "CTR", body)]).count == 1
    for bad in (("crm-2", "CTR", body), ("crm-1", "none", body), ("crm-1", "CTR", {})):
        with pytest.raises(BadProfile, match="object number 2"):
            load_objects(store, "shop", [("crm-1", "CTR", body), bad])
    for bad, member in (
        ((5, "CTR", body), "ProfileId is not a string"),
        (("crm-1", None, body), "ObjectTypeName is not a string"),
        (("crm-1", "CTR", [1]), "Object is not a JSON object"),
        (("crm-1", "CTR", {**body, "x": "\ud800"}), "Object is not Unicode text"),
        (("crm-1", "CTR", {**body, "x": "x" * 256_000}), "Object has more than 256000 bytes"),
        (("crm-1", "CTR", {**body, "x": 1e400}), "Object is not valid JSON"),
    ):
        with pytest.raises(BadProfile, match=f"object number 1.*{member}"):
            load_objects(store, "shop", [bad])
    many = {**body, "x": "\N{SNOWMAN}" * 85_000}  # 255,000 bytes, whatever its escapes would take
    assert load_objects(store, "shop", [("crm-1", "CTR", many)]).count == 1
    with pytest.raises(BadProfile, match="does not exist"):
        load_objects(store, "none", [])
