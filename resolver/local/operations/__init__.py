"""The operations that exist here: the visible list, and whether each may wait for the one writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations import domains, keys, matches, merging, object_types, objects, profiles, search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resolver.local.request import Request
    from resolver.local.store import Session


@dataclass(frozen=True, slots=True)
class Handler:
    """A function (session, request) -> response members, run in a write transaction or on a snapshot."""

    function: Callable[[Session, Request], dict[str, Any]]
    writes: bool


def _read(function: Callable[[Session, Request], dict[str, Any]]) -> Handler:
    return Handler(function, writes=False)


def _write(function: Callable[[Session, Request], dict[str, Any]]) -> Handler:
    return Handler(function, writes=True)


HANDLERS: Final[Mapping[str, Handler]] = {
    "CreateDomain": _write(domains.create_domain),
    "GetDomain": _read(domains.get_domain),
    "ListDomains": _read(domains.list_domains),
    "CreateProfile": _write(profiles.create_profile),
    "UpdateProfile": _write(profiles.update_profile),
    "DeleteProfile": _write(profiles.delete_profile),
    "BatchGetProfile": _read(profiles.batch_get_profile),
    "SearchProfiles": _read(search.search_profiles),
    "AddProfileKey": _write(keys.add_profile_key),
    "MergeProfiles": _write(merging.merge_profiles),
    "GetMatches": _read(matches.get_matches),
    "PutProfileObjectType": _write(object_types.put_profile_object_type),
    "ListProfileObjectTypes": _read(object_types.list_profile_object_types),
    "PutProfileObject": _write(objects.put_profile_object),
    "ListProfileObjects": _read(objects.list_profile_objects),
}
