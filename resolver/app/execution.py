"""Carrying out one plan: read again, write down, send once, read back. In that order, always.

A merge cannot be undone and has no idempotency token, so an unknown outcome is settled by reading, never by
sending again; what reading cannot settle stops and waits for a person. There is no conditional write: between
the last reading and the merge a window of milliseconds remains in which a profile may still change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from resolver.errors import PlanRefused
from resolver.model.journal import JournalEntry, JournalState
from resolver.planning.fingerprint import fingerprint_profile
from resolver.planning.simulation import simulate_post_steps, simulate_step
from resolver.profiles.merging import Sending, Sight, Standing, look, merge_once
from resolver.profiles.reading import read_objects, read_profiles, search
from resolver.profiles.search_keys import SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from resolver.ledger.ledger import Ledger
    from resolver.model.merge_plan import MergePlan, MergeStep
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: Objects of one profile (AWS, Customer Profiles service quotas; adjustable). Beyond it old ones are evicted.
MOST_OBJECTS: Final = 1000
#: Attempts at one merge that the service throttles; nothing was done each time.
THROTTLE_ATTEMPTS: Final = 20
FIRST_LOOK: Final = 0.1  # seconds before the second look at members, doubled from there


class Result(StrEnum):
    """What became of one plan in one run."""

    APPLIED = "applied"  #: all its calls are done and read back
    ALREADY_APPLIED = "already applied"  #: an earlier run did it
    WOULD_APPLY = "would apply"  #: a dry run found nothing against it
    REFUSED = "refused"  #: not sent, or not further: a member changed or vanished, or a check said no
    FAILED = "failed"  #: the service did not execute it; it may be tried again
    UNCLEAR = "unclear"  #: neither as before nor as predicted; waits for a person
    NOT_REACHED = "not reached"  #: the run ended before it, or in the middle of it


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """One plan's result, its reason, and how many profiles this run merged away for it."""

    plan_id: str
    result: Result
    reason: str = ""
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms an executor works: whose run it is, the clock, and when it must stop.

    ``may_send`` is asked right before every merge and raises where the run has lost its lease;
    ``settle_seconds`` is how long a merge may take to show before its outcome is judged.
    """

    run_id: str
    actor: str
    clock: Callable[[], datetime]
    may_send: Callable[[], None]
    should_stop: Callable[[], bool]
    settle_seconds: float


class _Stop(Exception):  # a signal between two methods, never seen outside
    """A plan goes no further; carries why."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Call:
    """One merge call as it is about to be made."""

    plan_id: str
    number: int
    request: Mapping[str, Any]
    before: Mapping[str, Profile]
    expected: Profile


class Executor:
    """Carries out plans against one domain, every fact in the ledger before the next call."""

    def __init__(
        self, domain: Domain, ledger: Ledger, terms: Terms, object_types: Sequence[ObjectType]
    ) -> None:
        self._domain = domain
        self._ledger = ledger
        self._terms = terms
        self._object_types = object_types

    def execute(self, plan: MergePlan, done: int) -> PlanOutcome:
        """Carry out a plan, the first ``done`` of its calls excepted: those are done already.

        Raises:
            LedgerFailed: the ledger cannot take the next fact; nothing was sent without one.
            ServiceFailed, Unreachable: the domain could not be read; what is open stays open in the ledger.
        """
        merged = 0
        try:
            for number in range(done, len(plan.steps)):
                self._pause(number)
                self._merge(plan, number)
                merged += len(plan.steps[number].merged_profile_ids)
            for number in range(max(done, len(plan.steps)), _calls(plan)):
                self._pause(number)
                self._post(plan, number)
        except _Stop as stop:
            return PlanOutcome(plan.plan_id, stop.result, stop.reason, merged)
        return PlanOutcome(plan.plan_id, Result.APPLIED, merged=merged)

    def rehearse(self, plan: MergePlan, done: int) -> PlanOutcome:
        """All that speaks against a plan now; nothing is sent, nothing recorded."""
        step = plan.steps[min(done, len(plan.steps) - 1)]
        try:
            if done < len(plan.steps):
                self._read(step, self._fingerprints(plan, done))
        except PlanRefused as refusal:
            return PlanOutcome(plan.plan_id, Result.REFUSED, str(refusal))
        return PlanOutcome(plan.plan_id, Result.WOULD_APPLY)

    def settle(self, intent: JournalEntry) -> JournalEntry:
        """Classify by reading an intent that a dead run left open, and record what came of it."""
        request, expected = dict(intent.request or {}), dict(intent.expected or {})
        if "ProfileIdsToBeMerged" in request:
            sight = self._watch(request, (intent.before or {})["profiles"], expected)
            state = {
                Standing.AFTER: JournalState.DONE,
                Standing.BEFORE: JournalState.FAILED,
                Standing.MIXED: JournalState.UNCLEAR,
            }[sight.standing]
            detail = f"found after an interruption: {sight.detail}"
        else:
            shown = self._post_shows(request, expected)
            state = JournalState.DONE if shown else JournalState.FAILED
            detail = "found after an interruption" if shown else "not executed; it can be sent again"
        result = replace(intent, entry_id=None, state=state, before=None, expected=None)
        result = replace(result, detail=detail, actor=self._terms.actor, at=self._terms.clock())
        self._ledger.record_result(result)
        return result

    def _pause(self, number: int) -> None:
        if self._terms.should_stop():
            reason = f"stopped before call {number + 1}" if number else "stopped"
            raise _Stop(Result.NOT_REACHED, reason)

    def _merge(self, plan: MergePlan, number: int) -> None:
        step = plan.steps[number]
        try:
            before, objects = self._read(step, self._fingerprints(plan, number))
        except PlanRefused as refusal:
            if self._happened_late(plan, number):
                return
            self._refuse(plan, number, str(refusal))
        expected = simulate_step(before, step)
        if number + 1 == len(plan.steps) and expected != plan.predicted:
            self._refuse(plan, number, "the merge would not leave what the plan predicts")
        call = _Call(plan.plan_id, number, _request(step), before, expected)
        images = {"profiles": before, "objects": objects}
        self._terms.may_send()
        self._ledger.record_intent(self._entry(call, JournalState.INTENT, before=images, expected=expected))
        self._send(call)

    def _happened_late(self, plan: MergePlan, number: int) -> bool:
        """Whether a merge that an earlier run took for not executed was executed later; then it is done."""
        earlier = [entry for entry in self._ledger.entries_of(plan.plan_id) if entry.step == number]
        if not any(entry.state is JournalState.FAILED for entry in earlier):
            return False
        expected = self._ledger.expected_after(plan.plan_id, number)
        call = _Call(plan.plan_id, number, _request(plan.steps[number]), {}, expected)
        if look(self._domain, call.request, call.before, call.expected).standing is not Standing.AFTER:
            return False
        self._conclude(call, JournalState.DONE, "executed after it was taken for not executed")
        return True

    def _send(self, call: _Call) -> None:
        for attempt in range(THROTTLE_ATTEMPTS):
            self._terms.may_send()
            sent = merge_once(self._domain, call.request)
            if sent.outcome is not Sending.THROTTLED:
                break
            self._domain.sleep(min(FIRST_LOOK * 2**attempt, 5.0))
            if self._terms.should_stop():
                self._conclude(call, JournalState.FAILED, "throttled, and the run was stopped")
            if read_profiles(self._domain, list(call.before)) != call.before:
                self._conclude(
                    call, JournalState.REFUSED, "a member changed while the service was throttling"
                )
        if sent.outcome in (Sending.REFUSED, Sending.THROTTLED):
            self._conclude(call, JournalState.FAILED, sent.detail)
        if sent.outcome is Sending.ACCEPTED:
            self._ledger.record_result(self._entry(call, JournalState.SENT, response=sent.response))
        sight = self._watch(call.request, call.before, call.expected)
        if sight.standing is Standing.AFTER:
            self._conclude(call, JournalState.DONE, sent.detail)
        elif sight.standing is Standing.BEFORE and sent.outcome is Sending.UNKNOWN:
            self._conclude(call, JournalState.FAILED, f"not executed: {sent.detail}")
        else:
            self._conclude(call, JournalState.UNCLEAR, sight.detail)

    def _watch(self, request: Mapping[str, Any], before: Mapping[str, Profile], expected: Profile) -> Sight:
        """Look until the merge shows as predicted, or for as long as it may take to show."""
        for _ in self._waits():
            sight = look(self._domain, request, before, expected)
            if sight.standing is Standing.AFTER:
                break
        return sight

    def _conclude(self, call: _Call, state: JournalState, detail: str) -> None:
        """Record a call's end; anything but done ends its plan."""
        self._ledger.record_result(self._entry(call, state, detail=detail))
        if state is not JournalState.DONE:
            raise _Stop(Result(state.value), _at(call.number, detail))

    def _refuse(self, plan: MergePlan, number: int, reason: str) -> NoReturn:
        call = _Call(plan.plan_id, number, {}, {}, {})
        self._ledger.record_result(self._entry(call, JournalState.REFUSED, detail=reason))
        raise _Stop(Result.REFUSED, _at(number, reason))

    def _read(
        self, step: MergeStep, fingerprints: Mapping[str, str]
    ) -> tuple[dict[str, Profile], dict[str, Any]]:
        """The members as they are now, and their objects.

        Raises:
            PlanRefused: a member is gone or not what was planned on, or the objects would be too many.
        """
        profile_ids = [step.main_profile_id, *step.merged_profile_ids]
        there = read_profiles(self._domain, profile_ids)
        if gone := [i for i in profile_ids if i not in there]:
            raise PlanRefused(f"deleted or merged away since it was planned: {', '.join(gone)}")
        if changed := [i for i in profile_ids if fingerprint_profile(there[i]) != fingerprints.get(i)]:
            raise PlanRefused(f"changed since it was planned: {', '.join(changed)}")
        frames = self._domain.each(lambda i: read_objects(self._domain, i, self._object_types), profile_ids)
        count = sum(frame.height for frame in frames)
        if count > MOST_OBJECTS:
            raise PlanRefused(
                f"{count} objects would come together, {MOST_OBJECTS} are allowed on one profile"
            )
        kept = ("object_type_name", "unique_key", "object")
        objects = {i: frame.select(kept).to_dicts() for i, frame in zip(profile_ids, frames, strict=True)}
        return there, objects

    def _fingerprints(self, plan: MergePlan, number: int) -> Mapping[str, str]:
        """What each member must hash to: as planned; the main profile as the step before was to leave it."""
        if not number:
            return plan.fingerprints
        left = self._ledger.expected_after(plan.plan_id, number - 1)
        return {**plan.fingerprints, plan.main_profile_id: fingerprint_profile(left)}

    def _post(self, plan: MergePlan, number: int) -> None:
        """One call after the merges; sent again where the outcome is unknown, which is safe with these."""
        post = plan.post_steps[number - len(plan.steps)]
        earlier = plan.post_steps[: number - len(plan.steps)]
        before = simulate_post_steps(dict(plan.predicted), earlier)
        expected = simulate_post_steps(before, [post])
        there = read_profiles(self._domain, [plan.main_profile_id])
        if there != {plan.main_profile_id: before}:
            self._refuse(plan, number, f"survivor {plan.main_profile_id} changed since it was merged")
        request = {"operation": post.operation, **post.request}
        call = _Call(plan.plan_id, number, request, there, expected)
        images = {"profiles": there, "objects": {}}
        self._terms.may_send()
        self._ledger.record_intent(self._entry(call, JournalState.INTENT, before=images, expected=expected))
        self._domain.require(post.operation, **post.request)
        shown = any(self._post_shows(request, expected) for _ in self._waits())
        state = JournalState.DONE if shown else JournalState.UNCLEAR
        self._conclude(call, state, "" if shown else "sent, and does not show")

    def _post_shows(self, request: Mapping[str, Any], expected: Profile) -> bool:
        profile_id = request["ProfileId"]
        if request["operation"] == "update_profile":
            return read_profiles(self._domain, [profile_id]) == {profile_id: expected}
        hits = (search(self._domain, [SearchKey(request["KeyName"], v)]) for v in request["Values"])
        return all(profile_id in {item["ProfileId"] for item in items} for items in hits)

    def _waits(self) -> Iterator[None]:
        """Once at once, then with growing pauses for as long as a call may take to show."""
        pause = FIRST_LOOK
        waited = 0.0
        yield
        while waited < self._terms.settle_seconds:
            self._domain.sleep(pause)
            waited += pause
            pause *= 2
            yield

    def _entry(self, call: _Call, state: JournalState, **facts: Any) -> JournalEntry:
        given: dict[str, Any] = {"before": None, "expected": None, "response": None, "detail": ""} | facts
        return JournalEntry(
            entry_id=None,
            run_id=self._terms.run_id,
            plan_id=call.plan_id,
            step=call.number,
            state=state,
            request=call.request or None,
            actor=self._terms.actor,
            at=self._terms.clock(),
            **given,
        )


def _request(step: MergeStep) -> dict[str, Any]:
    """The members of one MergeProfiles call, without the domain."""
    request: dict[str, Any] = {
        "MainProfileId": step.main_profile_id,
        "ProfileIdsToBeMerged": list(step.merged_profile_ids),
    }
    return request | ({"FieldSourceProfileIds": step.field_sources} if step.field_sources else {})


def _calls(plan: MergePlan) -> int:
    return len(plan.steps) + len(plan.post_steps)


def _at(number: int, reason: str) -> str:
    return f"call {number + 1}: {reason}" if number else reason
