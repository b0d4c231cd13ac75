"""An object as it arrives: validated against its type, its fields read, its keys normalised."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import NORMALISERS
from resolver.local.operations.definitions import effective
from resolver.local.operations.search import joint_content_type
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.sources import BadSource, Reading
from resolver.local.tables import object_types
from resolver.local.templates import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

MOST_BYTES: Final = 256_000  # one object, documented (250 KB)
_LONGEST_KEY: Final = 1000  # characters of a normal value; longer ones are no identifiers
_DEEPEST: Final = 100  # objects and lists inside one another
_EXACT: Final = 18  # digits of a whole number that Handlebars prints as they are


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One key of one object: its normal value, what tells it from other values, and what it is good for."""

    name: str
    value: str
    identity: str
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
    reading = Reading(_parsed(body))
    values = {name: _value(name, field["Source"], reading) for name, field in definition["Fields"].items()}
    found = tuple(_object_keys(definition, values))
    unique = next((key for key in found if "UNIQUE" in key.identifiers), None)
    if unique is None:
        raise BadRequest("Object: every field of the UNIQUE key is empty")
    if not any("PROFILE" in key.identifiers for key in found):
        raise BadRequest("Object: every PROFILE key is empty")
    digest = hashlib.sha256(f"{type_name}\0{unique.identity}".encode()).digest()
    return IncomingObject(type_name, definition, body, base64.b64encode(digest).decode(), found, values)


def _value(name: str, source: str, reading: Reading) -> str | dict[str, Any]:
    try:
        return reading.value(source)
    except BadSource as problem:  # an expression whose blocks do not match with this object's values
        raise BadRequest(f"Object: the field {name}: {problem}") from None


def _parsed(body: str) -> dict[str, Any]:
    size = len(body) if body.isascii() else len(body.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        raise BadRequest(f"Object has more than {MOST_BYTES} bytes")
    try:
        source = json.loads(body, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
        if "\\u" in body:
            json.dumps(source, ensure_ascii=False).encode()  # half a surrogate pair is no text
        too_deep = _is_too_deep(source)
    except RecursionError:
        too_deep = True
    except ValueError:
        raise BadRequest("Object is not valid JSON") from None
    if too_deep:
        raise BadRequest(f"Object has more than {_DEEPEST} objects and lists inside one another")
    if type(source) is not dict:
        raise BadRequest("Object is not a JSON object")
    return source


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadRequest("Object holds a number that is too large")
    return number


def _whole(digits: str) -> int | str:
    """A whole number; one with more digits than Handlebars keeps is read as the text that it is."""
    return int(digits) if len(digits) <= _EXACT else digits


def _is_too_deep(source: Any) -> bool:
    level = [source]
    for _ in range(_DEEPEST + 1):
        lists = (
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        )
        level = [item for items in lists for item in items]
        if not level:
            return False
    return True


def _object_keys(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[ObjectKey]:
    """Keys with a value; the fields of one are joined by a blank, empty ones skipped (assumed)."""
    fields = definition["Fields"]
    for name, entries in definition["Keys"].items():
        for entry in entries:
            values_of = [values[field] for field in entry["FieldNames"]]
            parts = [value if isinstance(value, str) else "" for value in values_of]
            kinds = [fields[field].get("ContentType", "STRING") for field in entry["FieldNames"]]
            normalise = NORMALISERS[joint_content_type(name, kinds)]
            normal = normalise(" ".join(part for part in parts if part))
            if normal and len(normal) <= _LONGEST_KEY:
                identity = normal if len(parts) == 1 else json.dumps([normalise(part) for part in parts])
                yield ObjectKey(name, normal, identity, frozenset(entry.get("StandardIdentifiers", ())))
