"""One call of a plan as it is about to be made, and how its facts get into the journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from resolver.app.preflight import MOST_OBJECTS
from resolver.errors import ServiceFailed
from resolver.model.journal import JournalEntry, JournalState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.merging import Sent

FIRST_LOOK: Final = 0.1  # seconds before the second look at what was sent, doubled from there


class Result(StrEnum):
    """What became of one plan in one run."""

    APPLIED = "applied"  #: all its calls are done and read back
    ALREADY_APPLIED = "already applied"  #: an earlier run did it
    WOULD_APPLY = "would apply"  #: a dry run found nothing against it
    REFUSED = "refused"  #: not sent, or not further: a member changed or vanished, or a check said no
    HELD = "held"  #: not sent, or not further: a person must allow it
    FAILED = "failed"  #: the service did not execute it; it may be tried again
    UNCLEAR = "unclear"  #: neither as before nor as predicted; waits for a person
    NOT_REACHED = "not reached"  #: the run ended before it, or in the middle of it


class Moment(StrEnum):
    """The instants at which an executor is told of: drills and tests strike there."""

    BEFORE_INTENT = "before intent"
    AFTER_INTENT = "after intent"
    AFTER_SEND = "after send"
    DURING_VERIFY = "during verify"
    POST_STEP_INTENT = "post-step, after intent"
    POST_STEP_SENT = "post-step, after send"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an executor works: whose run it is, the clock, and when it must stop.

    ``may_send`` is asked right before every call and raises where the run has lost its lease; ``why_stop``
    is asked before every call is prepared and again when its turn has come, and gives the reason to end, if
    any; ``settle_seconds`` is how long a merge may take to show before its outcome is judged;
    ``max_objects`` how many one profile may have. ``at_moment`` is told of each moment and its call's number.
    """

    run_id: str
    actor: str
    clock: Callable[[], datetime]
    may_send: Callable[[], None]
    why_stop: Callable[[], str | None]
    settle_seconds: float
    allow_cases: bool = False
    max_objects: int = MOST_OBJECTS
    at_moment: Callable[[Moment, int], None] = lambda *_: None


class Stop(Exception):  # a signal between rooms of the executor, never seen outside
    """A plan goes no further; carries why."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it is about to be made. ``image`` is what the ledger keeps of before."""

    plan_id: str
    number: int
    request: Mapping[str, Any]
    image: Mapping[str, Any]
    expected: Profile

    @property
    def before(self) -> Mapping[str, Profile]:
        """The members as they are before it."""
        profiles: Mapping[str, Profile] = self.image.get("profiles", {})
        return profiles


@dataclass(frozen=True, slots=True)
class CallJournal:
    """Puts the facts of calls on disk, one after another."""

    ledger: Ledger
    terms: Terms

    def intend(self, call: Call) -> None:
        """On disk with everything needed to tell later whether it happened, and to undo it."""
        facts = {"before": call.image, "expected": call.expected}
        self.ledger.record_intent(self.entry(call, JournalState.INTENT, **facts))

    def sent(self, call: Call, response: Mapping[str, Any] | None) -> None:
        """The service accepted it."""
        self.ledger.record_result(self.entry(call, JournalState.SENT, response=response))

    def conclude(self, call: Call, state: JournalState, detail: str, **facts: Any) -> None:
        """Record a call's end; anything but done ends its plan."""
        self.ledger.record_result(self.entry(call, state, detail=detail, **facts))
        if state is not JournalState.DONE:
            raise Stop(Result(state.value), _at(call.number, detail))

    def not_sent(self, call: Call, reason: str) -> None:
        """Record of an intent that it came to nothing: the call was not sent, or only throttled."""
        self.ledger.record_result(self.entry(call, JournalState.REFUSED, detail=reason))

    def check_allowed(self, call: Call, sent: Sent) -> None:
        """See that the role may make such calls: every other one would be refused, too.

        Raises:
            ServiceFailed: it may not; the call is recorded as failed.
        """
        if sent.forbidden:
            self.ledger.record_result(self.entry(call, JournalState.FAILED, detail=sent.detail))
            raise ServiceFailed(f"{sent.detail}: the role may not do that; nothing was changed by this call")

    def refuse(self, plan_id: str, number: int, reason: str, result: Result = Result.REFUSED) -> NoReturn:
        """Record why a call was not made."""
        call = Call(plan_id, number, {}, {}, {})
        self.ledger.record_result(self.entry(call, JournalState.REFUSED, detail=reason))
        raise Stop(result, _at(number, reason))

    def entry(self, call: Call, state: JournalState, **facts: Any) -> JournalEntry:
        """One fact about a call."""
        given: dict[str, Any] = {"before": None, "expected": None, "response": None, "detail": ""} | facts
        return JournalEntry(
            entry_id=None,
            run_id=self.terms.run_id,
            plan_id=call.plan_id,
            step=call.number,
            state=state,
            request=call.request or None,
            actor=self.terms.actor,
            at=self.terms.clock(),
            **given,
        )


def looks(domain: Domain, seconds: float) -> Iterator[None]:
    """Once at once, then with growing pauses for as long as a call may take to show."""
    pause = FIRST_LOOK
    waited = 0.0
    yield
    while waited < seconds:
        domain.sleep(pause)
        waited += pause
        pause *= 2
        yield


def _at(number: int, reason: str) -> str:
    return f"call {number + 1}: {reason}" if number else reason
