"""Sending a call that changes something, once, and telling by reading alone whether a merge happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from resolver.model.profile import by_id, without_blanks
from resolver.profiles.failures import Failure, code_of, described, is_forbidden, is_not_found, kind_of
from resolver.profiles.frontier import KEYS_PER_SEARCH
from resolver.profiles.reading import search
from resolver.profiles.search_keys import PROFILE_ID, SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain


class Sending(StrEnum):
    """What came of one send."""

    ACCEPTED = "accepted"  #: HTTP 200: accepted and normally done
    THROTTLED = "throttled"  #: not executed; the only outcome after which the same merge may be sent again
    REFUSED = "refused"  #: not executed, or it never left this machine
    MISSING = "missing"  #: not executed: what it speaks of is not there
    UNKNOWN = "unknown"  #: 5xx, time-out, dropped connection: executed or not, only reading tells


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one send, the answer where there was one, and what to tell a person.

    ``forbidden``: it was refused because the role may not make such a call.
    """

    outcome: Sending
    response: Mapping[str, Any] | None
    detail: str
    forbidden: bool = False


def send_once(
    domain: Domain, operation: str, request: Mapping[str, Any], allowed: Callable[[], None]
) -> Sent:
    """Send one call that changes something exactly once, in its turn.

    ``allowed`` is asked when the turn has come, right before the call; what it raises goes to the caller, and
    nothing is sent.
    """
    started = domain.clients.merge_pace.in_turn(allowed)
    domain.calls.add(operation)
    try:
        answer = getattr(domain.clients.merge, operation)(DomainName=domain.name, **request)
    except (ClientError, BotoCoreError) as error:
        detail = str(described(error, operation, domain.clients.endpoint))
        kind = kind_of(error)
        if kind is Failure.THROTTLED:
            domain.clients.merge_pace.throttled(started)
            return Sent(Sending.THROTTLED, None, detail)
        if kind is Failure.UNKNOWN:
            return Sent(Sending.UNKNOWN, None, detail)
        outcome = Sending.MISSING if is_not_found(error) else Sending.REFUSED
        return Sent(outcome, None, f"{detail} [{code_of(error)}]", is_forbidden(error))
    domain.clients.merge_pace.answered()
    metadata = answer.get("ResponseMetadata", {})
    response = {"Message": answer.get("Message"), "RequestId": metadata.get("RequestId")}
    if "ProfileId" in answer:
        response["ProfileId"] = answer["ProfileId"]
    return Sent(Sending.ACCEPTED, response, "")


class Standing(StrEnum):
    """Where the profiles of a merge stand."""

    BEFORE = "before"  #: all members are there, none has changed
    AFTER = "after"  #: the survivor is as predicted, the merged profiles are gone
    MIXED = "mixed"  #: neither; a person must look


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reading of a merge's members shows. ``detail`` names ids and fields, never a value.

    ``there`` are the members as read, where they stand neither before nor after.
    """

    standing: Standing
    detail: str
    there: Mapping[str, Profile] | None = None


def look(
    domain: Domain, request: Mapping[str, Any], before: Mapping[str, Profile], expected: Profile
) -> Sight:
    """Read a merge's members and tell where they stand.

    A merged id must find nothing, or only the survivor: the service may let it lead there.
    """
    members = [request["MainProfileId"], *request["ProfileIdsToBeMerged"]]
    hits: dict[str, Profile] = {}
    for start in range(0, len(members), KEYS_PER_SEARCH):
        keys = [SearchKey(PROFILE_ID, i) for i in members[start : start + KEYS_PER_SEARCH]]
        hits |= by_id(without_blanks(item) for item in search(domain, keys))
    if foreign := sorted(hits.keys() - set(members)):
        return Sight(Standing.MIXED, f"a search for the members finds {', '.join(foreign)}", hits)
    return compare(before, expected, hits)


def compare(before: Mapping[str, Profile], expected: Profile, there: Mapping[str, Profile]) -> Sight:
    """Where members stand that read ``there``, given what they were and what the survivor should be."""
    main_id = expected["ProfileId"]
    left = sorted(profile_id for profile_id in before if profile_id != main_id and profile_id in there)
    if dict(there) == dict(before):
        return Sight(Standing.BEFORE, "every member is as it was")
    if not left and there.get(main_id) == expected:
        return Sight(Standing.AFTER, "the survivor is as predicted")
    faults = []
    if main_id not in there:
        faults.append(f"main profile {main_id} is not there")
    elif differing := _differing(there[main_id], expected):
        faults.append(f"survivor {main_id} differs from the prediction in {', '.join(differing)}")
    if left:
        faults.append(f"still there: {', '.join(left)}")
    return Sight(Standing.MIXED, "; ".join(faults), dict(there))


def _differing(one: Profile, other: Profile) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
