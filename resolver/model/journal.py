"""The journal: what was done to real profiles, entry by entry, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class JournalState(StrEnum):
    """How far one merge step has come; each state is an entry of its own."""

    INTENT = "intent"  #: everything needed to undo it is on disk, nothing was sent
    SENT = "sent"  #: the service answered that the merge is accepted
    DONE = "done"  #: read back: the survivor is as predicted, the merged profiles are gone
    REFUSED = "refused"  #: not sent: a member changed, vanished, or a check said no
    FAILED = "failed"  #: the service refused it and nothing was changed
    UNCLEAR = "unclear"  #: read back neither as before nor as predicted; waits for a person
    CLOSED = "closed"  #: a person has looked: the plan stays as far as it has come


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One fact about one merge step.

    An intent carries ``before``, the full snapshots of all members (``profiles``, ``objects`` and known
    ``keys``, by profile id; the ``request`` of a call that sends values), and ``expected``, the profile that
    is to be there afterwards: enough to tell later, by reading alone, whether the merge happened, and to undo
    it. A result carries what the service's ``history`` says, and ``actual``, the members as they were read,
    where these are not as predicted. ``request`` holds ids and field names only.
    """

    entry_id: int | None
    run_id: str
    plan_id: str
    step: int
    state: JournalState
    before: Mapping[str, Any] | None
    expected: Mapping[str, Any] | None
    request: Mapping[str, Any] | None
    response: Mapping[str, Any] | None
    detail: str
    actor: str
    at: datetime
    history: str = ""
    actual: Mapping[str, Any] | None = None
