"""Object types and the templates they may come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import standard_keys
from resolver.local.operations.definitions import check_definition, effective, key_content_types
from resolver.local.operations.finding import the_domain
from resolver.local.operations.ingestion import MOST_OBJECTS
from resolver.local.operations.profiles import content_of, remove_path, save_profile
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import history, keys, objects, profiles, tags
from resolver.local.tables import object_types as table
from resolver.local.tables.history import Event
from resolver.local.tables.object_types import ObjectType
from resolver.local.templates import TEMPLATES

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

MOST_TYPES: Final = 100
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

    Documented: the rules of `definitions`; an existing name is updated without reprocessing its objects; tags
    are set on creation only; a key name that no type defines any more leaves the domain; at most 100 types.
    Assumed: a name with a leading underscore is a standard object's.
    """
    domain = the_domain(store, request)
    name = request["ObjectTypeName"]
    if name.startswith("_"):
        raise BadRequest(f"ObjectTypeName {name} belongs to a standard object")
    definition = {member: request[member] for member in _DEFINITION if request.get(member) not in (None, "")}
    check_definition(definition, keys.key_names_of_others(store, domain.seq, name))
    if table.find_object_type(store, domain.seq, name) is None:
        if table.count_object_types(store, domain.seq) >= MOST_TYPES:
            raise BadRequest(f"a domain has at most {MOST_TYPES} object types")
        tags.put_tags(store, _resource(domain, name), request.get("Tags", {}))
    table.put_object_type(store, domain.seq, ObjectType(0, name, definition, request.at, request.at))
    keys.set_key_names(store, domain.seq, name, key_content_types(effective(definition)))
    return _description(store, domain, the_object_type(store, domain, name))


def list_profile_object_types(store: Session, request: Request) -> dict[str, Any]:
    """The domain's object types in order of creation (assumed)."""
    domain = the_domain(store, request)
    found = table.list_object_types(store, domain.seq, request.after(), request.page_size + 1)
    page, more = request.page(found, [object_type.seq for object_type in found])
    available = _available(table.list_object_types(store, domain.seq, 0, MOST_TYPES))
    return {"Items": [_summary(store, domain, object_type, available) for object_type in page], **more}


def get_profile_object_type(store: Session, request: Request) -> dict[str, Any]:
    """One object type; with a TemplateId the template's Fields and Keys are shown (assumed).

    Observed: 404 for a name that was never put; a template's name alone does not make a type (assumed).
    """
    domain = the_domain(store, request)
    return _description(store, domain, the_object_type(store, domain, request["ObjectTypeName"]))


def delete_profile_object_type(store: Session, request: Request) -> dict[str, Any]:
    """Remove a type with everything that came through it.

    Documented: its objects go, and every field of a standard profile that it wrote is scrubbed; its
    integrations are disabled (here they stay listed and ingest nothing, as integrations never do here).
    Assumed: an older value from elsewhere is not restored; keys that its objects contributed go, and those
    that profiles had of its values before they were merged.
    """
    domain = the_domain(store, request)
    name = the_object_type(store, domain, request["ObjectTypeName"]).name
    for stored in objects.objects_of_type(store, domain.seq, name):
        keys.remove_keys_of_object(store, stored.profile, stored.seq)
        objects.remove_object(store, domain.seq, stored)
    for profile in profiles.profiles_sourced_by(store, domain.seq, name):
        before = standard_keys(profile.fields)
        for path in [path for path, source in profile.sources.items() if source == name]:
            remove_path(profile, path)
        profile.updated_at = request.at
        save_profile(store, domain, profile, before)
        history.record(store, domain.seq, profile.seq, Event("UPDATED", request.at, content_of(profile)))
    keys.remove_merged_of_type(store, domain.seq, name)
    keys.set_key_names(store, domain.seq, name, {})
    table.remove_object_type(store, domain.seq, name)
    tags.remove_all_tags(store, _resource(domain, name))
    return {"Message": "OK"}


def list_profile_object_type_templates(store: Session, request: Request) -> dict[str, Any]:
    """The read-only templates, by TemplateId (assumed); a small part of those that AWS documents."""
    del store  # templates are no domain's
    shown = ("SourceName", "SourceObject")
    found = [
        {"TemplateId": name, **{member: TEMPLATES[name][member] for member in shown}}
        for name in sorted(TEMPLATES)
    ]
    positions = list(range(1, len(found) + 1))
    after = request.after()
    page, more = request.page(found[after:], positions[after:])
    return {"Items": page, **more}


def get_profile_object_type_template(store: Session, request: Request) -> dict[str, Any]:
    """One template with its Fields and Keys.

    Documented: the mappings, as far as they are published. Assumed: the names of the fields.
    """
    del store  # templates are no domain's
    template = TEMPLATES.get(request["TemplateId"])
    if template is None:
        raise NotFound(f"Template {request['TemplateId']} not found")
    return {"TemplateId": request["TemplateId"], **template}


def the_object_type(store: Session, domain: Domain, name: str) -> ObjectType:
    """An object type of the domain."""
    found = table.find_object_type(store, domain.seq, name)
    if found is None:
        raise NotFound(f"Object type {name} not found in domain {domain.name}")
    return found


def _resource(domain: Domain, name: str) -> str:
    return f"domains/{domain.name}/object-types/{name}"


def _description(store: Session, domain: Domain, object_type: ObjectType) -> dict[str, Any]:
    others = table.list_object_types(store, domain.seq, 0, MOST_TYPES)
    return {
        "AllowProfileCreation": False,  # documented default
        **effective(object_type.definition),
        **_summary(store, domain, object_type, _available(others)),
    }


def _available(object_types: list[ObjectType]) -> int:
    """What the types' own limits leave of a profile's objects."""
    taken: int = sum(one.definition.get("MaxProfileObjectCount", 0) for one in object_types)
    return max(0, MOST_OBJECTS - taken)


def _summary(store: Session, domain: Domain, object_type: ObjectType, available: int) -> dict[str, Any]:
    own_tags = tags.tags_of(store, _resource(domain, object_type.name))
    shown = ("Description", "MaxProfileObjectCount", "SourcePriority")
    return {
        "ObjectTypeName": object_type.name,
        **{name: object_type.definition[name] for name in shown if name in object_type.definition},
        "CreatedAt": object_type.created_at,
        "LastUpdatedAt": object_type.updated_at,
        "MaxAvailableProfileObjectCount": available,
        **({"Tags": own_tags} if own_tags else {}),
    }
