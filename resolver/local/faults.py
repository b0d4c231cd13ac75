"""Failures on demand, for tests and drills: throttling, and calls whose outcome stays unknown."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from resolver.local.refusal import AccessDenied, InternalFailure, Throttled
from resolver.local.wire import render_refusal

if TYPE_CHECKING:
    from resolver.local.wire import HttpResponse

FaultKind = Literal["throttle", "deny", "fail_before", "fail_after", "delay_after", "reset_after"]

# Default quotas per account in calls per second (AWS, "Customer Profiles service quotas"); all others have
# 100.
QUOTAS = {
    **dict.fromkeys(
        (
            "CreateDomain",
            "UpdateDomain",
            "DeleteDomain",
            "PutProfileObjectType",
            "DeleteProfileObjectType",
            "PutIntegration",
            "DeleteIntegration",
        ),
        1,
    ),
    **dict.fromkeys(
        (
            "GetDomain",
            "ListDomains",
            "ListProfileObjectTypes",
            "ListProfileObjectTypeTemplates",
            "GetProfileObjectTypeTemplate",
            "GetIntegration",
            "ListIntegrations",
            "ListTagsForResource",
            "TagResource",
            "UntagResource",
        ),
        5,
    ),
    "GetProfileObjectType": 10,
}
_COMMON_QUOTA = 100
_BEFORE = frozenset({"throttle", "deny", "fail_before"})
_AFTER = frozenset({"fail_after", "delay_after", "reset_after"})


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of an operation, after letting `skip` of them pass.

    throttle: 429, nothing done. deny: 403, nothing done. fail_before: 500, nothing done. fail_after: 500
    although it was done. delay_after: done, the answer comes `seconds` later. reset_after: done, the
    connection is reset instead of an answer. The kinds with `after` count and strike only calls that succeed.
    """

    kind: FaultKind
    times: int = 1
    skip: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Faults:
    """The switches of one service. Nothing fails until something is planned here."""

    quotas: bool = False
    rates: dict[str, float] = field(default_factory=dict)  # quotas other than the default ones
    planned: dict[str, list[Fault]] = field(default_factory=dict)
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, operation: str, fault: Fault) -> None:
        """Queue a fault for an operation; several are worked off in order."""
        with self._lock:
            self.planned.setdefault(operation, []).append(fault)

    def clear(self) -> None:
        """Forget everything planned."""
        with self._lock:
            self.planned.clear()

    def before(self, operation: str, at: float) -> bool:
        """Refuse the call before any work, if that is its lot; else whether it counted against a fault."""
        with self._lock:
            if self.quotas and not self._take_token(operation, at):
                raise Throttled("Rate exceeded")
            met = self._is_planned(operation, _BEFORE)
            fault = self._next(operation) if met else None
        if fault is not None and fault.kind == "throttle":
            raise Throttled("Rate exceeded")
        if fault is not None and fault.kind == "deny":
            raise AccessDenied(f"User is not authorized to perform: profile:{operation}")
        if fault is not None and fault.kind == "fail_before":
            raise InternalFailure("injected before work")
        return met

    def after(self, operation: str, response: HttpResponse, *, met: bool) -> HttpResponse:
        """The answer that leaves the service once the work of `operation` is committed.

        A call that was refused never comes here: it uses up no fault that has work come before it. `met` is
        what `before` told of this call.
        """
        with self._lock:
            meets = not met and self._is_planned(operation, _AFTER)
            fault = self._next(operation) if meets else None
        if fault is None:
            return response
        if fault.kind == "fail_after":
            return render_refusal(InternalFailure(f"injected after {operation} was committed"))
        return replace(response, delay_seconds=fault.seconds, reset=fault.kind == "reset_after")

    def _is_planned(self, operation: str, kinds: frozenset[str]) -> bool:
        """Whether the fault whose turn it is has one of these kinds."""
        queue = self.planned.get(operation)
        return queue is not None and len(queue) > 0 and queue[0].kind in kinds

    def _next(self, operation: str) -> Fault | None:
        """Count one call against the fault whose turn it is; the fault, if it strikes."""
        queue = self.planned[operation]
        fault = queue[0]
        if fault.skip > 0:
            fault.skip -= 1
            return None
        fault.times -= 1
        if fault.times <= 0:
            queue.pop(0)
        return fault

    def _take_token(self, operation: str, at: float) -> bool:
        """A bucket of one second's quota, refilled continuously (the real burst size is not published)."""
        rate = self.rates.get(operation, QUOTAS.get(operation, _COMMON_QUOTA))
        tokens, since = self._buckets.get(operation, (float(rate), at))
        tokens = min(float(rate), tokens + max(0.0, at - since) * rate)
        taken = tokens >= 1
        self._buckets[operation] = (tokens - taken, at)
        return taken
