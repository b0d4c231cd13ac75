from __future__ import annotations

from collections import Counter

import pytest

from resolver.local.sample.generator import CONTACT_TYPE, CRM_TYPE, make_sample


@pytest.fixture(scope="module")
def sample():
    return make_sample()


def test_the_same_seed_gives_the_same_domain(sample):
    assert make_sample() == sample
    assert make_sample(seed=21) != sample


def test_five_thousand_profiles_belong_to_about_3800_customers(sample):
    assert len(sample.profiles) == 5000
    assert {p["ProfileId"] for p in sample.profiles} == set(sample.truth)
    assert 3600 <= len(set(sample.truth.values())) <= 3900


def test_the_traps_of_a_real_domain_are_there(sample):
    truth = sample.truth
    phones: dict[str, set[str]] = {}
    mailboxes: dict[str, set[str]] = {}
    for p in sample.profiles:
        for member, owners in (("HomePhoneNumber", phones), ("BusinessEmailAddress", mailboxes)):
            if member in p:
                digits = "".join(c for c in p[member] if c.isdigit())[-10:] if owners is phones else p[member]
                owners.setdefault(digits, set()).add(truth[p["ProfileId"]])
    assert sum(len(owners) > 1 for owners in phones.values()) > 100, "households share landlines"
    assert sum(len(owners) > 1 for owners in mailboxes.values()) > 10, "role mailboxes are shared by staff"
    assert sum(set(p) == {"ProfileId", "PhoneNumber"} for p in sample.profiles) > 50, "inferred profiles"
    assert any(p["LastName"].endswith((" Jr", " JR")) for p in sample.profiles if "LastName" in p)
    assert sum(p.get("PartyType") == "BUSINESS" for p in sample.profiles) > 200


def test_objects_belong_to_profiles_of_the_sample(sample):
    kinds = Counter(kind for _, kind, _ in sample.objects)
    assert set(kinds) == {CRM_TYPE, CONTACT_TYPE}
    assert {profile_id for profile_id, _, _ in sample.objects} <= set(sample.truth)
    assert all(isinstance(v, str) and v for _, _, o in sample.objects for v in o.values())


def test_no_value_breaks_a_limit_of_the_api(sample):
    for profile in sample.profiles:
        for name, value in profile.items():
            texts = value.values() if isinstance(value, dict) else [value]
            assert all(isinstance(t, str) and 1 <= len(t) <= 255 for t in texts), name
