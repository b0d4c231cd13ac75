"""A domain and a plain-Python model of it, driven side by side through any sequence of calls."""

from __future__ import annotations

import json
import os
from typing import Any

import phonenumbers
from checked_service import CheckedService
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from resolver.local.store import Store
from resolver.local.wire import HttpRequest

SEQUENCES = 2000 if os.environ.get("RESOLVER_SOAK") else 15
PHONES = ["2065550100", "+1 (206) 555-0100", "206-555-0101", "anonymous", "+44 20 7946 0958"]
EMAILS = ["a@x.io", "A@X.IO", "b@x.io"]
SCALARS = {
    "FirstName": ["Ana", "ANA", "Ben"],
    "LastName": ["Ruiz", "Novak"],
    "PhoneNumber": PHONES,
    "MobilePhoneNumber": PHONES,
    "EmailAddress": EMAILS,
    "AccountNumber": ["1", "2"],
    "PartyTypeString": ["club", "firm"],
}
PATHS = [*SCALARS, "Attributes.a", "Address.City"]
PARTS = st.fixed_dictionaries({}, optional={"City": st.sampled_from(["Ulm", "Bonn"]), "State": st.just("BW")})
ENTRIES = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["1", "2"]), max_size=2)
FIELDS = st.fixed_dictionaries(
    {},
    optional={**{n: st.sampled_from(v) for n, v in SCALARS.items()}, "Address": PARTS, "Attributes": ENTRIES},
)
BLOCKS = ("Address", "Attributes")
TYPE = {
    "Description": "CRM",
    "Fields": {"id": {"Source": "_source.id"}, "mail": {"Source": "_source.mail"}},
    "Keys": {
        "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}],
        "_email": [{"StandardIdentifiers": ["PROFILE", "SECONDARY"], "FieldNames": ["mail"]}],
    },
    "AllowProfileCreation": True,
}


def slow_phone(text: str) -> str:
    """The slow twin of the phone index: always the full parser."""
    digits = "".join(c for c in text if c in "0123456789")
    if not digits:
        return text.strip().casefold()
    try:
        number = phonenumbers.parse(("+" if text.lstrip().startswith("+") else "") + digits, "US")
    except phonenumbers.NumberParseException:
        return digits
    possible = phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else digits


def normal(key: str, value: str) -> str:
    if key == "_phone":
        return slow_phone(value)
    return value.strip().casefold() if key in ("_email", "_fullName") else value


def derived(fields: dict[str, Any]) -> set[tuple[str, str]]:
    full_name = " ".join(fields[n] for n in ("FirstName", "LastName") if n in fields)
    pairs = [("_phone", fields.get("PhoneNumber")), ("_phone", fields.get("MobilePhoneNumber"))]
    pairs += [("_email", fields.get("EmailAddress")), ("_account", fields.get("AccountNumber"))]
    pairs.append(("_fullName", full_name))
    return {(key, normal(key, value)) for key, value in pairs if value}


def tidy(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {n: {p: t for p, t in v.items() if t} if n in BLOCKS else v for n, v in fields.items()}
    return {name: value for name, value in kept.items() if value}


class Profile:
    """What the model knows of one profile; `objects` maps a UNIQUE value to (order of ingestion, keys)."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = tidy(fields)
        self.given: set[tuple[str, str]] = set()
        self.objects: dict[str, tuple[int, set[tuple[str, str]]]] = {}

    def indexed(self) -> set[tuple[str, str]]:
        return derived(self.fields) | self.given | {k for _, keys in self.objects.values() for k in keys}


class DomainMachine(RuleBasedStateMachine):
    """Calls go to both; whatever can be asked must be answered alike."""

    profiles = Bundle("profiles")

    def __init__(self) -> None:
        super().__init__()
        self.store = Store.open(None)
        self.service = CheckedService(self.store)
        self.model: dict[str, Profile] = {}  # in order of creation
        self.clock = 0
        self.call("POST", "/domains/d", {"DefaultExpirationDays": 30})
        self.call("PUT", "/domains/d/object-types/crm", TYPE)

    def teardown(self) -> None:
        self.store.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.service.handle(
            HttpRequest(method, path, "", {}, json.dumps(body).encode() if body else b"")
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, path: str, body: dict[str, Any]) -> int:
        return self.service.handle(HttpRequest("POST", path, "", {}, json.dumps(body).encode())).status

    @rule(target=profiles, fields=FIELDS)
    def create(self, fields):
        profile_id = self.call("POST", "/domains/d/profiles", {**fields, "AdditionalInformation": "x"})[
            "ProfileId"
        ]
        self.model[profile_id] = Profile({**fields, "AdditionalInformation": "x"})
        return profile_id

    @rule(profile=profiles, fields=FIELDS, emptied=st.sampled_from(PATHS))
    def update(self, profile, fields, emptied):
        name, _, part = emptied.partition(".")
        change = {**fields, name: {**fields.get(name, {}), part: ""} if part else ""}
        self.call("PUT", "/domains/d/profiles", {"ProfileId": profile, **change})
        stored = self.model[profile].fields
        for field, value in change.items():
            stored[field] = {**stored.get(field, {}), **value} if field in BLOCKS else value
        self.model[profile].fields = tidy(stored)

    @rule(profile=profiles, phone=st.sampled_from(PHONES))
    def add_key(self, profile, phone):
        body = {"ProfileId": profile, "KeyName": "_phone", "Values": [phone]}
        self.call("POST", "/domains/d/profiles/keys", body)
        self.model[profile].given.add(("_phone", normal("_phone", phone)))

    @rule(profile=profiles, phone=st.sampled_from(PHONES))
    def delete_key(self, profile, phone):
        body = {"ProfileId": profile, "KeyName": "_phone", "Values": [phone]}
        key, known = ("_phone", normal("_phone", phone)), self.model[profile]
        if key in known.given:
            self.call("POST", "/domains/d/profiles/keys/delete", body)
            known.given.discard(key)
        else:
            expected = 400 if key in derived(known.fields) else 404
            assert self.refused("/domains/d/profiles/keys/delete", body) == expected

    @rule(target=profiles, unique=st.sampled_from(["u1", "u2", "u3"]), mail=st.sampled_from(["", *EMAILS]))
    def ingest(self, unique, mail):
        body = {"ObjectTypeName": "crm", "Object": json.dumps({"id": unique, "mail": mail})}
        self.call("PUT", "/domains/d/profiles/objects", body)
        keys = {("crmId", unique), *([("_email", normal("_email", mail))] if mail else [])}
        self.clock += 1
        owner = next(iter(self._owners(("crmId", unique))), None)
        if owner is None and mail:
            owner = next(iter(self._owners(("_email", normal("_email", mail)))), None)
        created = owner is None
        if owner is None:
            found = self.call("POST", "/domains/d/profiles/search", {"KeyName": "crmId", "Values": [unique]})[
                "Items"
            ]
            owner = next(item["ProfileId"] for item in found if item["ProfileId"] not in self.model)
            self.model[owner] = Profile({})
        self.model[owner].objects[unique] = (self.clock, keys)
        return owner if created else multiple()

    def _owners(self, key):
        """The one profile that a key leads to; nobody when it is ambiguous."""
        found = [profile_id for profile_id, known in self.model.items() if key in known.indexed()]
        return found if len(found) == 1 else []

    @rule(main=profiles, first=consumes(profiles), second=consumes(profiles), donors=st.data())
    def merge(self, main, first, second, donors):
        merged = list(dict.fromkeys(profile for profile in (first, second) if profile != main))
        if main in (first, second) or first == second or not merged:
            assert (
                self.refused("/domains/d/profiles/objects/merge", _merge_body(main, [first, second], {}))
                == 400
            )
            return
        choices = st.sampled_from([main, *merged])
        options = dict.fromkeys(("FirstName", "EmailAddress", "Address", "PhoneNumber"), choices)
        whole = donors.draw(st.fixed_dictionaries({}, optional=options))
        entries = donors.draw(st.dictionaries(st.sampled_from(["a", "b"]), choices, max_size=2))
        sources = {**whole, **({"Attributes": entries} if entries else {})}
        self.call("POST", "/domains/d/profiles/objects/merge", _merge_body(main, merged, sources))
        self._merge(main, merged, (whole, entries))

    def _merge(self, main, merged, donors):
        whole, entries = donors
        order = [self.model[profile_id] for profile_id in (main, *merged)]
        fields: dict[str, Any] = {}
        for name in dict.fromkeys(n for p in order for n in p.fields if n != "Attributes"):
            givers = [self.model[whole[name]]] if name in whole else order
            held = [p.fields[name] for p in givers if name in p.fields]
            if held:
                fields[name] = held[0]
        attributes: dict[str, str] = {}
        for entry in ("a", "b"):
            givers = [self.model[entries[entry]]] if entry in entries else order
            held = [p.fields["Attributes"][entry] for p in givers if entry in p.fields.get("Attributes", {})]
            if held:
                attributes[entry] = held[0]
        survivor = self.model[main]
        for victim in (self.model.pop(profile_id) for profile_id in merged):
            survivor.given |= derived(victim.fields) | victim.given
            for unique, (moment, keys) in victim.objects.items():
                former = survivor.objects.get(unique)
                if former is not None:
                    survivor.given |= min(former, (moment, keys), key=lambda held: held[0])[1]
                if former is None or former[0] < moment:
                    survivor.objects[unique] = (moment, keys)
        survivor.fields = tidy({**fields, "Attributes": attributes})

    @rule(profile=consumes(profiles))
    def delete(self, profile):
        self.call("POST", "/domains/d/profiles/delete", {"ProfileId": profile})
        del self.model[profile]
        assert self.refused("/domains/d/profiles/delete", {"ProfileId": profile}) == 404

    @rule(key=st.sampled_from(["_phone", "_email"]), number=st.integers(0, 4))
    def search(self, key, number):
        value = (PHONES if key == "_phone" else EMAILS)[number % 3]
        body = {"KeyName": key, "Values": [value]}
        found = [item["ProfileId"] for item in self.call("POST", "/domains/d/profiles/search", body)["Items"]]
        wanted = (key, normal(key, value))
        assert (
            found
            == [profile_id for profile_id, known in self.model.items() if wanted in known.indexed()][:20]
        )

    @invariant()
    def everything_reads_alike(self):
        ids = list(self.model)[-20:]
        if ids:
            answer = self.call("POST", "/domains/d/batch-get-profiles", {"ProfileIds": ids})
            assert answer["Profiles"] == [{"ProfileId": i, **self.model[i].fields} for i in ids]
        stats = self.call("GET", "/domains/d")["Stats"]
        counts = (len(self.model), sum(len(known.objects) for known in self.model.values()))
        assert (stats["ProfileCount"], stats["ObjectCount"]) == counts


def _merge_body(main, merged, sources):
    donors = {"FieldSourceProfileIds": sources} if sources else {}
    return {"MainProfileId": main, "ProfileIdsToBeMerged": merged, **donors}


TestDomain = DomainMachine.TestCase
TestDomain.settings = settings(
    max_examples=SEQUENCES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
