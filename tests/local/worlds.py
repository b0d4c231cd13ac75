"""Domains with one of everything, and with several of everything, for contract tests."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contract_rows import TYPE

from resolver.local.matching_job import run_matching_job

if TYPE_CHECKING:
    from resolver.local.store import Store

_NUMBERS = itertools.count(1)
_NAME = re.compile(r"\$([a-z]+)")
RULES = {"Enabled": True, "MatchingRules": [{"Rule": ["EmailAddress", "FirstName"]}]}
_SATURDAY = datetime(2026, 1, 3, tzinfo=UTC)


@dataclass
class World:
    """A domain and the names of what it holds; `filled` puts them in the place of `$name`."""

    names: dict[str, str] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """The value with every `$name` in its texts replaced."""
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items() if item is not None}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            return _NAME.sub(lambda found: self.names[found[1]], value)
        return value


def small(client: Any, store: Store) -> World:
    """Two profiles, a type, an object, an integration, a key by hand, tags and a run of the matching job."""
    domain = f"small-{next(_NUMBERS)}"
    here = {"DomainName": domain}
    client.create_domain(
        **here,
        DefaultExpirationDays=30,
        Matching={"Enabled": True},
        RuleBasedMatching=RULES,
        Tags={"team": "a", "b": "2"},
    )
    client.create_domain(DomainName=f"{domain}-still", DefaultExpirationDays=30)
    client.put_profile_object_type(**here, ObjectTypeName="crm", **TYPE, Tags={"team": "a"})
    uri = f"arn:aws:s3:::{domain}/x"
    client.put_integration(**here, Uri=uri, ObjectTypeName="crm")
    body = json.dumps({"id": "1", "mail": "ana@x.io"})
    unique = client.put_profile_object(**here, ObjectTypeName="crm", Object=body)["ProfileObjectUniqueKey"]
    ana = client.search_profiles(**here, KeyName="crmId", Values=["1"])["Items"][0]["ProfileId"]
    person = {"PhoneNumber": "2065550100", "EmailAddress": "ana@x.io", "FirstName": "Ana"}
    client.update_profile(**here, ProfileId=ana, **person)
    ben = client.create_profile(**here, **person)["ProfileId"]
    client.add_profile_key(**here, ProfileId=ana, KeyName="_phone", Values=["2065550177"])
    run_matching_job(store, domain, _SATURDAY)
    records = client.list_profile_history_records(**here, ProfileId=ana)["ProfileHistoryRecords"]
    jobs = client.list_identity_resolution_jobs(**here)["IdentityResolutionJobsList"]
    names = {
        "domain": domain,
        "still": f"{domain}-still",
        "fresh": f"{domain}-fresh",
        "arn": f"arn:aws:profile:us-east-1:000000000000:domains/{domain}",
        "uri": uri,
        "unique": unique,
        "ana": ana,
        "ben": ben,
        "record": records[0]["Id"],
        "match": client.get_matches(**here)["Matches"][0]["MatchId"],
        "ruled": client.list_rule_based_matches(**here)["MatchIds"][0],
        "job": jobs[0]["JobId"],
    }
    return World(names)


def large(client: Any, store: Store, count: int) -> World:
    """`count` of everything that can be listed."""
    domain = f"large-{next(_NUMBERS)}"
    here = {"DomainName": domain}
    client.create_domain(
        **here, DefaultExpirationDays=30, Matching={"Enabled": True}, RuleBasedMatching=RULES
    )
    keys = {"crmId": TYPE["Keys"]["crmId"], "_email": [{"FieldNames": ["mail"]}]}
    for number in range(count):
        client.put_profile_object_type(**here, ObjectTypeName=f"crm{number}", **{**TYPE, "Keys": keys})
        client.put_integration(**here, Uri=f"arn:aws:s3:::{domain}/{number}", ObjectTypeName="crm0")
    who = [{"StandardIdentifiers": ["PROFILE"], "FieldNames": ["mail"]}]
    unique = [{"StandardIdentifiers": ["UNIQUE"], "FieldNames": ["id"]}]
    many = {**TYPE, "Keys": {"orderNumber": unique, "_email": who}}
    client.put_profile_object_type(**here, ObjectTypeName="order", **many)
    shared = {"PhoneNumber": "2065550100", "FirstName": "Ana", "LastName": "Ruiz"}
    ids = [client.create_profile(**here, **shared)["ProfileId"] for _ in range(count)]
    client.update_profile(**here, ProfileId=ids[0], EmailAddress="ana@x.io")
    for number in range(count):
        body = json.dumps({"id": str(number), "mail": "ana@x.io"})
        client.put_profile_object(**here, ObjectTypeName="order", Object=body)
        for _ in range(2):  # one more match group
            client.create_profile(**here, FirstName="Ben", EmailAddress=f"{number}@x.io")
        run_matching_job(store, domain, _SATURDAY)
    return World({"domain": domain, "ana": ids[0], "uri": f"arn:aws:s3:::{domain}/0"})
