"""Clusters to plan for: drawn at random, or written down; and the rules to plan by."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import OBJECTS, PROFILES
from resolver.model.profile import (
    ADDRESS_PARTS,
    ADDRESSES,
    DEFAULT_MAX_LENGTH,
    EMAILS,
    MAX_LENGTH,
    PHONES,
    SCALARS,
    Profile,
    to_row,
)
from resolver.model.section import Section
from resolver.model.survivorship_policy import (
    STRATEGY_NAMES,
    Merging,
    Preservation,
    SecondOpinion,
    Survivorship,
)

SOAK = os.environ.get("RESOLVER_SOAK") == "1"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Rules(Section):
    """The planning part of a rule set."""

    survivorship: Survivorship = Survivorship()
    merging: Merging = Merging()
    second_opinion: SecondOpinion = SecondOpinion()
    preservation: Preservation = Preservation()
    default_region: str | None = None
    fingerprint: str = "rules-1"


def profile_id(name: object) -> str:
    """A ProfileId that depends on the name only."""
    return hashlib.sha256(str(name).encode()).hexdigest()[:32]


def profiles_frame(profiles: list[Profile], seen: dict[str, datetime] | None = None) -> pl.DataFrame:
    """A PROFILES frame with the columns that any profile fills."""
    rows = [{**to_row(p), "last_updated_at": (seen or {}).get(p["ProfileId"])} for p in profiles]
    names = {name for row in rows for name, value in row.items() if value is not None}
    schema = {n: t for n, t in PROFILES.columns.items() if n in names or n == "profile_id"}
    return pl.DataFrame([{n: row.get(n) for n in schema} for row in rows], schema=schema)


def clusters_frame(*clusters: list[list[str]], band: str = "merge", **columns: Any) -> pl.DataFrame:
    """A CLUSTERS frame: each cluster a list of its cores; single-profile cores of several are in review."""
    rows = []
    for cluster in clusters:
        members = sorted(i for core in cluster for i in core)
        rows += [
            {
                "cluster_id": members[0],
                "profile_id": i,
                "core_id": min(core),
                "size": len(members),
                "weakest_link": 9.0 if len(members) > 1 else None,
                "contested": False,
                "band": band if len(core) > 1 else "review",
            }
            for core in cluster
            for i in core
        ]
    frame = pl.DataFrame(
        rows, schema_overrides={"size": pl.UInt32, "band": pl.Enum(("distinct", "review", "merge"))}
    )
    return frame.with_columns(**columns)


def objects_frame(rows: list[tuple[str, str, str, str, datetime | None]]) -> pl.DataFrame:
    """An OBJECTS frame of (profile id, type, key, text, when)."""
    return pl.DataFrame(rows, schema=OBJECTS.columns, orient="row")


@dataclass(frozen=True)
class Drawn:
    """One random cluster with everything that may matter to its plan."""

    profiles: list[Profile]
    facts: DomainFacts
    rules: Rules
    bodies: list[tuple[str, str, dict[str, Any]]]
    seen: dict[str, datetime]
    given_keys: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)

    @property
    def frame(self) -> pl.DataFrame:
        return profiles_frame(self.profiles, self.seen)

    @property
    def clusters(self) -> pl.DataFrame:
        return clusters_frame([[p["ProfileId"] for p in self.profiles]])


_CODES = {
    "PartyType": ["INDIVIDUAL", "BUSINESS", "OTHER"],
    "Gender": ["MALE", "FEMALE", "UNSPECIFIED"],
    "ProfileType": ["PROFILE"],
}


def _text(rng: random.Random, name: str, variety: int) -> str:
    number = rng.randrange(variety)
    if name in _CODES:
        return rng.choice(_CODES[name])
    if name in PHONES:
        forms = ["+1 206 345 78{:02d}", "(206) 345-78{:02d}", "206345 78{:02d}", "x{}"]
        return rng.choice(forms).format(number)
    if name in EMAILS:
        return rng.choice(["a{}@x.io", "A{}@X.io", "not an address {}"]).format(number)
    if name == "BirthDate":
        return rng.choice(["1980-01-0{}", "0{}/01/1980", "198001 0{}", "unknown"]).format(1 + number % 9)
    if rng.random() < 0.03:  # as long as the service takes
        return f"{number} Ω".ljust(MAX_LENGTH.get(name, DEFAULT_MAX_LENGTH), "x")
    return rng.choice(["Ana {}", "ANA  {}", "Ω {}", "ana{}", '"{}\\']).format(number)


def draw_profile(rng: random.Random, name: object, fill: float, variety: int) -> Profile:
    """A profile with each field filled with probability ``fill`` from ``variety`` values."""
    profile: Profile = {"ProfileId": profile_id(name)}
    for field in SCALARS:
        if rng.random() < fill:
            profile[field] = _text(rng, field, variety)
    for field in ADDRESSES:
        if rng.random() < fill:
            parts = rng.sample(list(ADDRESS_PARTS), rng.randint(1, 4))
            profile[field] = {part: _text(rng, part, variety) for part in parts}
    if rng.random() < fill / 2:
        profile["EngagementPreferences"] = _preferences(rng, name, variety)
    keys = [k for k in ("tier", "UpdatedAt", "Ω key", "merged_tier", "a.b", "e" * 250) if rng.random() < fill]
    if keys:
        profile["Attributes"] = {k: _attribute(rng, k, variety) for k in keys}
    return profile


def _preferences(rng: random.Random, name: object, variety: int) -> dict[str, Any]:
    """Contacts that name nobody, the profile itself, another of its cluster, or a stranger."""
    seed = name[0] if isinstance(name, tuple) else name
    ids = [None, profile_id(name), profile_id((seed, 0)), profile_id((seed, 1)), profile_id("stranger")]
    kinds = {"Phone": PHONES, "Email": EMAILS}
    content: dict[str, Any] = {}
    for kind, fields in kinds.items():
        entries = []
        for _ in range(rng.choice([0, 1, 2])):
            entry = {"ContactType": rng.choice(fields), "KeyName": f"k{rng.randrange(variety)}"}
            if rng.random() < 0.5:
                entry["KeyValue"] = rng.choice(['"ProfileId":"x"', "Ω", "1\\2"])
            if (named := rng.choice(ids)) is not None:
                entry["ProfileId"] = named
            entries.append(entry)
        if entries:
            content[kind] = entries
    return content or {"Phone": [{"ContactType": "PhoneNumber"}]}


def _attribute(rng: random.Random, key: str, variety: int) -> str:
    if key == "UpdatedAt":
        return rng.choice(["2026-01-0{}", "2026-01-0{}T10:00:00+02:00", "171234567{}", "never {}"]).format(
            1 + rng.randrange(variety) % 9
        )
    text = f"{key[:3]} {rng.randrange(variety)}"
    return text.ljust(DEFAULT_MAX_LENGTH, "y") if rng.random() < 0.05 else text


def draw(seed: int, size: int) -> Drawn:
    """A cluster of that size, its objects, dates and rules; the same for the same arguments."""
    rng = random.Random(seed * 1000 + size)
    fill, variety = rng.choice([0.15, 0.5, 0.9]), rng.choice([1, 2, 5])
    profiles = [draw_profile(rng, (seed, n), fill, variety) for n in range(size)]
    if rng.random() < 0.3:
        keep = rng.choice(sorted(SCALARS))
        kept = ("ProfileId", keep) if rng.random() < 0.5 else ("ProfileId",)
        profiles[0] = {k: v for k, v in profiles[0].items() if k in kept}
    bodies, rows = [], []
    for number, profile in enumerate(profiles):
        holds = rng.choice([0, 0, 1, 3])
        if not number and len(profile) <= 2:  # an empty profile that stays, for its objects
            holds = 8
        for _ in range(holds):
            body = {"id": str(rng.randrange(4 * size)), "by": profile["ProfileId"]}
            bodies.append((profile["ProfileId"], "crm", body))
            when = NOW - timedelta(days=rng.randrange(900)) if rng.random() < 0.8 else None
            rows.append((profile["ProfileId"], "crm", body["id"], str(body), when))
    seen = {p["ProfileId"]: NOW - timedelta(days=rng.randrange(900)) for p in profiles if rng.random() < 0.4}
    facts = DomainFacts(domain_name="d", objects=objects_frame(rows))
    rules = draw_rules(rng)
    keys = [
        (p["ProfileId"], *rng.choice([("crmId", f"by hand {n}"), ("_phone", f"+1 425 555 01{n:02d}")]))
        for n, p in enumerate(profiles)
        if rng.random() < 0.2
    ]
    return Drawn(profiles, facts, rules, bodies, seen, keys)


def draw_rules(rng: random.Random) -> Rules:
    """Any strategies for any fields, any preservation."""
    plain = [name for name in STRATEGY_NAMES if name != "valid_first"]
    steerable = [f for f in (*SCALARS, *ADDRESSES) if f not in ("PartyTypeString", "GenderString")]
    fields = {
        f: rng.choice(plain) for f in (*steerable, "Attributes", "Attributes.tier") if rng.random() < 0.7
    }
    fields |= {f: "valid_first" for f in (*PHONES, *EMAILS) if rng.random() < 0.5}
    return Rules(
        survivorship=Survivorship(
            default=rng.choice(plain),
            fields=fields,
            recency=("Attributes.UpdatedAt", "objects", "profile"),
            source_priority=("crm",),
            phone_region=rng.choice([None, "US"]),
        ),
        preservation=Preservation(
            search_keys=rng.random() < 0.5,
            free_slots=rng.random() < 0.5,
            attribute_prefix=rng.choice([None, "merged_", "p" * 100]),
        ),
    )
