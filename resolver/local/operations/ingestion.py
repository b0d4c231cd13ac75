"""Which profile an object belongs to, and what it leaves there."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import NORMALISERS, standard_keys
from resolver.local.operations.profiles import (
    ADDRESS_FIELDS,
    SCALAR_FIELDS,
    add_profile,
    content_of,
    present,
    save_profile,
)
from resolver.local.operations.search import joint_content_type
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import history, keys, lookup, object_types, objects, profiles
from resolver.local.tables.domains import list_domains
from resolver.local.tables.history import Event
from resolver.local.tables.lookup import KeyQuery, PageOf
from resolver.local.tables.objects import StoredObject
from resolver.local.tables.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

SECONDS_PER_DAY: Final = 86_400
_UNSTORED: Final = frozenset({"LOOKUP_ONLY"})


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One key of one object: its normal value and what it is good for."""

    name: str
    value: str
    identifiers: frozenset[str]


@dataclass(frozen=True, slots=True)
class IncomingObject:
    """An object that passed validation."""

    object_type: str
    definition: Mapping[str, Any]
    body: str
    unique_key: str
    keys: tuple[ObjectKey, ...]
    values: Mapping[str, Any]  # by field name


def read_object(store: Session, domain: Domain, type_name: str, body: str) -> IncomingObject:
    """Validate an object against its type, as the synchronous part of PutProfileObject does."""
    object_type = object_types.find_object_type(store, domain.seq, type_name)
    if object_type is None:
        raise NotFound(f"Object type {type_name} not found in domain {domain.name}")
    try:
        source = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("Object is not valid JSON") from None
    if type(source) is not dict:
        raise BadRequest("Object is not a JSON object")
    definition = object_type.definition
    fields = definition.get("Fields", {})
    values = {name: _source_value(field["Source"], source) for name, field in fields.items()}
    found = tuple(_object_keys(definition, values))
    unique = next((key for key in found if "UNIQUE" in key.identifiers), None)
    if unique is None:
        raise BadRequest("every field of the object's UNIQUE key is empty")
    if not any("PROFILE" in key.identifiers for key in found):
        raise BadRequest("every PROFILE key of the object is empty")
    digest = hashlib.sha256(f"{type_name}\0{unique.value}".encode()).digest()
    return IncomingObject(type_name, definition, body, base64.b64encode(digest).decode(), found, values)


def settle(store: Session, domain: Domain, incoming: IncomingObject, at: float) -> None:
    """Find or make the object's profile and attach it, or record a dead letter."""
    profile = _profile_for(store, domain, incoming)
    created = profile is None
    if profile is None:
        if not incoming.definition.get("AllowProfileCreation", False):
            letter = (
                incoming.object_type,
                incoming.body,
                "no profile found and AllowProfileCreation is false",
            )
            objects.add_dead_letter(store, domain.seq, letter, at)
            return
        profile = Profile(0, uuid.uuid4().hex, {}, {}, at, at, 0)
        _apply_targets(profile, incoming)
        add_profile(store, domain, profile)
    else:
        before = standard_keys(profile.fields)
        if _apply_targets(profile, incoming):
            profile.updated_at = at
            save_profile(store, domain, profile, before)
            history.record(store, domain.seq, profile.seq, Event("UPDATED", at, content_of(profile)))
    attach(store, domain, (profile, incoming, created), at)


def settle_pending(store: Session, request: Request) -> None:
    """Attach every queued object that is due."""
    domains = {domain.seq: domain for domain in list_domains(store, 0, 1000)}
    for domain_seq, type_name, body in objects.take_due(store, request.at):
        domain = domains[domain_seq]
        settle(store, domain, read_object(store, domain, type_name, body), request.at)


def _source_value(source: str, document: Mapping[str, Any]) -> Any:
    value: Any = {"_source": document}
    for step in source.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return value
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, list) else json.dumps(value)


def _object_keys(definition: Mapping[str, Any], values: Mapping[str, Any]) -> list[ObjectKey]:
    fields = definition.get("Fields", {})
    found = []
    for name, entries in definition.get("Keys", {}).items():
        for entry in entries:
            parts = [values[field] for field in entry["FieldNames"] if isinstance(values[field], str)]
            text = " ".join(part for part in parts if part)
            if text:
                kinds = [fields[field].get("ContentType", "STRING") for field in entry["FieldNames"]]
                normal = NORMALISERS[joint_content_type(kinds)](text)
                found.append(ObjectKey(name, normal, frozenset(entry.get("StandardIdentifiers", ()))))
    return found


def _profile_for(store: Session, domain: Domain, incoming: IncomingObject) -> Profile | None:
    """The one profile that the first unambiguous PROFILE key leads to; primary keys before secondary ones."""
    candidates = [key for key in incoming.keys if "PROFILE" in key.identifiers]
    for key in sorted(candidates, key=lambda key: "SECONDARY" in key.identifiers):
        query = KeyQuery(key.name, (key.value,))
        found = lookup.find_by_keys(store, domain.seq, ([query], "OR"), PageOf(0, 2))
        if len(found) == 1:
            return profiles.get_profiles(store, found)[0]
    return None


def _apply_targets(profile: Profile, incoming: IncomingObject) -> bool:
    """Write the object's targeted values into the profile; whether anything changed."""
    before = json.dumps(profile.fields, sort_keys=True)
    for name, field in incoming.definition.get("Fields", {}).items():
        value = incoming.values[name]
        target = field.get("Target", "")
        if value and target.startswith("_profile."):
            _write(profile, target.removeprefix("_profile."), value, incoming.object_type)
    profile.fields = present(profile.fields)
    return json.dumps(profile.fields, sort_keys=True) != before


def _write(profile: Profile, path: str, value: Any, writer: str) -> None:
    block, _, part = path.partition(".")
    if part:
        holder = profile.fields.setdefault(block, {})
        if holder.get(part) and path not in profile.sources:
            return  # written by hand
        holder[part] = value
        profile.sources[path] = writer
    elif block in SCALAR_FIELDS and isinstance(value, str):
        if profile.fields.get(block) and path not in profile.sources:
            return
        profile.fields[block] = value
        profile.sources[path] = writer
    elif block in ADDRESS_FIELDS and isinstance(value, dict):
        for name, text in value.items():
            _write(profile, f"{block}.{name}", _text(text), writer)


def attach(store: Session, domain: Domain, what: tuple[Profile, IncomingObject, bool], at: float) -> None:
    """Store an object and its keys under a profile; `what` ends with whether the object created it."""
    profile, incoming, created = what
    former = objects.find_object(store, profile.seq, incoming.object_type, incoming.unique_key)
    if former is not None:
        keys.remove_keys_of_object(store, profile.seq, former.seq)
        objects.remove_object(store, domain.seq, former)
    days = incoming.definition.get("ExpirationDays", domain.settings["DefaultExpirationDays"])
    new = StoredObject(
        0,
        profile.seq,
        incoming.object_type,
        incoming.unique_key,
        incoming.body,
        at,
        at + days * SECONDS_PER_DAY,
    )
    seq = objects.insert_object(store, domain.seq, new)
    unstored = _UNSTORED if created else _UNSTORED | {"NEW_ONLY"}
    stored = [(key.name, key.value) for key in incoming.keys if not key.identifiers & unstored]
    keys.add_keys(store, (domain.seq, profile.seq), stored, seq)
    event = Event("INGESTED", at, incoming.body, incoming.object_type, incoming.unique_key)
    history.record(store, domain.seq, profile.seq, event)
