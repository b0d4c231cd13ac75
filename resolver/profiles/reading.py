"""What the engine asks of a domain, one verb each; paging, fallbacks and restarts are settled here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from botocore.exceptions import ClientError

from resolver.errors import ServiceFailed
from resolver.model.frames import OBJECTS, empty
from resolver.model.profile import by_id, without_blanks
from resolver.profiles.convert import match_groups_frame, objects_frame
from resolver.profiles.domain import LARGEST_PAGE
from resolver.profiles.failures import code_of, described, is_not_found, is_unsupported
from resolver.profiles.frontier import KEYS_PER_SEARCH
from resolver.profiles.object_times import object_type
from resolver.profiles.pace import Pace
from resolver.profiles.search_keys import PROFILE_ID, SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: ProfileIds of one BatchGetProfile (service model).
IDS_PER_BATCH: Final = 20
#: AWS, Customer Profiles service quotas: ListRuleBasedMatches; a little below, for others ask, too.
RULE_LISTS_PER_SECOND: Final = 4.0
#: A page token that has expired starts its list again, so many times.
RESTARTS: Final = 5


def search(domain: Domain, keys: Sequence[SearchKey]) -> list[Profile]:
    """Every profile that any of up to five keys finds, as answered (with ``FoundByItems``), each id once."""
    main, *more = ({"KeyName": key.name, "Values": [key.value]} for key in keys)
    extra = {"AdditionalSearchKeys": more, "LogicalOperator": "OR"} if more else {}
    try:
        pages = _all_pages(domain, "search_profiles", **main, **extra, MaxResults=LARGEST_PAGE)
    except ClientError as error:
        if is_not_found(error):  # seen in place of an empty answer (Terraform provider)
            return []
        raise described(error, "search_profiles", domain.clients.endpoint) from None
    return list(by_id(item for page in pages for item in page.get("Items", ())).values())


def read_profiles(domain: Domain, profile_ids: Sequence[str]) -> dict[str, Profile]:
    """The profiles that are there under exactly these ids, without blanks.

    The id of a profile that was merged away or deleted is absent, also where its survivor is answered.
    """
    found: dict[str, Profile] = {}
    for start in range(0, len(profile_ids), IDS_PER_BATCH):
        chunk = profile_ids[start : start + IDS_PER_BATCH]
        found |= {p["ProfileId"]: without_blanks(p) for p in _read_chunk(domain, chunk)}
    return {profile_id: found[profile_id] for profile_id in profile_ids if profile_id in found}


def _read_chunk(domain: Domain, profile_ids: Sequence[str]) -> Iterator[Profile]:
    """By BatchGetProfile; what it cannot say, and all of it where it is missing, by searches for the ids."""
    unsure: Sequence[str] = profile_ids
    if "batch_get_profile" not in domain.lacking:
        try:
            answer = domain.ask("batch_get_profile", ProfileIds=list(profile_ids))
        except ClientError as error:
            if not (is_unsupported(error) or code_of(error) == "AccessDeniedException"):
                raise described(error, "batch_get_profile", domain.clients.endpoint) from None
            domain.lacking.add("batch_get_profile")
        else:
            yield from answer.get("Profiles", ())
            errors = {e["ProfileId"]: e.get("Code", "") for e in answer.get("Errors", ())}
            # the codes are not documented: only one that says "not found" is taken for a missing profile
            unsure = [profile_id for profile_id, code in errors.items() if "NotFound" not in code]
    for start in range(0, len(unsure), KEYS_PER_SEARCH):
        ids = unsure[start : start + KEYS_PER_SEARCH]
        yield from (item for item in search(domain, [SearchKey(PROFILE_ID, i) for i in ids]))


def read_survivors(domain: Domain, profile_ids: Sequence[str]) -> tuple[list[Profile], dict[str, str]]:
    """The profiles that answer to ids of others, and which id led to which: what merges leave of victims.

    A service may keep a victim's id as a key of the survivor (seen in public code); one that does not answers
    nothing, and the ids are gone.
    """
    profiles: dict[str, Profile] = {}
    survivors: dict[str, str] = {}
    for start in range(0, len(profile_ids), KEYS_PER_SEARCH):
        chunk = profile_ids[start : start + KEYS_PER_SEARCH]
        for item in search(domain, [SearchKey(PROFILE_ID, i) for i in chunk]):
            profiles[item["ProfileId"]] = without_blanks(item)
            asked = [v for hit in item.get("FoundByItems", ()) for v in hit["Values"]]
            survivors |= {i: item["ProfileId"] for i in asked if i != item["ProfileId"]}
    return list(profiles.values()), survivors


def read_match_groups(domain: Domain) -> tuple[pl.DataFrame, datetime | None]:
    """All groups of the last Identity Resolution run (MATCH_GROUPS), and when it ran (null: never).

    Begins again when a new run replaces the groups between two pages.
    """
    for _ in range(RESTARTS):
        pages = _require_pages(domain, "get_matches", MaxResults=LARGEST_PAGE)
        generated = {page.get("MatchGenerationDate") for page in pages}
        if len(generated) == 1:
            groups = match_groups_frame(group for page in pages for group in page.get("Matches", ()))
            return groups, generated.pop()
    raise ServiceFailed(f"get_matches: the groups of domain {domain.name} kept changing while they were read")


def read_rule_groups(domain: Domain) -> pl.DataFrame:
    """The groups that the domain's own matching rules make at present (MATCH_GROUPS).

    A call a hundred groups at 4 a second, and one or more for each group. Rules match as profiles come: a
    group that went meanwhile is left out.
    """
    pace = Pace(RULE_LISTS_PER_SECOND, sleep=domain.sleep)
    request: dict[str, Any] = {"MaxResults": LARGEST_PAGE}
    match_ids: dict[str, None] = {}
    while True:
        pace.wait()
        page = domain.require("list_rule_based_matches", **request)
        match_ids |= dict.fromkeys(page.get("MatchIds", ()))
        if not page.get("NextToken"):
            break
        request["NextToken"] = page["NextToken"]
    return match_groups_frame(
        group for group in domain.each(partial(_rule_group, domain), match_ids) if group
    )


def _rule_group(domain: Domain, match_id: str) -> dict[str, Any] | None:
    """One group as GetMatches would show it; null where it is gone."""
    asked = {"MatchType": "RULE_BASED_MATCHING", "SearchKey": "matchId", "SearchValue": match_id}
    try:
        pages = list(domain.pages("get_similar_profiles", MaxResults=LARGEST_PAGE, **asked))
    except ClientError as error:
        if is_not_found(error):
            return None
        raise described(error, "get_similar_profiles", domain.clients.endpoint) from None
    ids = [profile_id for page in pages for profile_id in page.get("ProfileIds", ())]
    return {"MatchId": match_id, "ProfileIds": ids, "RuleLevel": pages[0].get("RuleLevel")}


def object_types(domain: Domain) -> list[ObjectType]:
    """The domain's object types, sorted by name, with what their definitions say of timestamps."""
    try:
        return [object_type(definition) for definition in object_type_definitions(domain)]
    except ClientError as error:
        raise described(error, "list_profile_object_types", domain.clients.endpoint) from None


def object_type_definitions(domain: Domain) -> list[dict[str, Any]]:
    """The definitions of the domain's object types, sorted by name; only the name where one is not readable.

    Raises:
        ClientError: the list was refused.
    """
    pages = _all_pages(domain, "list_profile_object_types", MaxResults=LARGEST_PAGE)
    names = sorted(item["ObjectTypeName"] for page in pages for item in page.get("Items", ()))
    return [_definition(domain, name) for name in names]


def _definition(domain: Domain, name: str) -> dict[str, Any]:
    try:
        return domain.ask("get_profile_object_type", ObjectTypeName=name)
    except ClientError:
        return {"ObjectTypeName": name}  # not there, not allowed: its objects can be read all the same


def read_objects(domain: Domain, profile_id: str, types: Iterable[ObjectType]) -> pl.DataFrame:
    """The objects of one profile of these types, as an OBJECTS frame; none where the profile is gone."""
    frames = [empty(OBJECTS)]
    for type_ in types:
        request = {"ObjectTypeName": type_.name, "ProfileId": profile_id, "MaxResults": LARGEST_PAGE}
        try:
            pages = _all_pages(domain, "list_profile_objects", **request)
        except ClientError as error:
            if is_not_found(error):
                continue
            raise described(error, "list_profile_objects", domain.clients.endpoint) from None
        items = [item for page in pages for item in page.get("Items", ())]
        frames.append(objects_frame(profile_id, type_, items))
    return pl.concat(frames)


def _require_pages(domain: Domain, operation: str, **request: Any) -> list[dict[str, Any]]:
    try:
        return _all_pages(domain, operation, **request)
    except ClientError as error:
        raise described(error, operation, domain.clients.endpoint) from None


def _all_pages(domain: Domain, operation: str, **request: Any) -> list[dict[str, Any]]:
    """Every page; a list whose token is refused on the way is read again from its beginning."""
    restarts = 0
    while True:
        pages: list[dict[str, Any]] = []
        try:
            for page in domain.pages(operation, **request):
                pages.append(page)  # noqa: PERF402  # what came before a refusal tells an expired token
        except ClientError as error:
            restarts += 1
            expired = bool(pages) and code_of(error) == "BadRequestException"
            if not expired or restarts > RESTARTS:
                raise
        else:
            return pages
