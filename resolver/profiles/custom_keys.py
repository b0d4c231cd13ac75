"""Search keys that the domain's own object types define, and which of them a profile's own fields tell.

An object's keys are in the index of the profile that holds it. Where the field behind a key has a Target in
the standard profile, the profile shows the value, and the key can be followed without reading any object.
Values that stay in the objects cost one call a profile and type to learn: those keys are named, and followed
only on demand (``object_harvest``).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from resolver.model.profile import EMAILS, PHONES
from resolver.profiles.failures import described
from resolver.profiles.reading import object_type_definitions
from resolver.profiles.search_keys import ACCOUNT, EMAIL, PHONE, PROFILE_ID, DerivedKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from resolver.profiles.domain import Domain

_TARGET: Final = "_profile."
#: Keys of this identifier choose a profile for an arriving object and are not kept (AWS, "Key definitions").
_NOT_STORED: Final = "LOOKUP_ONLY"
#: A value under a key of this identifier belongs to one object, so to one profile.
_OF_ONE_OBJECT: Final = "UNIQUE"
#: What the standard profile feeds into the index by itself: no need to follow it twice.
_STANDARD: Final[Mapping[str, frozenset[tuple[str, ...]]]] = {
    ACCOUNT: frozenset({("AccountNumber",)}),
    PHONE: frozenset((name,) for name in PHONES),
    EMAIL: frozenset((name,) for name in EMAILS),
}


@dataclass(frozen=True, slots=True)
class CustomKeys:
    """The keys of a domain's object types: those that profiles tell, and the names of those only objects do.

    ``telling_types`` are the object types whose objects hold the latter. A key that only tells the objects of
    one type apart leads from no profile to another and is in neither. ``readable`` is false where the object
    types may not be read: then nothing is known.
    """

    followed: tuple[DerivedKey, ...] = ()
    untold: tuple[str, ...] = ()
    telling_types: tuple[str, ...] = ()
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
    untold: dict[str, set[str]] = {}
    shared: set[str] = set()
    uses: Counter[str] = Counter()
    for definition in definitions:
        fields = definition.get("Fields") or {}
        uses.update({name for name, _ in _stored(definition)})
        for name, entry in _stored(definition):
            names_of_fields = entry.get("FieldNames") or []
            targets = [(fields.get(field) or {}).get("Target") or "" for field in names_of_fields]
            if all(target.startswith(_TARGET) for target in targets):
                members = tuple(_path(target) for target in targets)
                if not (len(members) == 1 and members[0] in _STANDARD.get(name, ())):
                    followed.add(DerivedKey(name, members))
                continue
            untold.setdefault(name, set()).add(definition["ObjectTypeName"])
            if _OF_ONE_OBJECT not in (entry.get("StandardIdentifiers") or ()):
                shared.add(name)
    leading = {name: types for name, types in untold.items() if name in shared or uses[name] > 1}
    return CustomKeys(
        followed=tuple(sorted(followed, key=lambda key: (key.name, key.members))),
        untold=tuple(sorted(leading)),
        telling_types=tuple(sorted(set().union(*leading.values()))),
    )


def _stored(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, entries in (definition.get("Keys") or {}).items():
        for entry in entries:
            if name != PROFILE_ID and _NOT_STORED not in (entry.get("StandardIdentifiers") or ()):
                yield name, entry


def _path(target: str) -> tuple[str, ...]:
    """``_profile.Attributes.a.b`` is the attribute ``a.b``: names of attributes may hold dots."""
    member, _, rest = target.removeprefix(_TARGET).partition(".")
    return (member, rest) if rest else (member,)
