"""A domain's overview as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.report.text import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def render_domain(overview: Mapping[str, Any]) -> str:
    """The members of a ``DomainOverview``, a line or a few each."""
    return "\n".join(_lines(overview))


def _lines(overview: Mapping[str, Any]) -> Iterator[str]:
    settings, about = overview["settings"], overview["description"]
    yield line("Domain", about["name"])
    for name in ("CreatedAt", "LastUpdatedAt", "DefaultExpirationDays", "DefaultEncryptionKey"):
        if name in settings:
            yield line(f"  {name}", str(settings[name]))
    for name, count in sorted(overview["stats"].items()):
        yield line(f"  {name}", f"{count:,}")
    yield line("Matching", "weekly job on" if about["matching_enabled"] else "off")
    rules = settings.get("RuleBasedMatching") or {}
    yield line("Rule-based matching", f"on, {rules.get('Status', '')}" if rules.get("Enabled") else "off")
    yield line("AWS merges by", ", ".join(about["merging_by_aws"]) or "nothing: no merges behind our back")
    yield from _object_types(overview["object_types"])
    yield from _integrations(overview)
    templates = ", ".join(sorted(item["TemplateId"] for item in overview["templates"]))
    yield line("Templates", templates or "none")
    tags = ", ".join(f"{key}={value}" for key, value in sorted(overview["tags"].items()))
    yield line("Tags", tags or "none")
    yield line("Domains here", ", ".join(overview["domains"]) or "not known")
    for operation, code in sorted(overview["unread"].items()):
        yield line("Not readable", f"{operation} ({code})")


def _object_types(types: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield line("Object types", f"{len(types):,}")
    for type_ in types:
        keys = ", ".join(
            f"{name} ({' '.join(identifiers)})" if identifiers else name
            for name, identifiers in type_["Keys"].items()
        )
        source = f"from template {type_['TemplateId']}" if "TemplateId" in type_ else ""
        facts = [
            f"{type_['Fields']} fields",
            "dated" if type_["Dated"] else "without a date",
            *([source] if source else []),
            *([f"priority {type_['SourcePriority']}"] if "SourcePriority" in type_ else []),
            f"keys: {keys or 'none'}",
        ]
        yield line(f"  {type_['ObjectTypeName']}", "; ".join(facts))


def _integrations(overview: Mapping[str, Any]) -> Iterator[str]:
    yield line("Integrations", f"{len(overview['integrations']):,}")
    for item in overview["integrations"]:
        names = item.get("ObjectTypeName") or ", ".join(sorted((item.get("ObjectTypeNames") or {}).values()))
        yield line("", f"{item.get('Uri', 'no Uri')} → {names or 'no object type'}")
    for item in overview["sharing"]:
        yield line("  shared", f"{item.get('Uri')} with domain {item.get('DomainName')}")
