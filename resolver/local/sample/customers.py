"""The people and companies behind the sample domain, each once and without mistakes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from resolver.local.sample.vocabulary import (
    CITIES,
    FAMILY,
    GIVEN,
    LEGAL_FORMS,
    MAIL_PROVIDERS,
    STREET_TYPES,
    STREETS,
    TRADES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

#: Shares of the sample, chosen to look like a service centre's domain.
COMPANY_SHARE = 0.12
HOUSEHOLD_SHARE = 0.30
STAFF_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a household or a company is: one address and, often, one shared telephone."""

    number: int
    street: str
    street_type: tuple[str, str]
    unit: int | None
    city: str
    state: str
    postal_code: str
    area_code: str
    landline: str | None


@dataclass(frozen=True, slots=True)
class Company:
    """A business customer: its switchboard and its domain name are shared by its staff."""

    name: str
    legal_form: tuple[str, str]
    place: Place
    domain: str
    account: str


@dataclass(frozen=True, slots=True)
class Person:
    """A private customer or a contact person of a company."""

    given: str
    middle: str | None
    family: str
    suffix: str | None
    birth_date: tuple[int, int, int]
    gender: str
    mobile: str
    email: str
    second_email: str
    account: str
    home: Place
    former_home: Place
    company: Company | None


def ascii_letters(text: str) -> str:
    """The text as it would stand in an e-mail address."""
    folded = unicodedata.normalize(
        "NFKD", text.lower().replace("ł", "l").replace("ø", "o").replace("ß", "ss")
    )
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def phone_number(random: Random, area_code: str) -> str:
    """Ten digits of a North American number."""
    return f"{area_code}{random.randint(220, 989)}{random.randint(0, 9999):04d}"


def make_place(random: Random) -> Place:
    """A random address with its area's telephone number."""
    city, state, zip3, area_code = random.choice(CITIES)
    return Place(
        number=random.randint(1, 9899),
        street=random.choice(STREETS),
        street_type=random.choice(STREET_TYPES),
        unit=random.randint(1, 240) if random.random() < 0.2 else None,
        city=city,
        state=state,
        postal_code=f"{zip3}{random.randint(1, 45):02d}",
        area_code=area_code,
        landline=phone_number(random, area_code) if random.random() < 0.5 else None,
    )


def make_company(random: Random, serial: int) -> Company:
    """A random company; the serial keeps accounts and domain names apart."""
    owner, trade = random.choice(FAMILY), random.choice(TRADES)
    place = make_place(random)
    if place.landline is None:
        place = _with_landline(random, place)
    return Company(
        name=f"{owner} {trade}",
        legal_form=random.choice(LEGAL_FORMS),
        place=place,
        domain=f"{ascii_letters(owner)}{ascii_letters(trade)}{serial if random.random() < 0.3 else ''}.com",
        account=f"B{700_000 + serial * 7}",
    )


def make_household(random: Random, serial: int, companies: list[Company]) -> list[Person]:
    """One to five people who live together; relatives share the family name, the landline, sometimes more."""
    size = random.choice((2, 2, 2, 3, 3, 4, 5)) if random.random() < HOUSEHOLD_SHARE else 1
    home, family = make_place(random), random.choice(FAMILY)
    people: list[Person] = []
    for member in range(size):
        parent = people[0] if people and member > 1 else None
        junior = parent is not None and random.random() < 0.12
        person = _make_person(random, serial * 10 + member, home, family)
        if parent is not None and junior:
            person = _junior(person, parent)
        if random.random() < STAFF_SHARE and companies:
            person = _employed(person, random.choice(companies))
        people.append(person)
    return people


def make_customers(random: Random) -> Iterator[Person | Company]:
    """An endless row of customers, households one after another with companies between."""
    companies: list[Company] = []
    serial = 0
    while True:
        serial += 1
        if random.random() < COMPANY_SHARE:
            companies.append(make_company(random, serial))
            yield companies[-1]
        else:
            yield from make_household(random, serial, companies)


def _make_person(random: Random, serial: int, home: Place, family: str) -> Person:
    given = random.choice(list(GIVEN))
    year = random.randint(1938, 2006)
    handle = random.choice(
        (
            f"{ascii_letters(given)}.{ascii_letters(family)}{serial % 97}",
            f"{ascii_letters(given)[:1]}{ascii_letters(family)}{serial % 971}",
            f"{ascii_letters(family)}{year}{serial % 89}",
        )
    )
    area_code = home.area_code if random.random() < 0.75 else random.choice(CITIES)[3]
    return Person(
        given=given,
        middle=random.choice(list(GIVEN)) if random.random() < 0.5 else None,
        family=family,
        suffix=None,
        birth_date=(year, random.randint(1, 12), random.randint(1, 28)),
        gender=random.choice(("MALE", "FEMALE")),
        mobile=phone_number(random, area_code),
        email=f"{handle}@{random.choice(MAIL_PROVIDERS)}",
        second_email=f"{ascii_letters(given)}{serial}@{random.choice(MAIL_PROVIDERS)}",
        account=f"A{100_000 + serial * 3}",
        home=home,
        former_home=make_place(random),
        company=None,
    )


def _with_landline(random: Random, place: Place) -> Place:
    return replace(place, landline=phone_number(random, place.area_code))


def _junior(person: Person, parent: Person) -> Person:
    """A child with the parent's name: the classic trap of every household."""
    return replace(person, given=parent.given, family=parent.family, suffix="Jr")


def _employed(person: Person, company: Company) -> Person:
    return replace(person, company=company)
