"""Search keys given by hand: AddProfileKey."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.operations.search import normaliser
from resolver.local.refusal import BadRequest
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
    domain = the_domain(store, request)
    profile = the_profile(store, domain, request["ProfileId"])
    name, values = request["KeyName"], request["Values"]
    if name == "_profileId":
        raise BadRequest("KeyName _profileId belongs to the service")
    normalise = normaliser(store, domain.seq, name)
    if not values:
        raise BadRequest("Values must not be empty")
    owner = (domain.seq, profile.seq)
    table.add_keys(store, owner, [(name, normalise(value)) for value in values], table.GIVEN)
    content = json.dumps({"KeyName": name, "Values": values})
    history.record(store, domain.seq, profile.seq, Event("ADDED_PROFILE_KEY", request.at, _bounded(content)))
    return {"KeyName": name, "Values": values}


def _bounded(content: str) -> str | None:
    return content if len(content) <= history.MOST_CONTENT else None
