"""Profile objects: PutProfileObject, ListProfileObjects, DeleteProfileObject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.local.normalisation import NORMALISERS
from resolver.local.operations import incoming, ingestion
from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.operations.search import joint_content_type
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import history, keys
from resolver.local.tables import objects as table
from resolver.local.tables.history import Event
from resolver.local.tables.lookup import KeyQuery

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain


def put_profile_object(store: Session, request: Request) -> dict[str, Any]:
    """Accept an object; which profile gets it is decided by `ingestion`.

    Documented: the answer names the object, not a profile; invalid JSON, an empty UNIQUE key, no PROFILE key
    at all, the name of a standard object and an unknown type are refused at once, everything else happens
    after the answer (here: before it, unless the service has a consistency delay). Unknown types are a 404
    (observed), standard objects a 400.
    """
    domain = the_domain(store, request)
    received = incoming.read_object(store, domain, request["ObjectTypeName"], request["Object"])
    delay = request.settings.consistency_delay_seconds
    if delay:
        table.queue_object(
            store, domain.seq, (request["ObjectTypeName"], request["Object"]), request.at + delay
        )
    else:
        ingestion.settle(store, domain, received, request.at)
    return {"ProfileObjectUniqueKey": received.unique_key}


def list_profile_objects(store: Session, request: Request) -> dict[str, Any]:
    """A profile's objects of one type, oldest ingestion first.

    Observed: an object type that the domain does not know is a 404. Assumed: so is an unknown profile;
    ObjectFilter takes a key of that type, several values are alternatives.
    """
    domain = the_domain(store, request)
    name = request["ObjectTypeName"]
    definition = incoming.the_definition(store, domain, name)
    profile = the_profile(store, domain, request["ProfileId"])
    found = table.list_objects(
        store,
        (profile.seq, name),
        _filter(domain, definition, request),
        (request.after(), request.page_size + 1),
    )
    page, more = request.page(found, [stored.seq for stored in found])
    items = [
        {
            "ObjectTypeName": stored.object_type,
            "ProfileObjectUniqueKey": stored.unique_key,
            "Object": stored.body,
        }
        for stored in page
    ]
    return {"Items": items, **more}


def delete_profile_object(store: Session, request: Request) -> dict[str, Any]:
    """Remove one object.

    Documented: the object goes; a second delete is a 404 (observed). Assumed: the fields it filled stay, the
    keys that only it contributed go.
    """
    domain = the_domain(store, request)
    name, unique_key = request["ObjectTypeName"], request["ProfileObjectUniqueKey"]
    incoming.the_definition(store, domain, name)
    profile = the_profile(store, domain, request["ProfileId"])
    stored = table.find_object(store, profile.seq, name, unique_key)
    if stored is None:
        raise NotFound(f"Profile {profile.profile_id} has no such object of type {name}")
    keys.remove_keys_of_object(store, profile.seq, stored.seq)
    table.remove_object(store, domain.seq, stored)
    event = Event("DELETED_BY_CUSTOMER", request.at, stored.body, name, unique_key)
    history.record(store, domain.seq, profile.seq, event)
    return {"Message": "OK"}


def _filter(domain: Domain, definition: dict[str, Any], request: Request) -> tuple[int, KeyQuery] | None:
    given = request.get("ObjectFilter")
    if given is None:
        return None
    name, values = given["KeyName"], given["Values"]
    entries = definition.get("Keys", {}).get(name)
    if not entries:
        raise BadRequest(f"ObjectFilter: {name} is not a key of the object type")
    if not values:
        raise BadRequest("ObjectFilter: Values must not be empty")
    kinds = [definition["Fields"][field].get("ContentType", "STRING") for field in entries[0]["FieldNames"]]
    normalise = NORMALISERS[joint_content_type(name, kinds)]
    return domain.seq, KeyQuery(name, tuple(dict.fromkeys(normalise(value) for value in values)))
