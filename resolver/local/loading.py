"""Bulk load: past the API's one-by-one writes, not past its limits.

All or nothing: every profile is checked before the transaction ends, and the first complaint names the
profile id and the member. An id of 32 lower-case hex digits is kept; any other is replaced by one that
depends on the domain and the old id only, so that loading the same file elsewhere gives the same ids.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from resolver.local import wire
from resolver.local.limit import NO_LIMIT
from resolver.local.normalisation import standard_keys
from resolver.local.operations.incoming import read_object
from resolver.local.operations.ingestion import Attachment, attach
from resolver.local.operations.profiles import (
    BLOCK_FIELDS,
    PROFILE_FIELDS,
    present,
    refuse_both,
    refuse_too_large,
)
from resolver.local.refusal import Refusal
from resolver.local.shapes import Violation
from resolver.local.tables import domains, profiles
from resolver.local.tables.bulk import Staging

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from resolver.local.limit import Limit
    from resolver.local.shapes import Reader
    from resolver.local.store import Session, Store
    from resolver.local.tables.domains import Domain

EXPIRATION_DAYS: Final = 366
_KEPT_ID: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_BATCH: Final = 20_000


class BadProfile(ValueError):
    """A profile or object that the service would not hold; nothing was loaded."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How many were loaded, and the new id of every profile that came with one of its own."""

    count: int
    mapping: dict[str, str] = field(default_factory=dict)


def stable_id(domain_name: str, old_id: str) -> str:
    """The profile id that an id from elsewhere gets in a domain."""
    if _KEPT_ID(old_id):
        return old_id
    return hashlib.sha256(f"{domain_name}\0{old_id}".encode(errors="surrogatepass")).hexdigest()[:32]


def checked(
    domain_name: str, given: Iterable[dict[str, Any]]
) -> Iterator[tuple[str | None, str, dict[str, Any]]]:
    """(old id, new id, fields) of every profile; raises BadProfile for the first that the API would refuse.

    Null and empty members count as absent, as an empty cell of a file is no value.
    """
    seen: set[str] = set()
    for position, profile in enumerate(given, 1):
        old_id = profile.get("ProfileId")
        name = f"profile number {position}" + (f" ({old_id!r})" if old_id else "")
        if old_id is not None and not isinstance(old_id, str):
            raise BadProfile(f"{name}: ProfileId is not a string")
        unknown = profile.keys() - _KNOWN
        if unknown:
            raise BadProfile(f"{name}: {min(unknown)} is not a member of a profile")
        new_id = stable_id(domain_name, old_id) if old_id else secrets.token_hex(16)
        if new_id in seen:
            raise BadProfile(f"{name}: this ProfileId comes twice")
        seen.add(new_id)
        try:
            fields = _fields(profile)
        except (Violation, Refusal) as problem:
            raise BadProfile(f"{name}: {problem}") from None
        yield old_id or None, new_id, fields


def load_profiles(
    store: Store, domain_name: str, given: Iterable[dict[str, Any]], limit: Limit = NO_LIMIT
) -> LoadReport:
    """Load API-shaped profiles (ProfileId optional); a missing domain is made, with matching enabled."""
    at = time.time()
    mapping: dict[str, str] = {}
    count = 0
    rows = checked(domain_name, given)
    with store.writing(limit) as session, session.in_bulk():
        domain = _domain(session, domain_name, at)
        staging = Staging(session, domain.seq, at)
        was_empty = domain.profile_count == 0
        while batch := list(islice(rows, _BATCH)):
            mapping.update((old_id, new_id) for old_id, new_id, _ in batch if old_id is not None)
            new_ids = [new_id for _, new_id, _ in batch]
            if not was_empty and (known := profiles.known_ids(session, domain.seq, new_ids)):
                raise BadProfile(f"profile {min(known)!r} is already in domain {domain_name}")
            staging.add([(new_id, json.dumps(fields), standard_keys(fields)) for _, new_id, fields in batch])
            count += len(batch)
        staging.finish()
    return LoadReport(count, mapping)


def load_objects(
    store: Store,
    domain_name: str,
    given: Iterable[tuple[str, str, dict[str, Any]]],
    limit: Limit = NO_LIMIT,
) -> LoadReport:
    """Attach (profile id, object type name, object) to the profiles they name, whatever their keys say.

    Profile ids are taken as `load_profiles` took them; types must exist in the domain.
    """
    at = time.time()
    count = 0
    with store.writing(limit) as session, session.in_bulk():
        domain = domains.find_domain(session, domain_name)
        if domain is None:
            raise BadProfile(f"domain {domain_name} does not exist")
        for old_id, type_name, body in limit.through(given):
            text = _checked_object(count + 1, old_id, type_name, body)
            profile = profiles.find_profile(session, domain.seq, stable_id(domain_name, old_id))
            if profile is None:
                raise BadProfile(
                    f"object number {count + 1}: profile {old_id!r} is not in domain {domain_name}"
                )
            try:
                incoming = read_object(session, domain, type_name, text)
            except Refusal as refusal:
                raise BadProfile(f"object number {count + 1} of profile {old_id!r}: {refusal}") from None
            attach(session, domain, Attachment(profile, incoming, created=False), at)
            count += 1
    return LoadReport(count)


_ABSENT: Final[tuple[Any, ...]] = (None, "", {})
_KNOWN: Final = frozenset({"ProfileId", *PROFILE_FIELDS})


@functools.cache
def _readers() -> dict[str, Reader]:
    """CreateProfile's own constraints, member by member."""
    return {name: wire.member_reader("CreateProfile", name) for name in PROFILE_FIELDS}


def _fields(profile: dict[str, Any]) -> dict[str, Any]:
    """What is there, checked as CreateProfile checks it; raises Violation or Refusal."""
    readers = _readers()
    given = {
        name: value
        for name, value in profile.items()
        if (value or value not in _ABSENT) and name != "ProfileId"
    }
    for block in BLOCK_FIELDS:
        if isinstance(given.get(block), dict):
            given[block] = {part: text for part, text in given[block].items() if text or text not in _ABSENT}
    fields = present({name: readers[name](value, name) for name, value in given.items()})
    refuse_both(fields)
    refuse_too_large(fields)
    return fields


def _checked_object(number: int, old_id: Any, type_name: Any, body: Any) -> str:
    """An object's JSON, as large as a client would send it; raises BadProfile."""
    for member, value, kind in (
        ("ProfileId", old_id, str),
        ("ObjectTypeName", type_name, str),
        ("Object", body, dict),
    ):
        if not isinstance(value, kind):
            wanted = "a string" if kind is str else "a JSON object"
            raise BadProfile(f"object number {number}: {member} is not {wanted}")
    text = json.dumps(body, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadProfile(
            f"object number {number} of profile {old_id!r}: Object is not Unicode text"
        ) from None
    return text


def _domain(session: Session, name: str, at: float) -> Domain:
    found = domains.find_domain(session, name)
    if found is None:
        try:
            wire.input_reader("CreateDomain")(
                {"DomainName": name, "DefaultExpirationDays": EXPIRATION_DAYS}, ""
            )
        except Violation as violation:
            raise BadProfile(str(violation)) from None
        settings = {"DefaultExpirationDays": EXPIRATION_DAYS, "Matching": {"Enabled": True}}
        domains.insert_domain(session, name, settings, at)
        found = domains.find_domain(session, name)
    assert found is not None  # noqa: S101 - inserted a line above, in the same transaction
    return found
