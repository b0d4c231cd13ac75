"""Which profile an object belongs to, and what it leaves there.

Decision (documented): each primary PROFILE key of the object in turn; the first that leads to exactly one
profile decides, one that leads to several is discarded. Then the SECONDARY keys likewise. Then
AllowProfileCreation makes an inferred profile, or the object goes to the dead letters. Keys (documented):
LOOKUP_ONLY is never stored, NEW_ONLY only if the object created the profile, all others always. Assumed: keys
are tried in the order of the definition; an object put again under the same UNIQUE value replaces the former
one of that profile together with the keys it contributed, save its NEW_ONLY keys, which it hands on.
"""

from __future__ import annotations

import contextlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import standard_keys
from resolver.local.operations.incoming import IncomingObject, ObjectKey, read_object, the_definition
from resolver.local.operations.profiles import (
    MOST_TOTAL_BYTES,
    add_profile,
    content_of,
    new_id,
    save_profile,
)
from resolver.local.operations.targets import apply_targets, infer
from resolver.local.refusal import Refusal
from resolver.local.tables import history, keys, lookup, object_types, objects, profiles
from resolver.local.tables.domains import get_domain
from resolver.local.tables.history import Event
from resolver.local.tables.lookup import KeyQuery, PageOf
from resolver.local.tables.objects import StoredObject
from resolver.local.tables.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

MOST_OBJECTS: Final = 1000  # per profile, documented default
SECONDS_PER_DAY: Final = 86_400
_ALL_TYPES: Final = 1000
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An object, the profile that gets it, and whether that profile was made for it."""

    profile: Profile
    incoming: IncomingObject
    created: bool


def settle(store: Session, domain: Domain, incoming: IncomingObject, at: float) -> None:
    """Find or make the object's profile and attach it, or record a dead letter."""
    priorities = _priorities(store, domain)
    profile = _profile_for(store, domain, incoming)
    if profile is not None:
        before = standard_keys(profile.fields)
        if apply_targets(profile, incoming, priorities):
            profile.updated_at = at
            save_profile(store, domain, profile, before)
            history.record(store, domain.seq, profile.seq, Event("UPDATED", at, content_of(profile)))
        attach(store, domain, Attachment(profile, incoming, created=False), at)
    elif incoming.definition.get("AllowProfileCreation", False):
        profile = Profile(0, new_id(), {}, {}, at, at, 0)
        apply_targets(profile, incoming, priorities)
        infer(profile, incoming)
        add_profile(store, domain, profile)
        attach(store, domain, Attachment(profile, incoming, created=True), at)
    else:
        letter = (incoming.object_type, incoming.body, "no profile found and AllowProfileCreation is false")
        objects.add_dead_letter(store, domain.seq, letter, at)


def settle_due(store: Session, at: float) -> None:
    """Attach every queued object whose time has come; what its type no longer takes becomes a dead letter.

    So does an object that a defect of ours stumbles over: it must not hold up everything behind it.
    """
    for domain_seq, type_name, body in objects.take_due(store, at):
        store.count(domain_seq, (0, 0, 0))  # the domain changes, whatever becomes of the object
        domain = get_domain(store, domain_seq)
        try:
            with _undone_on_error(store):
                settle(store, domain, read_object(store, domain, type_name, body), at)
        except Refusal as refusal:
            objects.add_dead_letter(store, domain_seq, (type_name, body, str(refusal)), at)
        except (
            OSError,
            store.connection.OperationalError,
        ):  # the file's trouble, not the object's: it stays due
            raise
        except Exception as defect:  # noqa: BLE001 - whatever it is, it must not stay due for good
            _LOG.exception("a queued object of type %s failed", type_name)
            reason = f"the embedded service failed: {type(defect).__name__}"
            objects.add_dead_letter(store, domain_seq, (type_name, body, reason), at)


@contextlib.contextmanager
def _undone_on_error(store: Session) -> Iterator[None]:
    """Part of a transaction that leaves nothing behind when it raises, the counts of domains included."""
    counted = {domain: list(totals) for domain, totals in store.stats.items()}
    store.run("SAVEPOINT queued_object")
    try:
        yield
    except Exception:
        if store.connection.in_transaction:  # a full disk makes SQLite undo all of it by itself
            store.run("ROLLBACK TO queued_object")
            store.run("RELEASE queued_object")
        store.stats.clear()
        store.stats.update(counted)
        raise
    store.run("RELEASE queued_object")


def attach(store: Session, domain: Domain, new: Attachment, at: float) -> None:
    """Store an object and its keys, in the place of a former one with the same UNIQUE value."""
    profile, incoming = new.profile, new.incoming
    kept = [(key.name, key.value) for key in incoming.keys if _is_kept(key, created=new.created)]
    former = objects.find_object(store, profile.seq, incoming.object_type, incoming.unique_key)
    if former is not None:
        kept += _handed_on(store, former, incoming.definition)
        _remove(store, domain, [former])
    days = incoming.definition.get("ExpirationDays", domain.settings["DefaultExpirationDays"])
    stored = StoredObject(
        seq=0,
        profile=profile.seq,
        object_type=incoming.object_type,
        unique_key=incoming.unique_key,
        body=incoming.body,
        ingested_at=at,
        expires_at=at + days * SECONDS_PER_DAY,
    )
    _make_room(store, domain, stored)
    seq = objects.insert_object(store, domain.seq, stored)
    keys.add_keys(store, (domain.seq, profile.seq), kept, seq)
    event = Event("INGESTED", at, incoming.body, incoming.object_type, incoming.unique_key)
    history.record(store, domain.seq, profile.seq, event)


def _is_kept(key: ObjectKey, *, created: bool) -> bool:
    return "LOOKUP_ONLY" not in key.identifiers and (created or "NEW_ONLY" not in key.identifiers)


def _handed_on(store: Session, former: StoredObject, definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The NEW_ONLY keys that an object contributed when it created its profile, or was handed on itself."""
    fresh = {
        name
        for name, entries in definition["Keys"].items()
        if all("NEW_ONLY" in entry.get("StandardIdentifiers", ()) for entry in entries)
    }
    if not fresh:
        return []
    rows = store.all(
        "SELECT name, value FROM profile_key WHERE profile = ? AND origin = ? AND origin <> 0",
        *(former.profile, former.seq),
    )
    return [(name, value) for name, value in rows if name in fresh]


def _profile_for(store: Session, domain: Domain, incoming: IncomingObject) -> Profile | None:
    candidates = [key for key in incoming.keys if "PROFILE" in key.identifiers]
    for key in sorted(candidates, key=lambda key: "SECONDARY" in key.identifiers):
        query = KeyQuery(key.name, (key.value,))
        found = lookup.find_by_keys(store, domain.seq, ([query], "OR"), PageOf(0, 2))
        if len(found) == 1:
            return profiles.get_profiles(store, found)[0]
    return None


def _make_room(store: Session, domain: Domain, stored: StoredObject) -> None:
    """Evict while a profile is full, of objects or of bytes.

    Documented: the oldest object of the type furthest over its own limit goes, else the oldest of the
    incoming type. Assumed: else the oldest of the largest type.
    """
    count, size = objects.held_by(store, stored.profile)
    count, size = count + 1 - MOST_OBJECTS, size + len(stored.body.encode()) - MOST_TOTAL_BYTES
    if count <= 0 and size <= 0:  # as nearly always
        return
    counts = objects.count_by_type(store, stored.profile)
    excess = {name: held - _own_limit(store, domain, name) for name, held in counts.items()}
    waiting = {name: iter(objects.seqs_of(store, stored.profile, name)) for name in counts}
    gone = []
    while (count > 0 or size > 0) and any(counts.values()):
        furthest = max(sorted(excess), key=lambda name: excess[name])
        if excess[furthest] <= 0:
            furthest = (
                stored.object_type
                if counts.get(stored.object_type)
                else max(counts, key=lambda name: counts[name])
            )
        oldest = objects.get_object(store, next(waiting[furthest]))
        gone.append(oldest)
        counts[furthest] -= 1
        excess[furthest] -= 1
        count, size = count - 1, size - len(oldest.body.encode())
    _remove(store, domain, gone)


def _own_limit(store: Session, domain: Domain, type_name: str) -> int:
    limit: int = the_definition(store, domain, type_name).get("MaxProfileObjectCount", MOST_OBJECTS)
    return limit


def _remove(store: Session, domain: Domain, gone: list[StoredObject]) -> None:
    """Take objects of one profile away; their keys at once, as one search finds them all."""
    store.run(
        "DELETE FROM profile_key WHERE profile = ? AND origin <> 0"
        " AND origin IN (SELECT value FROM json_each(?))",
        *(gone[0].profile, json.dumps([stored.seq for stored in gone])),
    )
    for stored in gone:
        objects.remove_object(store, domain.seq, stored)


def _priorities(store: Session, domain: Domain) -> dict[str, int]:
    found = object_types.list_object_types(store, domain.seq, 0, _ALL_TYPES)
    given = {one.name: one.definition.get("SourcePriority") for one in found}
    return {name: priority for name, priority in given.items() if priority is not None}
