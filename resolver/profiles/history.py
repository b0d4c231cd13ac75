"""When profiles last changed: the API returns no time on a profile, only its history records have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from botocore.exceptions import ClientError

from resolver.profiles.domain import LARGEST_PAGE
from resolver.profiles.failures import code_of, described, is_not_found, is_unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from resolver.profiles.domain import Domain

LIST: Final = "list_profile_history_records"
#: Actions that changed what the profile says; an added or deleted search key does not.
CHANGES: Final = frozenset({"CREATED", "UPDATED", "INGESTED", "MERGED"})


def read_last_changes(domain: Domain, profile_ids: Sequence[str]) -> pl.DataFrame:
    """``profile_id`` and ``last_updated_at`` (UTC, null: no record says) of each of these profiles.

    One call a profile at least. An endpoint or a role without the operation tells nothing, and is asked once.
    """
    moments = domain.each(lambda profile_id: _last_change(domain, profile_id), profile_ids)
    at = pl.Series("last_updated_at", moments, pl.Datetime("us", "UTC"))
    return pl.DataFrame({"profile_id": pl.Series(list(profile_ids), dtype=pl.String), "last_updated_at": at})


def _last_change(domain: Domain, profile_id: str) -> datetime | None:
    records = [r for r in history_of(domain, profile_id) or () if r["ActionType"] in CHANGES]
    return max((record.get("LastUpdatedAt") or record["CreatedAt"] for record in records), default=None)


def history_of(domain: Domain, profile_id: str, action: str | None = None) -> list[dict[str, Any]] | None:
    """The profile's history records, of one action or all; none where the service does not know it.

    Null where the history cannot be read: an endpoint or a role without the operation is asked once.
    """
    if LIST in domain.lacking:
        return None
    request = {"ProfileId": profile_id, "MaxResults": LARGEST_PAGE}
    if action is not None:
        request["ActionType"] = action
    try:
        pages = list(domain.pages(LIST, **request))
    except ClientError as error:
        if is_not_found(error):
            return []
        if not (is_unsupported(error) or code_of(error) == "AccessDeniedException"):
            raise described(error, LIST, domain.clients.endpoint) from None
        domain.lacking.add(LIST)
        return None
    return [record for page in pages for record in page.get("ProfileHistoryRecords", ())]
