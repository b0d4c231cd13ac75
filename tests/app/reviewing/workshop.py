"""Small review batches made by hand.

A household of four, an easy pair, a business of three, and many pairs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import polars as pl

from resolver.app.reviewing.batch import Findings, Model, make_batch
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import CLUSTERS, PROFILES
from resolver.model.profile import to_row
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
from resolver.planning.plans import plan_merges

LEVELS = ("differs", "near", "same")
LABELS = dict.fromkeys(
    ("first_name", "last_name", "birth_date", "email", "phone", "address", "business_name", "account_number"),
    LEVELS,
)
MODEL = Model(labels=LABELS, prior=-16.6, review=2.0, merge=12.0)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Rules:
    """What planning asks of a rule set."""

    survivorship: Survivorship = field(default_factory=Survivorship)
    merging: Merging = field(default_factory=Merging)
    second_opinion: SecondOpinion = field(default_factory=SecondOpinion)
    preservation: Preservation = field(default_factory=Preservation)
    default_region: str | None = "US"
    fingerprint: str = "rules-1"


class Watch:
    """A clock that a test moves."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        self.now += timedelta(milliseconds=1)
        return self.now


HOUSEHOLD = [
    {
        "ProfileId": "h-a",
        "FirstName": "Daniel",
        "LastName": "Marín",
        "BirthDate": "1984-03-12",
        "EmailAddress": "daniel.marin@example.com",
        "PersonalEmailAddress": "marin.family@example.com",
        "MobilePhoneNumber": "+1 206 555 0142",
        "HomePhoneNumber": "(206) 555-0117",
        "AccountNumber": "0044-71825",
        "Address": {
            "Address1": "418 Alder Street",
            "Address2": "Apt 3",
            "City": "Seattle",
            "State": "WA",
            "PostalCode": "98104",
        },
        "AdditionalInformation": "Prefers calls after 17:00.",
        "PartyTypeString": "INDIVIDUAL",
        "Attributes": {"source": "Salesforce-Contact", "marketing_opt_in": "yes"},
    },
    {
        "ProfileId": "h-b",
        "FirstName": "Dani",
        "LastName": "Marin",
        "BirthDate": "12/03/1984",
        "EmailAddress": "Daniel.Marin@Example.com",
        "PersonalEmailAddress": "dmarin84@example.org",
        "MobilePhoneNumber": "206.555.0142",
        "Gender": "MALE",
        "Address": {
            "Address1": "418 Alder St #3",
            "City": "Seattle",
            "State": "WA",
            "PostalCode": "98104-1203",
        },
        "AdditionalInformation": "Leave parcels at no. 5.",
        "PartyTypeString": "INDIVIDUAL",
        "Attributes": {"source": "Segment-Customer", "marketing_opt_in": "no"},
    },
    {
        "ProfileId": "h-c",
        "FirstName": "Daniel",
        "PhoneNumber": "+12065550142",
        "PartyTypeString": "INDIVIDUAL",
    },
    {
        "ProfileId": "h-d",
        "FirstName": "Elena",
        "LastName": "Marín",
        "BirthDate": "1986-11-02",
        "EmailAddress": "marin.family@example.com",
        "MobilePhoneNumber": "+1 206 555 0163",
        "HomePhoneNumber": "206 555 0117",
        "Gender": "FEMALE",
        "Address": {
            "Address1": "418 Alder Street",
            "Address2": "Apt 3",
            "City": "Seattle",
            "State": "WA",
            "PostalCode": "98104",
        },
        "PartyTypeString": "INDIVIDUAL",
        "Attributes": {"source": "Zendesk-users", "marketing_opt_in": "yes"},
    },
]
HOUSEHOLD_PAIRS = [
    (
        "h-a",
        "h-b",
        {
            "first_name": (1, 4.3),
            "last_name": (2, 8.1),
            "birth_date": (2, 11.2),
            "email": (2, 12.6),
            "phone": (2, 17.5),
            "address": (2, 6.0),
        },
    ),
    ("h-a", "h-c", {"first_name": (2, 6.2), "phone": (2, 17.5)}),
    ("h-b", "h-c", {"first_name": (1, 4.3), "phone": (2, 17.5)}),
    (
        "h-a",
        "h-d",
        {
            "first_name": (0, -4.2),
            "last_name": (2, 8.1),
            "birth_date": (0, -6.7),
            "email": (2, 7.4),
            "phone": (2, 8.9),
            "address": (2, 6.0),
        },
    ),
]
EASY = [
    {
        "ProfileId": "e-a",
        "FirstName": "Tomasz",
        "LastName": "Wrona",
        "EmailAddress": "tomasz.wrona@example.net",
        "BirthDate": "1979-01-23",
        "Attributes": {"source": "crm"},
    },
    {
        "ProfileId": "e-b",
        "FirstName": "Tomasz",
        "LastName": "Wrona",
        "EmailAddress": "Tomasz.Wrona@example.net",
        "PhoneNumber": "0161 496 0771",
        "Attributes": {"source": "web"},
    },
]
EASY_PAIRS = [("e-a", "e-b", {"first_name": (2, 6.2), "last_name": (2, 8.1), "email": (1, 10.1)})]
BUSINESS = [
    {
        "ProfileId": "b-a",
        "BusinessName": "Northgate Plumbing LLC",
        "PartyTypeString": "BUSINESS",
        "BusinessPhoneNumber": "+1 415 555 0100",
        "AccountNumber": "B-1",
        "Attributes": {"source": "crm"},
    },
    {
        "ProfileId": "b-b",
        "BusinessName": "Northgate Plumbing Inc.",
        "PartyTypeString": "ORGANISATION",
        "BusinessPhoneNumber": "415-555-0100",
        "Attributes": {"source": "legacy"},
    },
    {
        "ProfileId": "b-c",
        "BusinessName": "NORTHGATE PLUMBING",
        "BusinessPhoneNumber": "4155550100",
        "Attributes": {"source": "store"},
    },
]
BUSINESS_PAIRS = [
    ("b-a", "b-b", {"business_name": (1, 12.2), "phone": (2, 13.0)}),
    ("b-a", "b-c", {"business_name": (1, 10.0), "phone": (2, 13.0)}),
    ("b-b", "b-c", {"business_name": (1, 10.0), "phone": (2, 13.0)}),
]

GIVEN = ("Aoife", "Kwame", "Ines", "Yuki", "Lars", "Noor", "Hanna", "Mateo", "Priya", "Oluwaseun")
FAMILY = (
    "Byrne",
    "Mensah",
    "Duarte",
    "Tanabe",
    "Holm",
    "Haddad",
    "Vogel",
    "Rossi",
    "Nair",
    "Adeyemi",
    "Kovács",
)


def pair_row(left, right, evidence):
    row = {"profile_id_left": min(left, right), "profile_id_right": max(left, right)}
    weight = MODEL.prior
    for name in LABELS:
        level, bits = evidence.get(name, (-1, 0.0))
        row[f"{name}_level"] = level
        row[f"{name}_weight"] = float(bits)
        weight += bits
    row["match_weight"] = weight
    row["match_probability"] = 1 / (1 + 2 ** (-weight))
    row["band"] = "merge" if weight >= MODEL.merge else "review" if weight >= MODEL.review else "distinct"
    return row


def cluster_rows(cluster_id, ids, band="review", *, contested=False):
    return [(cluster_id, i, cluster_id, len(ids), None, contested, band) for i in ids]


def findings(parts):
    """``parts`` are (cluster id, profiles, pairs, band)."""
    profiles = [to_row(p) for _, members, _, _ in parts for p in members]
    pairs = [pair_row(*pair) for _, _, links, _ in parts for pair in links]
    rows = [
        r
        for cluster_id, members, _, band in parts
        for r in cluster_rows(cluster_id, [p["ProfileId"] for p in members], band)
    ]
    columns = dict(PROFILES.columns)
    return Findings(
        profiles=pl.DataFrame(profiles, schema=columns),
        pairs=pl.DataFrame(pairs, infer_schema_length=None),
        clusters=pl.DataFrame(rows, schema=CLUSTERS.columns, orient="row"),
    )


def stories():
    return [
        ("cluster-h", HOUSEHOLD, HOUSEHOLD_PAIRS, "review"),
        ("cluster-e", EASY, EASY_PAIRS, "review"),
        ("cluster-b", BUSINESS, BUSINESS_PAIRS, "review"),
    ]


def twin(number, kind="single"):
    """A pair of invented profiles.

    ``batch`` pairs are low-risk and alike, ``single`` ones have a near name.
    """
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
    mail = f"{given}.{family}{number}@example.org".lower()
    one = hashlib.sha256(f"{kind}{number}a".encode()).hexdigest()[:32]
    two = hashlib.sha256(f"{kind}{number}b".encode()).hexdigest()[:32]
    left = {
        "ProfileId": one,
        "FirstName": given,
        "LastName": family,
        "EmailAddress": mail,
        "BirthDate": f"19{50 + number % 50}-04-{1 + number % 28:02d}",
        "Attributes": {"source": "crm"},
    }
    right = {
        "ProfileId": two,
        "FirstName": given if kind == "batch" else given[:3],
        "LastName": family,
        "EmailAddress": mail.upper(),
        "PhoneNumber": f"+1415555{number:04d}",
        "Attributes": {"source": "web"},
    }
    name = (2, 6.2) if kind == "batch" else (1, 1.0 + number % 7)
    evidence = {"first_name": name, "last_name": (2, 8.1), "email": (2, 14.0 + number % 5)}
    band = "merge" if kind == "batch" else "review"
    return (f"{kind}-{number:04d}", [left, right], [(one, two, evidence)], band)


def batch_of(parts, **known):
    """The batch of those parts, with the plans that a run would have made of them."""
    known = {"rules": Rules(), "rule_set_fingerprint": "rules-1"} | known
    found = findings(parts)
    plans = plan_merges(found.profiles, found.clusters, known["rules"], DomainFacts()).plans if parts else ()
    return make_batch(("run-47", "retail"), replace(found, plans=plans), MODEL, **known)


def many(count, kind="single"):
    return [twin(n, kind) for n in range(count)]
