"""Search keys given by hand: AddProfileKey, DeleteProfileKey."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.operations.search import normaliser
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import history
from resolver.local.tables import keys as table
from resolver.local.tables.history import Event

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session


def add_profile_key(store: Session, request: Request) -> dict[str, Any]:
    """Make a profile findable under more values of a key.

    Observed: predefined names are welcome, an agent may add `_phone` or `_ctrContactId`. Assumed: any other
    name must be defined in the domain, `_profileId` cannot be given, a value that is there already is no
    error, and another profile's value may be added too, which is how ambiguity arises.
    """
    change = _change(store, request)
    table.add_keys(store, change.owner, change.keys, table.GIVEN)
    _record(store, request, change, "ADDED_PROFILE_KEY")
    return {"KeyName": request["KeyName"], "Values": request["Values"]}


def delete_profile_key(store: Session, request: Request) -> dict[str, Any]:
    """Take values of a key away, all or none of them.

    Assumed: given values and those that objects contributed can be removed; a value that the profile's own
    fields feed cannot (400), and one that is not there is a 404.
    """
    change = _change(store, request)
    for key in change.keys:
        origins = table.origins_of(store, change.owner, key)
        if not origins:
            raise NotFound(f"Profile {request['ProfileId']} has no such value of key {key[0]}")
        if set(origins) == {table.DERIVED}:
            raise BadRequest(f"KeyName {key[0]}: the value comes from the profile's own fields")
        table.remove_given(store, change.owner, key)
    _record(store, request, change, "DELETED_PROFILE_KEY")
    return {"Message": "OK"}


@dataclass(frozen=True, slots=True)
class _Change:
    """Normalised keys of one profile."""

    owner: tuple[int, int]
    keys: tuple[table.Key, ...]


def _change(store: Session, request: Request) -> _Change:
    domain = the_domain(store, request)
    profile = the_profile(store, domain, request["ProfileId"])
    name, values = request["KeyName"], request["Values"]
    if name == "_profileId":
        raise BadRequest("KeyName _profileId belongs to the service")
    normalise = normaliser(store, domain.seq, name)
    if not values:
        raise BadRequest("Values must not be empty")
    keys = dict.fromkeys((name, normalise(value)) for value in values)
    return _Change((domain.seq, profile.seq), tuple(keys))


def _record(store: Session, request: Request, change: _Change, action: str) -> None:
    text = json.dumps({"KeyName": request["KeyName"], "Values": request["Values"]})
    content = text if len(text) <= history.MOST_CONTENT else None
    domain, profile = change.owner
    history.record(store, domain, profile, Event(action, request.at, content))
