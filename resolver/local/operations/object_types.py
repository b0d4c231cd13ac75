"""Object types: PutProfileObjectType, ListProfileObjectTypes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations.finding import the_domain
from resolver.local.tables import keys, tags
from resolver.local.tables import object_types as table
from resolver.local.tables.object_types import ObjectType

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

_DEFINITION: Final = (
    "Description",
    "TemplateId",
    "ExpirationDays",
    "EncryptionKey",
    "AllowProfileCreation",
    "SourceLastUpdatedTimestampFormat",
    "MaxProfileObjectCount",
    "SourcePriority",
    "Fields",
    "Keys",
)


def put_profile_object_type(store: Session, request: Request) -> dict[str, Any]:
    """Define or replace an object type.

    Documented: an existing name is updated without reprocessing its objects; tags are set on creation only; a
    key name that no type defines any more leaves the domain.
    """
    domain = the_domain(store, request)
    name = request["ObjectTypeName"]
    definition = {member: request[member] for member in _DEFINITION if request.get(member) not in (None, "")}
    if table.find_object_type(store, domain.seq, name) is None:
        tags.put_tags(store, _resource(domain, name), request.get("Tags", {}))
    table.put_object_type(store, domain.seq, ObjectType(0, name, definition, request.at, request.at))
    keys.set_key_names(store, domain.seq, name, key_content_types(definition))
    stored = table.find_object_type(store, domain.seq, name)
    assert stored is not None  # noqa: S101 - put a line above, in the same transaction
    return {**stored.definition, **_summary(store, domain, stored)}


def list_profile_object_types(store: Session, request: Request) -> dict[str, Any]:
    """The domain's object types in order of creation (assumed)."""
    domain = the_domain(store, request)
    found = table.list_object_types(store, domain.seq, request.after(), request.page_size + 1)
    page, more = request.page(found, [object_type.seq for object_type in found])
    return {"Items": [_summary(store, domain, object_type) for object_type in page], **more}


def key_content_types(definition: dict[str, Any]) -> dict[str, list[str]]:
    """The content types of the fields behind each key of a definition."""
    fields = definition.get("Fields", {})
    return {
        name: [fields[field].get("ContentType", "STRING") for field in entries[0]["FieldNames"]]
        for name, entries in definition.get("Keys", {}).items()
    }


def _resource(domain: Domain, name: str) -> str:
    return f"domains/{domain.name}/object-types/{name}"


def _summary(store: Session, domain: Domain, object_type: ObjectType) -> dict[str, Any]:
    own_tags = tags.tags_of(store, _resource(domain, object_type.name))
    shown = ("Description", "MaxProfileObjectCount", "SourcePriority")
    return {
        "ObjectTypeName": object_type.name,
        **{name: object_type.definition[name] for name in shown if name in object_type.definition},
        "CreatedAt": object_type.created_at,
        "LastUpdatedAt": object_type.updated_at,
        **({"Tags": own_tags} if own_tags else {}),
    }
