"""Asking the service itself which keys find more than one profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.profiles.reading import search
from resolver.profiles.search_keys import SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from resolver.profiles.domain import Domain

#: Keys of one SearchProfiles call: the main one and four more (service model).
KEYS_PER_CALL = 5


def probe(domain: Domain, keys: Iterable[SearchKey]) -> list[tuple[str, str, str]]:
    """Key name, normalised value and profile id of every hit; one call for five different keys."""
    distinct = {key.normalised: key for key in keys}
    groups = [list(distinct.values())[i : i + KEYS_PER_CALL] for i in range(0, len(distinct), KEYS_PER_CALL)]
    return [hit for hits in domain.each(lambda group: _hits(domain, group), groups) for hit in hits]


def _hits(domain: Domain, keys: Sequence[SearchKey]) -> list[tuple[str, str, str]]:
    return [
        (*SearchKey(found["KeyName"], value).normalised, item["ProfileId"])
        for item in search(domain, keys)
        for found in item.get("FoundByItems", ())
        for value in found["Values"]
    ]
