"""What an object writes into the standard profile, field by field.

Documented: an empty value leaves the old one; a value that a person or UpdateProfile set stays unless the
object type's SourcePriority outranks it; between types the lower number wins, none is lowest; an inferred
profile also gets its EMAIL_ADDRESS and PHONE_NUMBER fields without a Target. Assumed: any SourcePriority
outranks a value set by hand, no SourcePriority does not; at equal rank the newer value wins; a value beyond
the field's limits is not written.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from resolver.local import wire
from resolver.local.operations.profiles import ADDRESS_FIELDS, ADDRESS_PARTS, SCALAR_FIELDS, present
from resolver.local.shapes import Violation
from resolver.local.sources import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.local.operations.incoming import IncomingObject
    from resolver.local.tables.profiles import Profile

_INFERRED: Final = (("EMAIL_ADDRESS", "EmailAddress"), ("PHONE_NUMBER", "PhoneNumber"))
_PREFIX: Final = "_profile."

Priorities = "Mapping[str, int]"  # SourcePriority by object type name


def apply_targets(profile: Profile, incoming: IncomingObject, priorities: Mapping[str, int]) -> bool:
    """Write the object's targeted values into the profile; whether anything changed."""
    before = present(profile.fields)
    profile.fields = {
        name: dict(value) if isinstance(value, dict) else value for name, value in before.items()
    }
    for path, value in _written(incoming):
        if _may_write(profile, path, incoming.object_type, priorities):
            _set(profile, path, value)
            profile.sources[path] = incoming.object_type
    profile.fields = present(profile.fields)
    return profile.fields != before


def infer(profile: Profile, incoming: IncomingObject) -> None:
    """Give a profile that only this object is known of its e-mail address and phone number."""
    for content_type, field in _INFERRED:
        for name, definition in incoming.definition["Fields"].items():
            value = incoming.values[name]
            fits = (
                definition.get("ContentType") == content_type
                and isinstance(value, str)
                and _fits(field, value)
            )
            if fits and field not in profile.fields:
                profile.fields[field] = value
                profile.sources[field] = incoming.object_type


def _written(incoming: IncomingObject) -> Iterator[tuple[str, str]]:
    """(field path, text) of everything that the object has to say about the standard profile."""
    for name, field in incoming.definition["Fields"].items():
        target, value = field.get("Target", ""), incoming.values[name]
        if not target.startswith(_PREFIX):
            continue
        path = target.removeprefix(_PREFIX)
        if isinstance(value, dict):
            parts = (
                {part: text_of(value.get(part)) for part in ADDRESS_PARTS} if path in ADDRESS_FIELDS else {}
            )
            found = {f"{path}.{part}": text for part, text in parts.items()}
        else:
            found = {path: value} if path in SCALAR_FIELDS or "." in path else {}
        yield from ((path, text) for path, text in found.items() if _fits(path, text))


def _may_write(profile: Profile, path: str, writer: str, priorities: Mapping[str, int]) -> bool:
    if not _current(profile, path):
        return True
    rank = priorities.get(writer, math.inf)
    source = profile.sources.get(path)
    if source is None:
        return rank < math.inf
    return rank <= priorities.get(source, math.inf)


def _current(profile: Profile, path: str) -> Any:
    name, _, part = path.partition(".")
    return profile.fields.get(name, {}).get(part) if part else profile.fields.get(name)


def _set(profile: Profile, path: str, value: str) -> None:
    name, _, part = path.partition(".")
    if part:
        profile.fields.setdefault(name, {})[part] = value
    else:
        profile.fields[name] = value


def _fits(path: str, text: str) -> bool:
    """Whether CreateProfile would take the value."""
    name, _, part = path.partition(".")
    value: Any = {part: text} if part else text
    try:
        wire.input_reader("CreateProfile")({"DomainName": "d", name: value}, "")
    except Violation:
        return False
    return True
