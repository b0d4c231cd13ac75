"""An object as it arrives: validated against its type, its fields read, its keys normalised."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import NORMALISERS
from resolver.local.operations.definitions import effective
from resolver.local.operations.search import joint_content_type
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.sources import source_value
from resolver.local.tables import object_types
from resolver.local.templates import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

MOST_BYTES: Final = 256_000  # one object, documented (250 KB)
_LONGEST_KEY: Final = 1000  # characters of a normal value; longer ones are no identifiers


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One key of one object: its normal value and what it is good for."""

    name: str
    value: str
    identifiers: frozenset[str]


@dataclass(frozen=True, slots=True)
class IncomingObject:
    """An object that passed validation; `values` by field name."""

    object_type: str
    definition: Mapping[str, Any]
    body: str
    unique_key: str
    keys: tuple[ObjectKey, ...]
    values: Mapping[str, Any]


def the_definition(store: Session, domain: Domain, type_name: str) -> dict[str, Any]:
    """An object type's own definition, or the template of that name (documented: implicit types)."""
    found = object_types.find_object_type(store, domain.seq, type_name)
    if found is not None:
        return effective(found.definition)
    if type_name in TEMPLATES:
        return effective({"TemplateId": type_name})
    raise NotFound(f"Object type {type_name} not found in domain {domain.name}")


def read_object(store: Session, domain: Domain, type_name: str, body: str) -> IncomingObject:
    """Validate an object against its type, as the synchronous part of PutProfileObject does."""
    if type_name.startswith("_"):
        raise BadRequest(f"ObjectTypeName {type_name} belongs to a standard object")
    definition = the_definition(store, domain, type_name)
    source = _parsed(body)
    values = {name: source_value(field["Source"], source) for name, field in definition["Fields"].items()}
    found = tuple(_object_keys(definition, values))
    unique = next((key for key in found if "UNIQUE" in key.identifiers), None)
    if unique is None:
        raise BadRequest("Object: every field of the UNIQUE key is empty")
    if not any("PROFILE" in key.identifiers for key in found):
        raise BadRequest("Object: every PROFILE key is empty")
    digest = hashlib.sha256(f"{type_name}\0{unique.value}".encode()).digest()
    return IncomingObject(type_name, definition, body, base64.b64encode(digest).decode(), found, values)


def _parsed(body: str) -> dict[str, Any]:
    if not body.isascii() and len(body.encode(errors="surrogatepass")) > MOST_BYTES:
        raise BadRequest(f"Object has more than {MOST_BYTES} bytes")
    try:
        source = json.loads(body, parse_constant=_no_constant)
        if "\\u" in body:
            json.dumps(source, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise BadRequest("Object is not valid JSON") from None
    if type(source) is not dict:
        raise BadRequest("Object is not a JSON object")
    return source


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _object_keys(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[ObjectKey]:
    """Keys with a value; the fields of one are joined by a blank, empty ones skipped (assumed)."""
    fields = definition["Fields"]
    for name, entries in definition["Keys"].items():
        for entry in entries:
            parts = [values[field] for field in entry["FieldNames"] if isinstance(values[field], str)]
            kinds = [fields[field].get("ContentType", "STRING") for field in entry["FieldNames"]]
            normal = NORMALISERS[joint_content_type(name, kinds)](" ".join(part for part in parts if part))
            if normal and len(normal) <= _LONGEST_KEY:
                yield ObjectKey(name, normal, frozenset(entry.get("StandardIdentifiers", ())))
