"""The calls of a plan after its merges: UpdateProfile and AddProfileKey, for what a merge cannot express.

Both lead to the same end however often they are sent; so an unknown outcome is read, and sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.app.calls import Call, Moment, Result, Stop, looks
from resolver.app.turns import STALE
from resolver.model.journal import JournalState
from resolver.planning.simulation import simulate_post_steps
from resolver.profiles.merging import Sending
from resolver.profiles.reading import read_profiles, search
from resolver.profiles.search_keys import SearchKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.calls import CallJournal
    from resolver.app.turns import Turns
    from resolver.model.merge_plan import MergePlan, PostStep
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain

ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class PostSteps:
    """Makes them, one at a time, each in the journal before it is sent and read back after it."""

    turns: Turns

    @property
    def domain(self) -> Domain:
        """Where they are made."""
        return self.turns.domain

    @property
    def journal(self) -> CallJournal:
        """Where they are written down."""
        return self.turns.journal

    def make(self, plan: MergePlan, number: int) -> None:
        """The plan's call of that number, which comes after its merge steps.

        Raises:
            Stop: the survivor is not what the merges left, or the call was refused.
        """
        terms = self.journal.terms
        post = plan.post_steps[number - len(plan.steps)]
        before = simulate_post_steps(dict(plan.predicted), plan.post_steps[: number - len(plan.steps)])
        expected = simulate_post_steps(before, [post])
        read_at = self.domain.clients.merge_pace.now()
        there = read_profiles(self.domain, [plan.main_profile_id]).get(plan.main_profile_id)
        call = Call(plan.plan_id, number, legible(post), _image(post, there), expected)
        if there == expected != before and self._was_given_up(call):
            self.journal.conclude(call, JournalState.DONE, "executed after it was taken for not executed")
            return
        if there != before:
            reason = f"survivor {plan.main_profile_id} changed since it was merged"
            self.journal.refuse(plan.plan_id, number, reason)
        terms.may_send()
        self.journal.intend(call)
        terms.at_moment(Moment.POST_STEP_INTENT, number)
        self._send(call, post, read_at)
        terms.at_moment(Moment.POST_STEP_SENT, number)
        if any(self.shows(call.image["request"], expected) for _ in looks(self.domain, terms.settle_seconds)):
            self.journal.conclude(call, JournalState.DONE, "")
        else:
            self.journal.conclude(call, JournalState.UNCLEAR, "sent, and does not show")

    def shows(self, request: Mapping[str, Any], expected: Profile) -> bool:
        """Whether the survivor is as the call was to leave it."""
        profile_id = request["ProfileId"]
        if request["operation"] == "update_profile":
            return read_profiles(self.domain, [profile_id]) == {profile_id: expected}
        hits = (search(self.domain, [SearchKey(request["KeyName"], v)]) for v in request["Values"])
        return all(profile_id in {item["ProfileId"] for item in items} for items in hits)

    def _send(self, call: Call, post: PostStep, read_at: float | None) -> None:
        for attempt in range(ATTEMPTS):
            sent = self.turns.send(call, (post.operation, post.request), read_at)
            if sent.outcome is Sending.ACCEPTED:
                return
            self.journal.check_allowed(call, sent)
            if sent.outcome in (Sending.REFUSED, Sending.MISSING):
                self.journal.conclude(call, JournalState.FAILED, sent.detail)
            if sent.outcome is Sending.UNKNOWN:
                if self.shows(call.image["request"], call.expected):
                    return
                read_at = None
            elif read_at is not None:
                read_at = STALE
            self.domain.sleep(min(0.1 * 2**attempt, 5.0))
        raise Stop(Result.FAILED, f"call {call.number + 1}: {sent.detail}")

    def _was_given_up(self, call: Call) -> bool:
        earlier = self.journal.ledger.entries_of(call.plan_id)
        return any(e.step == call.number and e.state is JournalState.FAILED for e in earlier)


def legible(post: PostStep) -> dict[str, Any]:
    """What the journal says of the call: ids and names, no values."""
    names = [post.request["KeyName"]] if post.operation == "add_profile_key" else _fields(post.request)
    return {"operation": post.operation, "ProfileId": post.request["ProfileId"], "Fields": names}


def _fields(request: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in request if name != "ProfileId")


def _image(post: PostStep, there: Profile | None) -> dict[str, Any]:
    profiles = {} if there is None else {there["ProfileId"]: there}
    return {
        "profiles": profiles,
        "objects": {},
        "keys": {},
        "request": {"operation": post.operation, **post.request},
    }
