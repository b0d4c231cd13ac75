"""What a domain is, beside its profiles: settings, object types, integrations, templates, tags."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from resolver.profiles.domain import LARGEST_PAGE, describe_domain, is_loopback
from resolver.profiles.failures import code_of, described, is_not_found, is_unsupported
from resolver.profiles.object_times import object_type
from resolver.profiles.reading import object_type_definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from resolver.profiles.domain import Domain, DomainDescription

#: The account that an endpoint on this machine says it is: any will do there.
EMBEDDED_ACCOUNT: Final = "000000000000"
_ACCOUNT: Final = re.compile(r"(?:^arn:[^:]*:[^:]*:[^:]*:|amazonaws\.com/)(\d{12})\b")


@dataclass(frozen=True, slots=True)
class DomainOverview:
    """A domain as the read API describes it.

    ``settings`` are the members of GetDomain without Stats and Tags. ``object_types`` say per type which keys
    it has (name → identifiers) and whether its objects tell a moment. ``sharing`` lists integrations of other
    domains that use the same Uri. ``unread`` maps each part that was refused to the error code.
    """

    description: DomainDescription
    stats: Mapping[str, int]
    settings: Mapping[str, Any]
    object_types: Sequence[Mapping[str, Any]]
    integrations: Sequence[Mapping[str, Any]]
    sharing: Sequence[Mapping[str, Any]]
    templates: Sequence[Mapping[str, str]]
    tags: Mapping[str, str]
    domains: Sequence[str]
    unread: Mapping[str, str] = field(default_factory=dict)


def read_overview(domain: Domain) -> DomainOverview:
    """Everything that the read API tells of a domain, all pages, but no profile.

    Raises:
        UnknownDomain, Unreachable, ServiceFailed: the domain itself cannot be read.
    """
    description = describe_domain(domain)
    answer = domain.require("get_domain")
    parts = _Parts(domain)
    integrations = parts.items("list_integrations", of_domain=True)
    uris = sorted({item["Uri"] for item in integrations if item.get("Uri")})
    sharing = [item for uri in uris for item in parts.items("list_account_integrations", Uri=uri)]
    types = parts.read("list_profile_object_types", lambda: object_type_definitions(domain)) or []
    settings = {k: v for k, v in answer.items() if k not in ("Stats", "Tags", "ResponseMetadata")}
    return DomainOverview(
        description=description,
        stats=answer.get("Stats") or {},
        settings=settings,
        object_types=[_object_type(definition) for definition in types],
        integrations=integrations,
        sharing=[item for item in sharing if item.get("DomainName") != domain.name],
        templates=parts.items("list_profile_object_type_templates"),
        tags=parts.tags(answer.get("Tags") or {}, _account_of(domain, settings, uris)),
        domains=sorted(item["DomainName"] for item in parts.items("list_domains")),
        unread=parts.unread,
    )


class _Parts:
    """Reads that may be refused without spoiling the rest."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.unread: dict[str, str] = {}

    def items(self, operation: str, *, of_domain: bool = False, **request: Any) -> list[dict[str, Any]]:
        """The Items of all pages; none where that was refused."""
        pages = self._domain.pages if of_domain else self._domain.account_pages
        found = self.read(
            operation,
            lambda: [
                item
                for page in pages(operation, MaxResults=LARGEST_PAGE, **request)
                for item in page.get("Items", ())
            ],
        )
        return found or []

    def tags(self, known: Mapping[str, str], account: str | None) -> Mapping[str, str]:
        """The domain's tags by ListTagsForResource; what GetDomain says where no ARN can be made up."""
        if account is None:
            return known
        region = self._domain.clients.read.meta.region_name
        partition = self._domain.clients.read.meta.partition
        arn = f"arn:{partition}:profile:{region}:{account}:domains/{self._domain.name}"
        answer = self.read(
            "list_tags_for_resource",
            lambda: self._domain.ask_account("list_tags_for_resource", resourceArn=arn),
        )
        return known if answer is None else answer.get("tags") or {}

    def read(self, operation: str, ask: Callable[[], Any]) -> Any:
        """What it gives; null, and noted, where these credentials or this endpoint refuse it."""
        try:
            return ask()
        except ClientError as error:
            refused = (
                code_of(error) == "AccessDeniedException" or is_unsupported(error) or is_not_found(error)
            )
            if not refused:
                raise described(error, operation, self._domain.clients.endpoint) from None
            self.unread[operation] = code_of(error)
            return None


def _account_of(domain: Domain, settings: Mapping[str, Any], uris: Iterable[str]) -> str | None:
    """The account's number, as ARNs and queue addresses of the domain give it away; null where none does."""
    if is_loopback(domain.clients.endpoint):
        return EMBEDDED_ACCOUNT
    texts = [text for text in (*settings.values(), *uris) if isinstance(text, str)]
    return next((found[1] for text in texts if (found := _ACCOUNT.search(text))), None)


def _object_type(definition: Mapping[str, Any]) -> dict[str, Any]:
    shown = (
        "Description", "TemplateId", "ExpirationDays", "AllowProfileCreation", "MaxProfileObjectCount",
        "MaxAvailableProfileObjectCount", "SourcePriority", "Tags",
    )  # fmt: skip
    keys = {
        name: sorted({i for entry in entries for i in entry.get("StandardIdentifiers") or ()})
        for name, entries in sorted((definition.get("Keys") or {}).items())
    }
    return {
        "ObjectTypeName": definition["ObjectTypeName"],
        **{name: definition[name] for name in shown if name in definition},
        "Fields": len(definition.get("Fields") or {}),
        "Keys": keys,
        "Dated": object_type(definition).path is not None,
    }
