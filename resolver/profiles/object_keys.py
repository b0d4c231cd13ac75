"""Which search keys an object contributes, and whether it brings Connect Cases, by its type's mapping."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.profiles.object_times import ACCESSOR
from resolver.profiles.search_keys import SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.profiles.object_times import ObjectType

#: A key that names the profile itself: the id changes with a restore, so it leads nowhere.
PROFILE_ID: Final = "_profileId"
_CASE_ID: Final = "_caseId"
_CASE_TARGET: Final = "_case."


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One key of one object; ``identifiers`` say what it is good for (AWS, "Standard identifiers")."""

    key: SearchKey
    identifiers: frozenset[str]

    @property
    def chooses(self) -> bool:
        """Whether it decides, before any secondary key, which profile gets the object."""
        return "PROFILE" in self.identifiers and "SECONDARY" not in self.identifiers

    @property
    def stored(self) -> bool:
        """Whether the profile is found by it once it has the object."""
        return not self.identifiers & {"LOOKUP_ONLY", "NEW_ONLY"} and self.key.name != PROFILE_ID


def keys_of_object(type_: ObjectType, text: str) -> list[ObjectKey] | None:
    """The keys of an object in the order of its type's definition.

    Null where that cannot be told: the definition was not readable, or a key's source is an expression.
    """
    definition = type_.definition
    if not definition.get("Keys") or not definition.get("Fields"):
        return None
    try:
        source = json.loads(text)
        return list(_keys(definition, source))
    except (ValueError, _NotPlainError):
        return None


def brings_cases(type_: ObjectType) -> bool:
    """Whether objects of the type are, or point to, Connect Cases."""
    keys = type_.definition.get("Keys") or {}
    fields = (type_.definition.get("Fields") or {}).values()
    identifiers = {i for entries in keys.values() for e in entries for i in e.get("StandardIdentifiers", ())}
    targets = [str(field.get("Target", "")) for field in fields]
    named = type_.name.startswith("_case") or _CASE_ID in keys or "CASE" in identifiers
    return named or any(target.startswith(_CASE_TARGET) for target in targets)


class _NotPlainError(Exception):
    """A source that is an expression."""


def _keys(definition: Any, source: Any) -> Iterator[ObjectKey]:
    for name, entries in definition["Keys"].items():
        for entry in entries:
            fields = [definition["Fields"][field] for field in entry.get("FieldNames", ())]
            value = " ".join(filter(None, (_value(field.get("Source") or "", source) for field in fields)))
            if value:
                yield ObjectKey(SearchKey(name, value), frozenset(entry.get("StandardIdentifiers", ())))


def _value(accessor: str, source: Any) -> str:
    plain = ACCESSOR.fullmatch(accessor)
    if plain is None:
        raise _NotPlainError
    value = source
    for step in plain[1].removeprefix(".").split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, (list, dict)) else json.dumps(value)
