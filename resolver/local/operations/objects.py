"""Profile objects: PutProfileObject, ListProfileObjects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.local.operations import ingestion
from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.refusal import NotFound
from resolver.local.tables import object_types
from resolver.local.tables import objects as table

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session


def put_profile_object(store: Session, request: Request) -> dict[str, Any]:
    """Accept an object; which profile gets it is decided by `ingestion`.

    Documented: the answer names the object, not a profile; invalid JSON, an empty UNIQUE key, no PROFILE key
    at all and unknown types are refused at once, everything else happens after the answer (here: before it,
    unless the service has a consistency delay).
    """
    domain = the_domain(store, request)
    incoming = ingestion.read_object(store, domain, request["ObjectTypeName"], request["Object"])
    delay = request.settings.consistency_delay_seconds
    if delay:
        table.queue_object(
            store, domain.seq, (request["ObjectTypeName"], request["Object"]), request.at + delay
        )
    else:
        ingestion.settle(store, domain, incoming, request.at)
    return {"ProfileObjectUniqueKey": incoming.unique_key}


def list_profile_objects(store: Session, request: Request) -> dict[str, Any]:
    """A profile's objects of one type, oldest first.

    Observed: an object type that the domain does not know is a 404.
    """
    domain = the_domain(store, request)
    name = request["ObjectTypeName"]
    if object_types.find_object_type(store, domain.seq, name) is None:
        raise NotFound(f"Object type {name} not found in domain {domain.name}")
    profile = the_profile(store, domain, request["ProfileId"])
    found = table.list_objects(store, (profile.seq, name), request.after(), request.page_size + 1)
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
