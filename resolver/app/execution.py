"""Carrying out one plan: read again, write down, send once in its turn, read back. In that order, always.

A merge cannot be undone and has no idempotency token, so an unknown outcome is settled by reading, never by
sending again; what reading cannot settle stops and waits for a person. There is no conditional write: between
the last reading and the merge a window of milliseconds remains in which a profile may still change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from resolver.app.calls import FIRST_LOOK, Call, CallJournal, Moment, Result, Stop, looks
from resolver.app.post_steps import PostSteps
from resolver.app.preflight import HoldsCases, Preflight
from resolver.app.rehearsal import Rehearsal, calls_of, request_of
from resolver.app.turns import STALE, Turns
from resolver.errors import LedgerFailed, PlanRefused
from resolver.model.journal import JournalState
from resolver.planning.fingerprint import fingerprint_profile
from resolver.planning.simulation import simulate_step
from resolver.profiles.merge_history import count_merges
from resolver.profiles.merging import Sending, Sight, Standing, look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.calls import Terms
    from resolver.ledger.ledger import Ledger
    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: Attempts at one merge that the service throttles; nothing was done each time.
THROTTLE_ATTEMPTS: Final = 20
#: How the history is said to show a merge.
MERGED_SINCE: Final = "MERGED since the intent"


@dataclass(frozen=True, slots=True)
class PlanOutcome:
    """One plan's result, its reason, and how many profiles this run merged away for it.

    ``calls`` are those that a dry run would have made: operations, ids and field names, no values.
    """

    plan_id: str
    result: Result
    reason: str = ""
    merged: int = 0
    calls: tuple[Mapping[str, Any], ...] = ()


class Executor:
    """Carries out plans against one domain, every fact in the ledger before the next call."""

    def __init__(
        self, domain: Domain, ledger: Ledger, terms: Terms, object_types: Sequence[ObjectType]
    ) -> None:
        self._domain = domain
        self._ledger = ledger
        self._terms = terms
        self._preflight = Preflight(domain, object_types, terms.allow_cases, terms.max_objects)
        self._journal = CallJournal(ledger, terms)
        self._rehearsal = Rehearsal(self._preflight)
        self._turns = Turns(domain, self._journal)
        self._post_steps = PostSteps(self._turns)

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
            for number in range(max(done, len(plan.steps)), len(plan.steps) + len(plan.post_steps)):
                self._pause(number)
                self._post_steps.make(plan, number)
        except Stop as stop:
            return PlanOutcome(plan.plan_id, stop.result, stop.reason, merged)
        return PlanOutcome(plan.plan_id, Result.APPLIED, merged=merged)

    def rehearse(self, plan: MergePlan, done: int) -> PlanOutcome:
        """All that speaks against a plan now, and the calls it would make; nothing is sent or recorded."""
        try:
            self._rehearsal.check(plan, done, self._fingerprints(plan, done))
        except HoldsCases as refusal:
            return PlanOutcome(plan.plan_id, Result.HELD, str(refusal))
        except PlanRefused as refusal:
            return PlanOutcome(plan.plan_id, Result.REFUSED, str(refusal))
        return PlanOutcome(plan.plan_id, Result.WOULD_APPLY, calls=calls_of(plan, done))

    def settle(self, intent: JournalEntry) -> JournalEntry:
        """Classify by reading an intent that a dead run left open, and record what came of it."""
        before = intent.before
        request, expected = dict(intent.request or {}), dict(intent.expected or {})
        facts: dict[str, Any] = {}
        if before is None:
            return self._record(intent, JournalState.UNCLEAR, "open, and its before-image is gone", facts)
        if "ProfileIdsToBeMerged" in request:
            sight = self._watch(request, before["profiles"], expected)
            state = {
                Standing.AFTER: JournalState.DONE,
                Standing.BEFORE: JournalState.FAILED,
                Standing.MIXED: JournalState.UNCLEAR,
            }[sight.standing]
            detail = f"found after an interruption: {sight.detail}"
            facts = {"history": self._history(request, before), "actual": sight.there}
        else:
            shown = self._post_steps.shows(before["request"], expected)
            state = JournalState.DONE if shown else JournalState.FAILED
            detail = "found after an interruption" if shown else "not executed; it can be sent again"
        return self._record(intent, state, detail, facts)

    def settle_late(self, given_up: JournalEntry) -> JournalEntry | None:
        """Whether a merge that an earlier run took for not executed was executed since.

        Then it is done; or unclear, where the survivor was edited since and only the service's history tells.
        """
        request, before = dict(given_up.request or {}), given_up.before
        merged = set(request.get("ProfileIdsToBeMerged", ()))
        if not merged or before is None or merged & self._ledger.survivors(self._domain.name).keys():
            return None
        sight = look(self._domain, request, before["profiles"], dict(given_up.expected or {}))
        facts: dict[str, Any]
        if sight.standing is Standing.AFTER:
            facts = {"history": self._history(request, before)}
            detail = "executed after it was taken for not executed"
            return self._record(given_up, JournalState.DONE, detail, facts)
        there = sight.there or {}
        if request["MainProfileId"] not in there or merged & there.keys():
            return None
        history = self._history(request, before)
        if MERGED_SINCE not in history:
            return None
        facts = {"history": history, "actual": there}
        detail = f"executed after it was taken for not executed, it seems: {sight.detail}"
        return self._record(given_up, JournalState.UNCLEAR, detail, facts)

    def _record(
        self, intent: JournalEntry, state: JournalState, detail: str, facts: Mapping[str, Any]
    ) -> JournalEntry:
        result = replace(intent, entry_id=None, state=state, before=None, expected=None, response=None)
        result = replace(result, detail=detail, actor=self._terms.actor, at=self._terms.clock(), **facts)
        self._ledger.record_result(result)
        return result

    def _pause(self, number: int) -> None:
        if reason := self._terms.why_stop():
            raise Stop(Result.NOT_REACHED, f"{reason} before call {number + 1}" if number else reason)

    def _merge(self, plan: MergePlan, number: int) -> None:
        step = plan.steps[number]
        try:
            members = self._preflight.read(step, self._fingerprints(plan, number))
        except HoldsCases as refusal:
            self._journal.refuse(plan.plan_id, number, str(refusal), Result.HELD)
        except PlanRefused as refusal:
            late = self._happened_late(plan, number)
            if late is None:
                self._journal.refuse(plan.plan_id, number, str(refusal))
            if late.state is JournalState.UNCLEAR:
                raise Stop(Result.UNCLEAR, late.detail) from None
            return
        expected = simulate_step(members.profiles, step)
        if number + 1 == len(plan.steps) and expected != plan.predicted:
            self._journal.refuse(plan.plan_id, number, "the merge would not leave what the plan predicts")
        call = Call(plan.plan_id, number, request_of(step), members.image, expected)
        self._terms.at_moment(Moment.BEFORE_INTENT, number)
        self._terms.may_send()
        self._journal.intend(call)
        self._terms.at_moment(Moment.AFTER_INTENT, number)
        self._send(call, members.read_at)

    def _happened_late(self, plan: MergePlan, number: int) -> JournalEntry | None:
        """As ``settle_late``, for what happened since the run began."""
        earlier = [entry for entry in self._ledger.entries_of(plan.plan_id) if entry.step == number]
        if not any(entry.state is JournalState.FAILED for entry in earlier):
            return None
        try:
            intent = self._ledger.intent_of(plan.plan_id, number)
        except LedgerFailed:
            return None  # its image has expired: nothing to compare with
        return self.settle_late(intent)

    def _send(self, call: Call, read_at: float) -> None:
        conclude = self._journal.conclude
        for attempt in range(THROTTLE_ATTEMPTS):
            sent = self._turns.send(call, ("merge_profiles", call.request), read_at)
            if sent.outcome is not Sending.THROTTLED:
                break
            read_at = STALE
            self._domain.sleep(min(FIRST_LOOK * 2**attempt, 5.0))
        self._journal.check_allowed(call, sent)
        if sent.outcome in (Sending.REFUSED, Sending.THROTTLED):
            conclude(call, JournalState.FAILED, sent.detail)
        if sent.outcome is Sending.ACCEPTED:
            self._journal.sent(call, sent.response)
        self._terms.at_moment(Moment.AFTER_SEND, call.number)
        sight = self._watch(call.request, call.before, call.expected)
        self._terms.at_moment(Moment.DURING_VERIFY, call.number)
        history = self._history(call.request, call.image)
        if sight.standing is Standing.AFTER:
            conclude(call, JournalState.DONE, sent.detail, history=history)
        elif sight.standing is Standing.BEFORE and sent.outcome is not Sending.ACCEPTED:
            conclude(call, JournalState.FAILED, f"not executed: {sent.detail}")
        else:
            conclude(call, JournalState.UNCLEAR, sight.detail, history=history, actual=sight.there)

    def _watch(self, request: Mapping[str, Any], before: Mapping[str, Profile], expected: Profile) -> Sight:
        """Look until the merge shows as predicted, or for as long as it may take to show."""
        for _ in looks(self._domain, self._terms.settle_seconds):
            sight = look(self._domain, request, before, expected)
            if sight.standing is Standing.AFTER:
                break
        return sight

    def _history(self, request: Mapping[str, Any], image: Mapping[str, Any]) -> str:
        """What the service's history of the survivor says; it may lag, so it proves and never denies."""
        before = image.get("merges_in_history")
        now = None if before is None else count_merges(self._domain, request["MainProfileId"])
        if before is None or now is None:
            return "cannot be read"
        return f"{now - before} {MERGED_SINCE}" if now > before else "shows no MERGED yet"

    def _fingerprints(self, plan: MergePlan, number: int) -> Mapping[str, str]:
        """What each member must hash to: as planned; the main profile as the step before was to leave it."""
        if not 0 < number < len(plan.steps):
            return plan.fingerprints
        left = self._ledger.intent_of(plan.plan_id, number - 1).expected or {}
        return {**plan.fingerprints, plan.main_profile_id: fingerprint_profile(left)}
