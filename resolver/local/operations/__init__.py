"""The operations that exist here: the visible list, and whether each may wait for the one writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations import (
    domains,
    integrations,
    keys,
    matches,
    merging,
    object_types,
    objects,
    profiles,
    records,
    search,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resolver.local.request import Request
    from resolver.local.store import Session


@dataclass(frozen=True, slots=True)
class Handler:
    """A function (session, request) -> response members, run in a write transaction or on a snapshot.

    One that shows profiles as they are stored gives the response's JSON text.
    """

    function: Callable[[Session, Request], dict[str, Any] | str]
    writes: bool


def _read(function: Callable[[Session, Request], dict[str, Any] | str]) -> Handler:
    return Handler(function, writes=False)


def _write(function: Callable[[Session, Request], dict[str, Any]]) -> Handler:
    return Handler(function, writes=True)


HANDLERS: Final[Mapping[str, Handler]] = {
    "CreateDomain": _write(domains.create_domain),
    "GetDomain": _read(domains.get_domain),
    "UpdateDomain": _write(domains.update_domain),
    "DeleteDomain": _write(domains.delete_domain),
    "ListDomains": _read(domains.list_domains),
    "CreateProfile": _write(profiles.create_profile),
    "UpdateProfile": _write(profiles.update_profile),
    "DeleteProfile": _write(profiles.delete_profile),
    "BatchGetProfile": _read(profiles.batch_get_profile),
    "SearchProfiles": _read(search.search_profiles),
    "MergeProfiles": _write(merging.merge_profiles),
    "AddProfileKey": _write(keys.add_profile_key),
    "DeleteProfileKey": _write(keys.delete_profile_key),
    "ListProfileHistoryRecords": _read(records.list_profile_history_records),
    "GetProfileHistoryRecord": _read(records.get_profile_history_record),
    "GetMatches": _read(matches.get_matches),
    "GetSimilarProfiles": _read(matches.get_similar_profiles),
    "ListRuleBasedMatches": _read(matches.list_rule_based_matches),
    "ListIdentityResolutionJobs": _read(matches.list_identity_resolution_jobs),
    "GetIdentityResolutionJob": _read(matches.get_identity_resolution_job),
    "PutProfileObject": _write(objects.put_profile_object),
    "ListProfileObjects": _read(objects.list_profile_objects),
    "DeleteProfileObject": _write(objects.delete_profile_object),
    "PutProfileObjectType": _write(object_types.put_profile_object_type),
    "GetProfileObjectType": _read(object_types.get_profile_object_type),
    "ListProfileObjectTypes": _read(object_types.list_profile_object_types),
    "DeleteProfileObjectType": _write(object_types.delete_profile_object_type),
    "ListProfileObjectTypeTemplates": _read(object_types.list_profile_object_type_templates),
    "GetProfileObjectTypeTemplate": _read(object_types.get_profile_object_type_template),
    "PutIntegration": _write(integrations.put_integration),
    "GetIntegration": _read(integrations.get_integration),
    "DeleteIntegration": _write(integrations.delete_integration),
    "ListIntegrations": _read(integrations.list_integrations),
    "ListAccountIntegrations": _read(integrations.list_account_integrations),
    "ListTagsForResource": _read(tags.list_tags_for_resource),
    "TagResource": _write(tags.tag_resource),
    "UntagResource": _write(tags.untag_resource),
}
