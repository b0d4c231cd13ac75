"""Search keys that the domain's own object types define, and which of them a profile's own fields tell.

An object's keys are in the index of the profile that holds it. Where the field behind a key has a Target in
the standard profile, the profile shows the value, and the key can be followed without reading any object.
Values that stay in the objects cost one call a profile and type to learn: those keys are named, not followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from resolver.model.profile import EMAILS, PHONES
from resolver.profiles.failures import described
from resolver.profiles.reading import object_type_definitions
from resolver.profiles.search_keys import ACCOUNT, EMAIL, FULL_NAME, PHONE, PROFILE_ID, DerivedKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from resolver.profiles.domain import Domain

_TARGET: Final = "_profile."
#: Keys of this identifier choose a profile for an arriving object and are not kept (AWS, "Key definitions").
_NOT_STORED: Final = "LOOKUP_ONLY"
#: What the standard profile feeds into the index by itself: no need to follow it twice.
_STANDARD: Final[Mapping[str, frozenset[tuple[str, ...]]]] = {
    ACCOUNT: frozenset({("AccountNumber",)}),
    PHONE: frozenset((name,) for name in PHONES),
    EMAIL: frozenset((name,) for name in EMAILS),
}


@dataclass(frozen=True, slots=True)
class CustomKeys:
    """The keys of a domain's object types: those that profiles tell, and the names of those only objects do.

    ``readable`` is false where the object types may not be read: then neither is known.
    """

    followed: tuple[DerivedKey, ...] = ()
    untold: tuple[str, ...] = ()
    readable: bool = True


def custom_keys(domain: Domain) -> CustomKeys:
    """The keys of the domain's object types, sorted; unreadable where these credentials may not see them.

    Raises:
        Unreachable, ServiceFailed: the service failed in another way.
    """
    try:
        definitions = object_type_definitions(domain)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "AccessDeniedException":
            return CustomKeys(readable=False)
        raise described(error, "list_profile_object_types", domain.clients.endpoint) from None
    return keys_of_definitions(definitions)


def keys_of_definitions(definitions: Iterable[Mapping[str, Any]]) -> CustomKeys:
    """The same of answers of GetProfileObjectType."""
    followed: set[DerivedKey] = set()
    untold: set[str] = set()
    for definition in definitions:
        fields = definition.get("Fields") or {}
        for name, names_of_fields in _stored(definition):
            targets = [(fields.get(field) or {}).get("Target") or "" for field in names_of_fields]
            if all(target.startswith(_TARGET) for target in targets):
                members = tuple(_path(target) for target in targets)
                if not (len(members) == 1 and members[0] in _STANDARD.get(name, ())):
                    followed.add(DerivedKey(name, members))
            elif name not in (PHONE, EMAIL, FULL_NAME, ACCOUNT):
                untold.add(name)
    told = {key.name for key in followed}
    return CustomKeys(
        tuple(sorted(followed, key=lambda key: (key.name, key.members))), tuple(sorted(untold - told))
    )


def _stored(definition: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, entries in (definition.get("Keys") or {}).items():
        for entry in entries:
            if name != PROFILE_ID and _NOT_STORED not in (entry.get("StandardIdentifiers") or ()):
                yield name, entry.get("FieldNames") or []


def _path(target: str) -> tuple[str, ...]:
    """``_profile.Attributes.a.b`` is the attribute ``a.b``: names of attributes may hold dots."""
    member, _, rest = target.removeprefix(_TARGET).partition(".")
    return (member, rest) if rest else (member,)
