"""A domain and a plain-Python model of it, driven side by side through any sequence of calls."""

from __future__ import annotations

import json
import os
from typing import Any

from checked_service import CheckedService
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from plain_domain import PlainDomain, derived, normal

from resolver.local.store import Store
from resolver.local.wire import HttpRequest

SEQUENCES = 2000 if os.environ.get("RESOLVER_SOAK") else 15
PHONES = [
    "2065550100",
    "+1 (206) 555-0100",
    "206-555-0101",
    "anonymous",
    "+44 20 7946 0958",
    "(+44) 2079460958",
]
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
TYPE = {
    "Description": "CRM",
    "Fields": {
        "id": {"Source": "_source.id"},
        "mail": {"Source": "_source.mail", "ContentType": "EMAIL_ADDRESS"},
        "last": {"Source": "{{_source.last}}", "Target": "_profile.LastName"},
        "city": {"Source": "_source.city", "Target": "_profile.Address.City"},
    },
    "Keys": {
        "crmId": [{"StandardIdentifiers": ["UNIQUE", "PROFILE"], "FieldNames": ["id"]}],
        "_email": [{"StandardIdentifiers": ["PROFILE", "SECONDARY"], "FieldNames": ["mail"]}],
    },
    "AllowProfileCreation": True,
}
SOURCES = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["u1", "u2", "u3"]),
        "mail": st.sampled_from(["", *EMAILS]),
        "last": st.sampled_from(["", "Ruiz", "Weber"]),
        "city": st.sampled_from(["", "Ulm", "Köln"]),
    }
)
VALUES = {
    "_phone": PHONES,
    "_email": EMAILS,
    "_account": ["1", "2", "3"],
    "_fullName": ["ana ruiz", "BEN  Novak", "weber", "Ana"],
    "crmId": ["u1", "u2", "u9"],
}
KEYS = st.sampled_from([(name, value) for name, values in VALUES.items() for value in values])


class DomainMachine(RuleBasedStateMachine):
    """Calls go to both; whatever can be asked must be answered alike."""

    profiles = Bundle("profiles")

    def __init__(self) -> None:
        super().__init__()
        self.store = Store.open(None)
        self.service = CheckedService(self.store)
        self.model = PlainDomain()
        self.call("POST", "/domains/d", {"DefaultExpirationDays": 30})
        self.call("PUT", "/domains/d/object-types/crm", TYPE)

    def teardown(self) -> None:
        self.store.close()

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: str = ""
    ) -> dict[str, Any]:
        answer = self.service.handle(
            HttpRequest(method, path, query, {}, json.dumps(body).encode() if body else b"")
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def refused(self, path: str, body: dict[str, Any]) -> int:
        return self.service.handle(HttpRequest("POST", path, "", {}, json.dumps(body).encode())).status

    @initialize(target=profiles, people=st.lists(FIELDS, min_size=3, max_size=4))
    def begin(self, people):
        return multiple(*(self._create(fields) for fields in people))

    @rule(target=profiles, fields=FIELDS)
    def create(self, fields):
        return self._create(fields)

    def _create(self, fields):
        body = {**fields, "AdditionalInformation": "x"}
        profile_id = self.call("POST", "/domains/d/profiles", body)["ProfileId"]
        self.model.create(profile_id, body)
        return profile_id

    @rule(profile=profiles, fields=FIELDS, emptied=st.sampled_from(PATHS))
    def update(self, profile, fields, emptied):
        name, _, part = emptied.partition(".")
        change = {**fields, name: {**fields.get(name, {}), part: ""} if part else ""}
        self.call("PUT", "/domains/d/profiles", {"ProfileId": profile, **change})
        self.model.update(profile, change)

    @rule(profile=profiles, key=KEYS)
    def add_key(self, profile, key):
        name, value = key
        self.call("POST", "/domains/d/profiles/keys", _key_body(profile, key))
        self.model.profiles[profile].given.add((name, normal(name, value)))

    @rule(profile=profiles, key=KEYS)
    def delete_key(self, profile, key):
        name, value = key
        held, known = (name, normal(name, value)), self.model.profiles[profile]
        contributed = {k for one in known.objects.values() for k in one.keys}
        if held in known.given | contributed | {k for k, _ in known.moved}:
            self.call("POST", "/domains/d/profiles/keys/delete", _key_body(profile, key))
            known.lose(held)
        else:
            expected = 400 if held in {k for k, _ in derived(known.fields)} else 404
            assert self.refused("/domains/d/profiles/keys/delete", _key_body(profile, key)) == expected

    @rule(target=profiles, source=SOURCES)
    def ingest(self, source):
        text = json.dumps(source)
        self.call("PUT", "/domains/d/profiles/objects", {"ObjectTypeName": "crm", "Object": text})
        owner = self.model.owner_of(source)
        created = owner is None
        if owner is None:
            body = {"KeyName": "crmId", "Values": [source["id"]]}
            found = self.call("POST", "/domains/d/profiles/search", body)["Items"]
            (owner,) = (i["ProfileId"] for i in found if i["ProfileId"] not in self.model.profiles)
        self.model.ingest(owner, source, text)
        return owner if created else multiple()

    @rule(profile=profiles, choice=st.data())
    def delete_object(self, profile, choice):
        held = self.model.profiles[profile].objects
        unique = choice.draw(st.sampled_from([*sorted(held), "absent"]))
        asked = {"ProfileId": profile, "ObjectTypeName": "crm"}
        listed = self.call("POST", "/domains/d/profiles/objects", asked)["Items"]
        names = {json.loads(item["Object"])["id"]: item["ProfileObjectUniqueKey"] for item in listed}
        body = {**asked, "ProfileObjectUniqueKey": names.get(unique, "absent")}
        if unique in held:
            self.call("POST", "/domains/d/profiles/objects/delete", body)
            del held[unique]
        else:
            assert self.refused("/domains/d/profiles/objects/delete", body) == 404

    @rule()
    def forget_the_type_and_define_it_again(self):
        self.call("DELETE", "/domains/d/object-types/crm")
        assert self.refused("/domains/d/profiles/search", {"KeyName": "crmId", "Values": ["u1"]}) == 400
        self.call("PUT", "/domains/d/object-types/crm", TYPE)
        self.model.forget_type()

    @rule(main=profiles, first=consumes(profiles), second=consumes(profiles), donors=st.data())
    def merge(self, main, first, second, donors):
        merged = list(dict.fromkeys(profile for profile in (first, second) if profile != main))
        if main in (first, second) or first == second:
            body = _merge_body(main, [first, second], {})
            assert self.refused("/domains/d/profiles/objects/merge", body) == 400
            return
        choices = st.sampled_from([main, *merged])
        options = dict.fromkeys(("FirstName", "EmailAddress", "Address", "PhoneNumber", "LastName"), choices)
        whole = donors.draw(st.fixed_dictionaries({}, optional=options))
        entries = donors.draw(st.dictionaries(st.sampled_from(["a", "b"]), choices, max_size=2))
        sources = {**whole, **({"Attributes": entries} if entries else {})}
        self.call("POST", "/domains/d/profiles/objects/merge", _merge_body(main, merged, sources))
        self.model.merge(main, merged, sources)

    @rule(profile=consumes(profiles))
    def delete(self, profile):
        self.call("POST", "/domains/d/profiles/delete", {"ProfileId": profile})
        del self.model.profiles[profile]
        assert self.refused("/domains/d/profiles/delete", {"ProfileId": profile}) == 404

    @rule(
        keys=st.lists(KEYS, min_size=1, max_size=3),
        operator=st.sampled_from(["AND", "OR"]),
        size=st.sampled_from([1, 2, 100]),
    )
    def search(self, keys, operator, size):
        self.search_for(keys, operator, size)

    def search_for(self, keys, operator, size):
        asked = [{"KeyName": name, "Values": [value]} for name, value in keys]
        body = {**asked[0], "LogicalOperator": operator, "AdditionalSearchKeys": asked[1:]}
        if not asked[1:]:
            del body["AdditionalSearchKeys"]
        found, more = [], ""
        while True:
            page = self.call("POST", "/domains/d/profiles/search", body, f"max-results={size}{more}")
            found += [(item["ProfileId"], item["FoundByItems"]) for item in page["Items"]]
            if "NextToken" not in page:
                break
            more = f"&next-token={page['NextToken']}"
        wanted = self.model.search(keys, operator)
        assert found == [(profile_id, [asked[place] for place in places]) for profile_id, places in wanted]

    @invariant()
    def every_key_finds_the_same_profiles(self):
        for name, values in VALUES.items():
            self.search_for([(name, value) for value in values[:5]], "OR", 100)

    @invariant()
    def everything_reads_alike(self):
        ids = list(self.model.profiles)[-20:]
        if ids:
            answer = self.call("POST", "/domains/d/batch-get-profiles", {"ProfileIds": ids})
            assert answer["Profiles"] == [{"ProfileId": i, **self.model.profiles[i].fields} for i in ids]
        for profile_id in ids[-3:]:
            asked = {"ProfileId": profile_id, "ObjectTypeName": "crm"}
            listed = self.call("POST", "/domains/d/profiles/objects", asked)["Items"]
            held = sorted(self.model.profiles[profile_id].objects.values(), key=lambda one: one.moment)
            assert [item["Object"] for item in listed] == [one.body for one in held]
        stats = self.call("GET", "/domains/d")["Stats"]
        known = self.model.profiles
        counts = (len(known), sum(len(one.objects) for one in known.values()))
        assert (stats["ProfileCount"], stats["ObjectCount"]) == counts


def _key_body(profile, key):
    return {"ProfileId": profile, "KeyName": key[0], "Values": [key[1]]}


def _merge_body(main, merged, sources):
    donors = {"FieldSourceProfileIds": sources} if sources else {}
    return {"MainProfileId": main, "ProfileIdsToBeMerged": merged, **donors}


TestDomain = DomainMachine.TestCase
TestDomain.settings = settings(
    max_examples=SEQUENCES, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
