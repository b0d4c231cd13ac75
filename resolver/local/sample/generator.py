"""Profiles as several systems would have recorded the same customers, with the truth kept apart.

Five sources write into the domain: the CRM (complete, with an account number), the web shop (e-mail first),
the stores (address, typing mistakes), an old system (upper case, former addresses) and inferred profiles that
a contact record left behind (a telephone number and nothing else).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from resolver.local.sample.customers import Company, Person, Place, make_customers
from resolver.local.sample.vocabulary import GIVEN, PLACEHOLDER_EMAILS, PLACEHOLDER_PHONES, ROLE_MAILBOXES

Profile = dict[str, Any]

#: How many profiles a customer has: 1, 2, … and the shares of each (mean 1.32, as 5,000 of 3,800).
COPIES: Final = ((1, 2, 3, 4, 5, 6), (0.80, 0.12, 0.045, 0.02, 0.01, 0.005))

CRM_TYPE: Final = "CrmContact"
CONTACT_TYPE: Final = "ContactRecord"

#: PutProfileObjectType requests of the two kinds of object in the sample.
OBJECT_TYPES: Final[dict[str, dict[str, Any]]] = {
    CRM_TYPE: {
        "Description": "Contact of the customer relationship system",
        "AllowProfileCreation": True,
        "Fields": {
            "crm_id": {"Source": "_source.crm_id"},
            "updated_at": {"Source": "_source.updated_at"},
        },
        "Keys": {
            "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["crm_id"]}],
        },
    },
    CONTACT_TYPE: {
        "Description": "Contact record of a call, chat or task",
        "AllowProfileCreation": True,
        "Fields": {
            "contact_id": {"Source": "_source.contact_id"},
            "customer_phone": {"Source": "_source.customer_phone", "ContentType": "PHONE_NUMBER"},
            "started_at": {"Source": "_source.started_at"},
        },
        "Keys": {
            "contactId": [{"StandardIdentifiers": ["UNIQUE"], "FieldNames": ["contact_id"]}],
            "_phone": [{"StandardIdentifiers": ["PROFILE"], "FieldNames": ["customer_phone"]}],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up domain.

    ``objects`` are (profile id, object type, object); ``keys`` the (key name, value) pairs that a contact
    centre would know from its CRM, its mailing list and its call log; ``truth`` maps profile id to customer.
    """

    profiles: list[Profile]
    objects: list[tuple[str, str, dict[str, str]]]
    keys: list[tuple[str, str]]
    truth: dict[str, str]


def make_sample(profiles: int = 5000, seed: int = 20) -> Sample:
    """A domain of that many profiles; the same seed gives the same domain."""
    random = Random(seed)
    sample = Sample([], [], [], {})
    for serial, customer in enumerate(make_customers(random)):
        copies = random.choices(*COPIES)[0]
        for source in _sources(random, customer, copies):
            if len(sample.profiles) == profiles:
                return sample
            _add(random, sample, (serial, customer, source))
    raise AssertionError("make_customers never ends")


def _sources(random: Random, customer: Person | Company, copies: int) -> list[str]:
    """The systems that know a customer, the first the most complete."""
    if isinstance(customer, Company):
        return ["crm", *random.choices(("store", "legacy", "crm"), k=copies - 1)]
    first = random.choices(("crm", "web", "store"), (0.6, 0.25, 0.15))[0]
    return [
        first,
        *random.choices(("crm", "web", "store", "legacy", "inferred"), (2, 3, 2, 2, 1.5), k=copies - 1),
    ]


def _add(random: Random, sample: Sample, what: tuple[int, Person | Company, str]) -> None:
    serial, customer, source = what
    number = len(sample.profiles)
    profile_id = hashlib.sha256(f"sample:{number}:{serial}".encode()).hexdigest()[:32]
    if isinstance(customer, Company):
        profile = _company_profile(random, customer, source)
    else:
        profile = _person_profile(random, customer, source)
    sample.profiles.append({"ProfileId": profile_id, **{k: v for k, v in profile.items() if v}})
    sample.truth[profile_id] = f"customer-{serial}"
    _add_objects(random, sample, profile_id)
    _add_keys(random, sample, source)


def _add_objects(random: Random, sample: Sample, profile_id: str) -> None:
    """One CRM object for a profile with an account number, contact records for those who called."""
    profile, number = sample.profiles[-1], len(sample.objects)
    if "AccountNumber" in profile:
        crm_object = {"crm_id": f"{profile['AccountNumber']}-{number}", "updated_at": _timestamp(random)}
        sample.objects.append((profile_id, CRM_TYPE, crm_object))
    phone = profile.get("PhoneNumber") or profile.get("MobilePhoneNumber")
    if phone:
        for call in range(random.choices((0, 1, 2, 4), (5, 3, 2, 1))[0] + ("LastName" not in profile)):
            contact = {
                "contact_id": f"c{number}-{call}",
                "customer_phone": phone,
                "started_at": _timestamp(random),
            }
            sample.objects.append((profile_id, CONTACT_TYPE, contact))


def _add_keys(random: Random, sample: Sample, source: str) -> None:
    """What the centre knows from elsewhere: account list, mailing list, call log."""
    profile = sample.profiles[-1]
    known = {
        "crm": ("_account", "AccountNumber"),
        "web": ("_email", "EmailAddress"),
        "inferred": ("_phone", "PhoneNumber"),
        "store": ("_phone", "HomePhoneNumber"),
        "legacy": ("_phone", "PhoneNumber"),
    }
    name, member = known[source]
    if member in profile and random.random() < 0.9:
        sample.keys.append((name, profile[member]))


def _timestamp(random: Random) -> str:
    day, second = random.randint(1, 28), random.randint(0, 86_399)
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{random.randint(2022, 2026)}-{random.randint(1, 10):02d}-{day:02d}T{clock}Z"


def _person_profile(random: Random, person: Person, source: str) -> Profile:
    if source == "inferred":
        number = person.home.landline if person.home.landline and random.random() < 0.15 else person.mobile
        return {"PhoneNumber": f"+1{number}"}
    given = person.given
    short = GIVEN.get(given, ())
    if source in ("web", "store") and short and random.random() < 0.3:
        given = random.choice(short)
    elif random.random() < 0.03:
        given = given[0]
    typo = _mistype if source == "store" and random.random() < 0.25 else _as_is
    family = typo(random, person.family) + (
        f" {person.suffix}" if person.suffix and random.random() < 0.8 else ""
    )
    place = person.former_home if source == "legacy" and random.random() < 0.5 else person.home
    profile: Profile = {
        "FirstName": given,
        "MiddleName": _middle(random, person) if source in ("crm", "legacy") else None,
        "LastName": family,
        "BirthDate": _birth_date(random, person, source) if random.random() < 0.6 else None,
        "Gender": person.gender if random.random() < 0.3 else None,
        "PhoneNumber": _phone(random, person.mobile) if source == "legacy" else None,
        "MobilePhoneNumber": _phone(random, person.mobile) if source in ("crm", "web") else None,
        "HomePhoneNumber": _phone(random, place.landline) if place.landline and source != "web" else None,
        "EmailAddress": _email(random, person, source),
        "AccountNumber": _account(random, person, source),
        "Address": _address(random, place, source) if source != "web" or random.random() < 0.4 else None,
        "Attributes": {"source": source, "loyalty_tier": random.choice(("bronze", "silver", "gold"))},
    }
    if random.random() < 0.015:
        profile["PhoneNumber"] = random.choice(PLACEHOLDER_PHONES)
    if person.company and source in ("crm", "web"):
        profile["BusinessName"] = _company_name(random, person.company)
        profile["BusinessPhoneNumber"] = _phone(random, person.company.place.landline)
        profile["BusinessEmailAddress"] = f"{random.choice(ROLE_MAILBOXES)}@{person.company.domain}"
    return _upper(profile) if source == "legacy" else profile


def _company_profile(random: Random, company: Company, source: str) -> Profile:
    profile: Profile = {
        "PartyType": "BUSINESS",
        "BusinessName": _company_name(random, company),
        "BusinessPhoneNumber": _phone(random, company.place.landline) if random.random() < 0.85 else None,
        "BusinessEmailAddress": f"{random.choice(ROLE_MAILBOXES[:2])}@{company.domain}"
        if source == "crm"
        else None,
        "AccountNumber": company.account if source == "crm" else None,
        "Address": _address(random, company.place, source) if random.random() < 0.9 else None,
        "Attributes": {"source": source, "segment": random.choice(("small", "medium", "key"))},
    }
    return _upper(profile) if source == "legacy" else profile


def _company_name(random: Random, company: Company) -> str:
    form = random.choice((*company.legal_form, ""))
    return (
        f"{company.name} {form}".strip()
        if random.random() < 0.9
        else f"The {company.name}, {form}".strip(", ")
    )


def _middle(random: Random, person: Person) -> str | None:
    if person.middle is None or random.random() < 0.4:
        return None
    return person.middle if random.random() < 0.5 else person.middle[0]


def _account(random: Random, person: Person, source: str) -> str | None:
    if source != "crm":
        return None
    return person.account if random.random() < 0.7 else f"A{random.randint(600_000, 999_999)}"


def _email(random: Random, person: Person, source: str) -> str | None:
    if random.random() < 0.012:
        return random.choice(PLACEHOLDER_EMAILS)
    if random.random() < (0.0 if source == "web" else 0.35):
        return None
    address = person.second_email if source == "legacy" or random.random() < 0.1 else person.email
    return address.upper() if random.random() < 0.04 else address


def _phone(random: Random, digits: str | None) -> str | None:
    if digits is None:
        return None
    area, exchange, line = digits[:3], digits[3:6], digits[6:]
    return random.choice(
        (
            f"+1{digits}",
            f"({area}) {exchange}-{line}",
            f"{area}-{exchange}-{line}",
            digits,
            f"+1 {area} {exchange} {line}",
        )
    )


def _birth_date(random: Random, person: Person, source: str) -> str:
    year, month, day = person.birth_date
    if random.random() < 0.02:
        day = min(28, day % 28 + 1)
    return f"{month:02d}/{day:02d}/{year}" if source in ("web", "store") else f"{year}-{month:02d}-{day:02d}"


def _address(random: Random, place: Place, source: str) -> dict[str, str]:
    street = _mistype(random, place.street) if source == "store" and random.random() < 0.15 else place.street
    line = f"{place.number} {street} {random.choice(place.street_type)}"
    unit = (
        {"Address2": random.choice((f"Apt {place.unit}", f"#{place.unit}", f"Unit {place.unit}"))}
        if place.unit
        else {}
    )
    country = {"Country": random.choice(("US", "USA", "United States"))} if random.random() < 0.7 else {}
    area = {"City": place.city, "State": place.state, "PostalCode": place.postal_code}
    return {"Address1": line, **unit, **area, **country}


def _as_is(_random: Random, text: str) -> str:
    return text


def _mistype(random: Random, text: str) -> str:
    """The text with one letter dropped, doubled, replaced, or two exchanged."""
    at = random.randrange(len(text) - 1)
    head, letter, tail = text[:at], text[at], text[at + 1 :]
    return random.choice(
        (
            head + tail,
            head + letter + letter + tail,
            head + random.choice("aeiorst") + tail,
            head + tail[:1] + letter + tail[1:],
        )
    )


def _upper(profile: Profile) -> Profile:
    """The old system knows capitals only."""
    shouted: Profile = {}
    for name, value in profile.items():
        if name == "Address" and value:
            shouted[name] = {part: text.upper() for part, text in value.items()}
        elif isinstance(value, str) and name not in ("PartyType", "Gender"):
            shouted[name] = value.upper()
        else:
            shouted[name] = value
    return shouted
