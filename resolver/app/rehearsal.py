"""A dry run of one plan: what speaks against it now, and what it would send. Nothing is sent or recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.app.post_steps import legible
from resolver.errors import PlanRefused
from resolver.planning.simulation import simulate_post_steps, simulate_steps
from resolver.profiles.reading import read_profiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.app.preflight import Preflight
    from resolver.model.merge_plan import MergePlan, MergeStep
    from resolver.model.profile import Profile


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Goes through the calls of a plan without making one."""

    preflight: Preflight

    def check(self, plan: MergePlan, done: int, fingerprints: Mapping[str, str]) -> None:
        """See that the plan, the first ``done`` of its calls excepted, would leave what it predicts.

        ``fingerprints`` are what its members must hash to now. Every batch of a chain is read, with all that
        is asked of it before it is sent.

        Raises:
            PlanRefused: why it would not be carried out; HoldsCases, where a person may allow it.
        """
        steps = plan.steps[done:]
        if steps:
            left = simulate_steps(self._read(steps, fingerprints), steps)
            if left != plan.predicted:
                raise PlanRefused("the merge would not leave what the plan predicts")
            return
        before = simulate_post_steps(dict(plan.predicted), plan.post_steps[: done - len(plan.steps)])
        there = read_profiles(self.preflight.domain, [plan.main_profile_id])
        if there.get(plan.main_profile_id) != before:
            raise PlanRefused(f"survivor {plan.main_profile_id} changed since it was merged")

    def _read(self, steps: tuple[MergeStep, ...], fingerprints: Mapping[str, str]) -> Mapping[str, Profile]:
        profiles: dict[str, Profile] = {}
        objects: dict[str, int] = {}
        for step in steps:
            members = self.preflight.read(step, fingerprints)
            profiles |= members.profiles
            objects |= {profile_id: len(held) for profile_id, held in members.objects.items()}
        self.preflight.check_objects(sum(objects.values()))
        return profiles


def request_of(step: MergeStep) -> dict[str, Any]:
    """The members of one MergeProfiles call, without the domain."""
    request: dict[str, Any] = {
        "MainProfileId": step.main_profile_id,
        "ProfileIdsToBeMerged": list(step.merged_profile_ids),
    }
    return request | ({"FieldSourceProfileIds": step.field_sources} if step.field_sources else {})


def calls_of(plan: MergePlan, done: int) -> tuple[dict[str, Any], ...]:
    """The calls that a plan still makes, in their order: operations, ids and field names, no values."""
    merges = [{"operation": "merge_profiles", **request_of(step)} for step in plan.steps]
    return tuple((merges + [legible(post) for post in plan.post_steps])[done:])
