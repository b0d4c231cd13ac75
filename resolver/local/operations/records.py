"""A profile's history: ListProfileHistoryRecords, GetProfileHistoryRecord."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.operations.finding import the_domain
from resolver.local.refusal import NotFound
from resolver.local.tables import history as table
from resolver.local.tables import profiles

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.history import Event

_FILTERS: Final = (("ObjectTypeName", "object_type"), ("ActionType", "action"))


def list_profile_history_records(store: Session, request: Request) -> dict[str, Any]:
    """What was done to a profile, oldest first (assumed), also after it was merged away or deleted.

    Documented by the model: the actions, and the filters. Assumed: everything was performed by the account's
    root.
    """
    domain = the_domain(store, request)
    profile = _seq(store, domain.seq, request["ProfileId"])
    filters = {column: request[member] for member, column in _FILTERS if request.get(member)}
    found = []
    if request.get("PerformedBy", _performer(request)) == _performer(request):
        found = table.list_history(store, profile, filters, (request.after(), request.page_size + 1))
    page, more = request.page(found, [event.seq for event in found])
    return {"ProfileHistoryRecords": [_summary(event, request) for event in page], **more}


def get_profile_history_record(store: Session, request: Request) -> dict[str, Any]:
    """One record with the content that the action left, or took away.

    Assumed: profiles that were bulk-loaded have no Content in their CREATED record.
    """
    domain = the_domain(store, request)
    event = table.find_record(store, _seq(store, domain.seq, request["ProfileId"]), request["Id"])
    if event is None:
        raise NotFound(f"Profile {request['ProfileId']} has no history record {request['Id']}")
    content = {"Content": event.content} if event.content else {}
    return {**_summary(event, request), **content}


def _seq(store: Session, domain: int, profile_id: str) -> int:
    profile = profiles.find_profile(store, domain, profile_id)
    seq = profiles.former_seq(store, domain, profile_id) if profile is None else profile.seq
    if seq is None:
        raise NotFound(f"Profile {profile_id} not found")
    return seq


def _performer(request: Request) -> str:
    return f"arn:aws:iam::{request.settings.account_id}:root"


def _summary(event: Event, request: Request) -> dict[str, Any]:
    return {
        "Id": event.record_id,
        "ObjectTypeName": event.object_type,
        "CreatedAt": event.at,
        "LastUpdatedAt": event.at,
        "ActionType": event.action,
        **({"ProfileObjectUniqueKey": event.unique_key} if event.unique_key else {}),
        "PerformedBy": _performer(request),
    }
