"""Integrations: recorded, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations.finding import the_domain
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import integrations as table
from resolver.local.tables import tags
from resolver.local.tables.integrations import Integration

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session

MOST_INTEGRATIONS: Final = 50
_SHOWN: Final = ("ObjectTypeName", "ObjectTypeNames", "RoleArn", "EventTriggerNames", "Scope")
_LONGEST_URI: Final = 255


def put_integration(store: Session, request: Request) -> dict[str, Any]:
    """Record an integration under its Uri.

    Documented: one domain per Uri, at most 50 per domain. Assumed: Uri or FlowDefinition must be given, a
    flow alone gets the ARN that AppFlow would give it; an existing integration is replaced and keeps its
    tags; a Uri of another domain is a bad request.
    """
    domain = the_domain(store, request)
    uri = request.get("Uri") or _flow_arn(request)
    former = table.find_integration(store, uri)
    if former is not None and former.domain != domain.seq:
        raise BadRequest("Uri belongs to an integration of another domain")
    if former is None:
        if table.count_integrations(store, domain.seq) >= MOST_INTEGRATIONS:
            raise BadRequest(f"a domain has at most {MOST_INTEGRATIONS} integrations")
        tags.put_tags(store, _resource(domain.name, uri), request.get("Tags", {}))
    settings = {name: request[name] for name in (*_SHOWN, "FlowDefinition") if request.get(name)}
    new = Integration(0, domain.seq, domain.name, uri, settings, request.at, request.at)
    table.put_integration(store, new)
    return get_integration(store, request, uri)


def get_integration(store: Session, request: Request, uri: str | None = None) -> dict[str, Any]:
    """One integration of the domain; 404 when the Uri is another domain's (assumed)."""
    return _description(store, _the_integration(store, request, uri or request["Uri"]))


def delete_integration(store: Session, request: Request) -> dict[str, Any]:
    """Remove the link, nothing else (documented)."""
    found = _the_integration(store, request, request["Uri"])
    table.remove_integration(store, found.uri)
    tags.remove_all_tags(store, _resource(found.domain_name, found.uri))
    return {"Message": "OK"}


def list_integrations(store: Session, request: Request) -> dict[str, Any]:
    """A domain's integrations in order of creation (assumed); none is ever hidden here."""
    domain = the_domain(store, request)
    found = table.list_integrations(store, domain.seq, request.after(), request.page_size + 1)
    page, more = request.page(found, [integration.seq for integration in found])
    return {"Items": [_description(store, integration) for integration in page], **more}


def list_account_integrations(store: Session, request: Request) -> dict[str, Any]:
    """The integrations of the account with a Uri: one at most, as a Uri belongs to one domain (documented).

    Assumed: none is an empty list.
    """
    request.after()  # a token must be good even though one page always holds the answer
    found = table.find_integration(store, request["Uri"])
    return {"Items": [_description(store, found)] if found else []}


def _the_integration(store: Session, request: Request, uri: str) -> Integration:
    domain = the_domain(store, request)
    found = table.find_integration(store, uri)
    if found is None or found.domain != domain.seq:
        raise NotFound(f"Integration not found in domain {domain.name}")
    return found


def _flow_arn(request: Request) -> str:
    flow = request.get("FlowDefinition")
    if flow is None:
        raise BadRequest("either Uri or FlowDefinition must be given")
    uri = f"arn:aws:appflow:{request.region}:{request.settings.account_id}:flow/{flow['FlowName']}"
    if len(uri) > _LONGEST_URI:
        raise BadRequest("FlowDefinition: FlowName is too long for a Uri")
    return uri


def _resource(domain_name: str, uri: str) -> str:
    return f"domains/{domain_name}/integrations/{uri}"


def _description(store: Session, found: Integration) -> dict[str, Any]:
    own_tags = tags.tags_of(store, _resource(found.domain_name, found.uri))
    return {
        "DomainName": found.domain_name,
        "Uri": found.uri,
        **{name: found.settings[name] for name in _SHOWN if name in found.settings},
        "CreatedAt": found.created_at,
        "LastUpdatedAt": found.updated_at,
        **({"Tags": own_tags} if own_tags else {}),
    }
