"""Domains and their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations.finding import the_domain
from resolver.local.refusal import BadRequest
from resolver.local.rule_matching import check_rules
from resolver.local.tables import domains as table
from resolver.local.tables import tags

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session

MOST_DOMAINS: Final = 100
_SETTINGS: Final = (
    "DefaultExpirationDays",
    "DefaultEncryptionKey",
    "DeadLetterQueueUrl",
    "Matching",
    "RuleBasedMatching",
    "DataStore",
)


def create_domain(store: Session, request: Request) -> dict[str, Any]:
    """Make a domain.

    Observed (CloudFormation handlers): an existing name is a BadRequestException that says "already exists",
    there is no conflict error. Documented: at most 100 domains. Assumed: empty strings count as absent.
    """
    name = request["DomainName"]
    if table.find_domain(store, name) is not None:
        raise BadRequest(f"Domain {name} already exists")
    if table.count_domains(store) >= MOST_DOMAINS:
        raise BadRequest(f"an account has at most {MOST_DOMAINS} domains")
    settings = _settings({}, request)
    check_rules(settings.get("RuleBasedMatching", {}))
    table.insert_domain(store, name, settings, request.at)
    tags.put_tags(store, f"domains/{name}", request.get("Tags", {}))
    return _description(store, the_domain(store, request))


def get_domain(store: Session, request: Request) -> dict[str, Any]:
    """A domain's settings and live Stats.

    Documented: every further hundred objects of a profile count as one more metered profile. Assumed:
    TotalSize is the stored JSON in bytes.
    """
    domain = the_domain(store, request)
    stats = {
        "ProfileCount": domain.profile_count,
        "MeteringProfileCount": domain.profile_count + table.surplus_metered_profiles(store, domain.seq),
        "ObjectCount": domain.object_count,
        "TotalSize": domain.total_size,
    }
    return {**_description(store, domain), "Stats": stats}


def update_domain(store: Session, request: Request) -> dict[str, Any]:
    """Change the settings that are given.

    Documented: an empty string clears the queue or the key; tags are TagResource's business and ignored here.
    Assumed: absent members keep their values.
    """
    domain = the_domain(store, request)
    settings = _settings(domain.settings, request)
    check_rules(settings.get("RuleBasedMatching", {}))
    table.update_domain(store, domain, settings, request.at)
    return _description(store, the_domain(store, request))


def delete_domain(store: Session, request: Request) -> dict[str, Any]:
    """Remove a domain and everything in it (documented)."""
    table.delete_domain(store, the_domain(store, request))
    return {"Message": "OK"}


def list_domains(store: Session, request: Request) -> dict[str, Any]:
    """Domains in order of creation (assumed)."""
    found = table.list_domains(store, request.after(), request.page_size + 1)
    page, more = request.page(found, [domain.seq for domain in found])
    return {"Items": [_summary(store, domain) for domain in page], **more}


def _settings(stored: dict[str, Any], request: Request) -> dict[str, Any]:
    """Stored settings with the request's on top: absent keeps, an empty string clears."""
    given = {name: request[name] for name in _SETTINGS if name in request.parameters}
    return {name: value for name, value in (stored | given).items() if value != ""}


def _summary(store: Session, domain: table.Domain) -> dict[str, Any]:
    own_tags = tags.tags_of(store, f"domains/{domain.name}")
    summary: dict[str, Any] = {
        "DomainName": domain.name,
        "CreatedAt": domain.created_at,
        "LastUpdatedAt": domain.updated_at,
    }
    return {**summary, "Tags": own_tags} if own_tags else summary


def _description(store: Session, domain: table.Domain) -> dict[str, Any]:
    """Settings as they are shown: what the service would prepare for them is ready at once (assumed)."""
    shown = _summary(store, domain) | domain.settings
    if domain.settings.get("RuleBasedMatching", {}).get("Enabled"):
        shown["RuleBasedMatching"] = {**domain.settings["RuleBasedMatching"], "Status": "ACTIVE"}
    if domain.settings.get("DataStore", {}).get("Enabled"):
        shown["DataStore"] = {"Enabled": True, "Readiness": {"ProgressPercentage": 100, "Message": "Ready"}}
    return shown
