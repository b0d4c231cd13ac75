"""A Customer Profiles domain in plain Python, slow and obvious. It shares no code with the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCKS = ("Address", "Attributes")
TYPE_NAME = "crm"
Key = tuple[str, str]


@cache
def slow_phone(text: str) -> str:
    """The slow twin of the phone index: always the full parser."""
    digits = "".join(c for c in text if c in "0123456789")
    if not digits:
        return text.strip().casefold()
    try:
        number = phonenumbers.parse(("+" if "+" in text.partition(digits[0])[0] else "") + digits, "US")
    except phonenumbers.NumberParseException:
        return digits
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else digits


def normal(key: str, value: str) -> str:
    """What two equal values of a key have in common."""
    if key == "_phone":
        return slow_phone(value)
    if key == "_fullName":
        return " ".join(value.casefold().split())
    return value.strip().casefold() if key == "_email" else value


FEEDS = {
    "_phone": [["PhoneNumber"], ["MobilePhoneNumber"]],
    "_email": [["EmailAddress"]],
    "_account": [["AccountNumber"]],
    "_fullName": [["FirstName", "LastName"]],
}


def derived(fields: dict[str, Any], written: Iterable[str] = ()) -> set[tuple[Key, bool]]:
    """The keys that a profile's own fields feed, and whether an object wrote a part of them."""
    found = set()
    for key, ways in FEEDS.items():
        for names in ways:
            value = " ".join(fields[name] for name in names if name in fields)
            if value and normal(key, value):
                found.add(((key, normal(key, value)), not set(names).isdisjoint(written)))
    return found


def tidy(fields: dict[str, Any]) -> dict[str, Any]:
    """Without anything empty."""
    kept = {n: {p: t for p, t in v.items() if t} if n in BLOCKS else v for n, v in fields.items()}
    return {name: value for name, value in kept.items() if value}


@dataclass
class PlainObject:
    """One object: when it came, its text and the keys it contributed."""

    moment: int
    body: str
    keys: set[Key]


@dataclass
class PlainProfile:
    """One profile; `written` holds the paths whose value came from an object and not from a person.

    `moved` are keys of profiles and objects that a merge ended, and whether they go with the object type.
    """

    fields: dict[str, Any]
    given: set[Key] = field(default_factory=set)
    objects: dict[str, PlainObject] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    moved: set[tuple[Key, bool]] = field(default_factory=set)

    def indexed(self) -> set[Key]:
        """Every key that finds it."""
        of_objects = {key for held in self.objects.values() for key in held.keys}
        return {key for key, _ in derived(self.fields) | self.moved} | self.given | of_objects

    def lose(self, key: Key) -> None:
        """A key taken away by hand, wherever it came from."""
        self.given.discard(key)
        self.moved -= {(key, True), (key, False)}
        for held in self.objects.values():
            held.keys.discard(key)

    def get(self, path: str) -> str | None:
        """The value of a field, address part or attribute."""
        name, _, part = path.partition(".")
        return self.fields.get(name, {}).get(part) if part else self.fields.get(name)

    def set(self, path: str, value: str) -> None:
        """Change one value; an empty one takes it away."""
        name, _, part = path.partition(".")
        self.fields[name] = {**self.fields.get(name, {}), part: value} if part else value
        self.fields = tidy(self.fields)


@dataclass
class PlainDomain:
    """Profiles by id in order of creation."""

    profiles: dict[str, PlainProfile] = field(default_factory=dict)
    clock: int = 0

    def create(self, profile_id: str, fields: dict[str, Any]) -> None:
        """A profile by hand."""
        self.profiles[profile_id] = PlainProfile(tidy(fields))

    def update(self, profile_id: str, change: dict[str, Any]) -> None:
        """Absent keeps, empty removes; whatever is named here is a person's from now on."""
        profile = self.profiles[profile_id]
        for name, value in change.items():
            for path, text in (
                [(f"{name}.{p}", t) for p, t in value.items()] if name in BLOCKS else [(name, value)]
            ):
                profile.set(path, text)
                profile.written.discard(path)

    def owners(self, key: Key) -> list[str]:
        """Every profile that a key finds."""
        return [profile_id for profile_id, known in self.profiles.items() if key in known.indexed()]

    def owner_of(self, source: dict[str, str]) -> str | None:
        """The profile that an object belongs to, by crmId, else by e-mail; ambiguous keys do not count."""
        for key in object_keys(source):
            if len(found := self.owners(key)) == 1:
                return found[0]
        return None

    def ingest(self, owner: str, source: dict[str, str], body: str) -> None:
        """Attach an object; a person's value stays, an empty one of the object changes nothing."""
        self.clock += 1
        made = owner not in self.profiles
        profile = self.profiles.setdefault(owner, PlainProfile({}))
        targets = {"LastName": source["last"], "Address.City": source["city"]}
        if made:
            targets["EmailAddress"] = source["mail"]
        for path, text in targets.items():
            if text and (not profile.get(path) or path in profile.written):
                profile.set(path, text)
                profile.written.add(path)
        profile.objects[source["id"]] = PlainObject(self.clock, body, set(object_keys(source)))

    def merge(self, main: str, merged: list[str], donors: dict[str, Any]) -> None:
        """Whole fields by donor, else by the first that has one; keys and objects move, twins by age."""
        members = {profile_id: self.profiles[profile_id] for profile_id in (main, *merged)}
        survivor = PlainProfile({}, set(members[main].given), dict(members[main].objects))
        survivor.moved = set(members[main].moved)
        paths = [n for p in members.values() for n in p.fields if n != "Attributes"]
        paths += [f"Attributes.{n}" for p in members.values() for n in p.fields.get("Attributes", {})]
        for path in dict.fromkeys(paths):
            name, _, entry = path.partition(".")
            donor = donors.get("Attributes", {}).get(entry) if entry else donors.get(name)
            givers = [members[donor]] if donor else list(members.values())
            giver = next((p for p in givers if p.get(path)), None)
            if giver is not None and entry:
                survivor.set(path, giver.fields["Attributes"][entry])
            elif giver is not None:
                survivor.fields[name] = giver.fields[name]
            if giver is not None:
                survivor.written |= {w for w in giver.written if w == path or w.startswith(f"{path}.")}
        for victim_id in merged:
            victim = self.profiles.pop(victim_id)
            survivor.given |= victim.given
            survivor.moved |= derived(victim.fields, victim.written) | victim.moved
            for unique, theirs in victim.objects.items():
                ours = survivor.objects.get(unique)
                if ours is not None:
                    older = min(ours, theirs, key=lambda held: held.moment)
                    survivor.moved |= {(key, True) for key in older.keys}
                if ours is None or ours.moment < theirs.moment:
                    survivor.objects[unique] = theirs
        survivor.fields = tidy(survivor.fields)
        self.profiles[main] = survivor

    def forget_type(self) -> None:
        """The object type goes: its objects, their keys, and every value that one of them wrote."""
        for profile in self.profiles.values():
            profile.objects.clear()
            profile.given = {key for key in profile.given if key[0] != "crmId"}  # nobody defines it any more
            profile.moved = {(key, of_type) for key, of_type in profile.moved if not of_type}
            for path in profile.written:
                profile.set(path, "")
            profile.written.clear()

    def search(self, keys: list[Key], operator: str) -> list[tuple[str, list[int]]]:
        """(profile id, positions of the keys that find it) in order of creation."""
        found = []
        for profile_id, known in self.profiles.items():
            index = known.indexed() | {("_profileId", profile_id)}
            hits = [place for place, key in enumerate(keys) if (key[0], normal(*key)) in index]
            if len(hits) == len(keys) or (hits and operator == "OR"):
                found.append((profile_id, hits))
        return found


def object_keys(source: dict[str, str]) -> list[Key]:
    """The keys of an object, the first to be tried first."""
    mail = [("_email", normal("_email", source["mail"]))] if source["mail"] else []
    return [("crmId", source["id"]), *mail]
