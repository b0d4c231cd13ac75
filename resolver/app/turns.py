"""A call at its turn: what was true when it was prepared is looked at again right before it is sent.

Between the reading that a call was prepared on and its turn under the pace may lie seconds: other plans'
calls, a 429, the reading of many objects. Meanwhile a profile may have changed, a person may have stopped the
run, or its window or its lease may have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from resolver.app.calls import Result, Stop
from resolver.profiles.merging import send_once
from resolver.profiles.reading import read_profiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.calls import Call, CallJournal
    from resolver.profiles.domain import Domain
    from resolver.profiles.merging import Sent

#: Members that were read longer ago, in seconds, are read again before the call.
FRESH: Final = 1.0
#: The moment of a reading that counts no more, as after a 429.
STALE: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Turns:
    """Where calls wait for their turn, and are sent in it once, or not at all."""

    domain: Domain
    journal: CallJournal

    def send(self, call: Call, what: tuple[str, Mapping[str, Any]], read_at: float | None) -> Sent:
        """Send an operation and its request in its turn. ``read_at``: when its members were read.

        Null where an earlier send of it may have been executed: then only the run is asked, not the members,
        and the intent stays open if it must stop.

        Raises:
            Stop: the run must stop, or a member changed; the journal says that it was not sent.
            AlreadyRunning: the lease is not sure any more. The journal is left to whoever has it now.
            ServiceFailed, Unreachable: the members could not be read again; the intent stays open.
        """
        return send_once(self.domain, *what, partial(self._look_again, call, read_at))

    def _look_again(self, call: Call, read_at: float | None) -> None:
        terms = self.journal.terms
        terms.may_send()
        if read_at is None:
            if reason := terms.why_stop():
                raise Stop(Result.NOT_REACHED, reason)
            return
        if self.domain.clients.merge_pace.now() - read_at > FRESH:
            there = read_profiles(self.domain, list(call.before))
            terms.may_send()
            if there != call.before:
                changed = sorted(i for i in call.before if there.get(i) != call.before[i])
                words = f"changed while the call waited for its turn: {', '.join(changed)}"
                self._not_sent(call, Result.REFUSED, words)
        if reason := terms.why_stop():
            self._not_sent(call, Result.NOT_REACHED, reason)

    def _not_sent(self, call: Call, result: Result, reason: str) -> NoReturn:
        self.journal.not_sent(call, f"not sent: {reason}")
        raise Stop(result, f"{reason} before call {call.number + 1}" if call.number else reason)
