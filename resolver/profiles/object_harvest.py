"""Keys that only objects hold: reading them, a call a profile and type, and remembering whose were read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from resolver.profiles.frontier import digest
from resolver.profiles.object_keys import keys_of_object
from resolver.profiles.reading import object_types, read_objects
from resolver.profiles.search_keys import LONGEST_VALUE, SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: Profiles whose objects are read before what they told is put on disk: what a kill costs.
PROFILES_PER_ROUND: Final = 500
#: No key name holds a blank (service model), so these digests are nobody else's.
_OBJECTS_OF: Final = "objects of"


@dataclass(frozen=True, slots=True)
class ObjectsRead:
    """What the objects of one profile told: keys in the order of its objects, and how many told none.

    Objects whose keys come from an expression, or that are no JSON object, are ``silent``.
    """

    profile_id: str
    keys: Sequence[SearchKey]
    silent: int


class ObjectQueue:
    """Profiles whose objects wait to be read, in rounds; those read by an earlier start are left out.

    A round is over when all that its objects led to was asked: only then are its profiles marked as read.
    """

    def __init__(self, types: Sequence[ObjectType], known: AbstractSet[bytes]) -> None:
        self.types = types
        self._known = known
        self._waiting: deque[str] = deque()
        self._round: deque[str] = deque()
        self._read: list[bytes] = []

    def add(self, profile_id: str) -> None:
        """Let a profile's objects wait for a round."""
        if self.types and _mark(profile_id) not in self._known:
            self._waiting.append(profile_id)

    def take(self) -> str | None:
        """The next profile of this round; null where none is left in it."""
        if not self._round:
            return None
        profile_id = self._round.popleft()
        self._read.append(_mark(profile_id))
        return profile_id

    def next_round(self) -> list[bytes]:
        """Begin a round, and the marks of the profiles that the last one read."""
        read, self._read = self._read, []
        self._round.extend(
            self._waiting.popleft() for _ in range(min(PROFILES_PER_ROUND, len(self._waiting)))
        )
        return read

    def __len__(self) -> int:
        return len(self._waiting) + len(self._round)


def telling_types(domain: Domain, names: Iterable[str]) -> list[ObjectType]:
    """The domain's object types of these names.

    Raises:
        Unreachable, ServiceFailed: the definitions cannot be read.
    """
    wanted = set(names)
    return [type_ for type_ in object_types(domain) if type_.name in wanted] if wanted else []


def keys_in_objects(domain: Domain, profile_id: str, types: Sequence[ObjectType]) -> ObjectsRead:
    """The search keys that the objects of a profile hold, of all that the service keeps.

    Raises:
        Unreachable, ServiceFailed: the objects cannot be read.
    """
    by_name = {type_.name: type_ for type_ in types}
    keys: dict[SearchKey, None] = {}
    silent = 0
    for name, text in (
        read_objects(domain, profile_id, types).select("object_type_name", "object").iter_rows()
    ):
        told = keys_of_object(by_name[name], text or "")
        silent += told is None
        keys |= dict.fromkeys(
            key.key for key in told or () if key.stored and len(key.key.value) <= LONGEST_VALUE
        )
    return ObjectsRead(profile_id, list(keys), silent)


def _mark(profile_id: str) -> bytes:
    return digest(SearchKey(_OBJECTS_OF, profile_id))
