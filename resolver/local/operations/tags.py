"""Tags of domains, object types and integrations, addressed by ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import domains, integrations, object_types
from resolver.local.tables import tags as table

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session

MOST_TAGS: Final = 50


def list_tags_for_resource(store: Session, request: Request) -> dict[str, Any]:
    """A resource's tags; none at all are absent, as the model's answer allows no empty map (documented)."""
    tags = table.tags_of(store, _resource(store, request))
    return {"tags": tags} if tags else {}


def tag_resource(store: Session, request: Request) -> dict[str, Any]:
    """Add tags, or overwrite single ones (documented); at most 50 (documented)."""
    resource = _resource(store, request)
    if len(table.tags_of(store, resource) | request["tags"]) > MOST_TAGS:
        raise BadRequest(f"tags: a resource has at most {MOST_TAGS}")
    table.put_tags(store, resource, request["tags"])
    return {}


def untag_resource(store: Session, request: Request) -> dict[str, Any]:
    """Remove tags; one that is not there is no error (assumed)."""
    table.remove_tags(store, _resource(store, request), request["tagKeys"])
    return {}


def _resource(store: Session, request: Request) -> str:
    """The part of the ARN after the account; 404 when nothing bears it (documented).

    Observed (CloudFormation, Terraform): `arn:{partition}:profile:{region}:{account}:domains/{name}`, with
    `/object-types/{name}` or `/integrations/{uri}` behind it. Assumed: Region and account are not compared.
    """
    parts = request["resourceArn"].split(":", 5)
    tail = parts[-1] if len(parts) == len(_ARN_PARTS) else ""
    kind, _, rest = tail.partition("/")
    name, _, member = rest.partition("/")
    domain = domains.find_domain(store, name) if kind == "domains" else None
    if domain is not None:
        member_kind, _, member_name = member.partition("/")
        exists = not member and not tail.endswith("/")
        if member_kind == "object-types":
            exists = object_types.find_object_type(store, domain.seq, member_name) is not None
        elif member_kind == "integrations":
            found = integrations.find_integration(store, member_name)
            exists = found is not None and found.domain == domain.seq
        if exists:
            return tail
    raise NotFound("resourceArn names no resource of this account")


_ARN_PARTS: Final = ("arn", "partition", "service", "region", "account", "resource")
