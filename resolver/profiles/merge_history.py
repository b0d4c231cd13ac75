"""What the service's own history says of a profile: merges, and the keys that were added by hand.

Nothing else lists a profile's keys. The operations are newer than the rest of the API; where an endpoint or a
role has them not, the answers are null and everything goes on without them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from resolver.profiles.history import history_of
from resolver.profiles.search_keys import SearchKey

if TYPE_CHECKING:
    from resolver.profiles.domain import Domain

GET: Final = "get_profile_history_record"


def count_merges(domain: Domain, profile_id: str) -> int | None:
    """How many times other profiles were merged into this one; null where the history cannot be read."""
    records = history_of(domain, profile_id, "MERGED")
    return None if records is None else len(records)


def keys_given(domain: Domain, profile_id: str) -> list[SearchKey] | None:
    """The keys that AddProfileKey gave the profile and DeleteProfileKey did not take again.

    Null where the history cannot be read.
    """
    added = history_of(domain, profile_id, "ADDED_PROFILE_KEY")
    if not added:
        return None if added is None else []
    deleted = history_of(domain, profile_id, "DELETED_PROFILE_KEY") or []
    given: dict[SearchKey, None] = {}
    for record in sorted([*added, *deleted], key=lambda record: record["CreatedAt"]):
        for key in _keys_in(domain, profile_id, record["Id"]):
            if record["ActionType"] == "ADDED_PROFILE_KEY":
                given[key] = None
            else:
                given.pop(key, None)
    return list(given)


def _keys_in(domain: Domain, profile_id: str, record_id: str) -> list[SearchKey]:
    """The keys of one record; its content's form is not documented, so whatever is not legible is none."""
    try:
        answer = domain.ask(GET, ProfileId=profile_id, Id=record_id)
        content = json.loads(answer.get("Content") or "{}")
        return [SearchKey(content["KeyName"], value) for value in content["Values"]]
    except (ClientError, ValueError, KeyError, TypeError):
        return []
