"""Which plans must not be carried out beside each other: those that share a profile, whatever its id is now.

A plan names the ids that its profiles had when it was made. One of them may have been merged away since, or
restored under a new id, and stand in another plan under the id that holds its content today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan


class Clashes:
    """The profiles that plans of this run have taken, and those that wait for a person.

    ``waiting`` maps such a profile to its plan; ``survivors`` each id that is gone to the one that holds its
    content now (``Ledger.survivors``). What a plan has taken stays taken: afterwards its profiles are others.
    """

    def __init__(self, waiting: Mapping[str, str], survivors: Mapping[str, str]) -> None:
        self._survivors = survivors
        self._waiting = {name: plan_id for i, plan_id in waiting.items() for name in self._names(i)}
        self._taken: dict[str, str] = {}

    def take(self, plan: MergePlan) -> None:
        """From now on no other plan may have its profiles."""
        self._taken |= dict.fromkeys(self._all_names(plan), plan.plan_id)

    def why(self, plan: MergePlan) -> str | None:
        """Why a plan cannot be carried out, if another one has some of its profiles."""
        names = self._all_names(plan)
        if held := sorted({self._waiting[name] for name in names & self._waiting.keys()}):
            return f"shares profiles with plan {', '.join(held)}, which waits for a person"
        if taken := sorted({self._taken[name] for name in names & self._taken.keys()}):
            return f"shares profiles with plan {', '.join(taken)}"
        return None

    def _all_names(self, plan: MergePlan) -> set[str]:
        return {name for profile_id in plan.profile_ids for name in self._names(profile_id)}

    def _names(self, profile_id: str) -> set[str]:
        return {profile_id, self._survivors.get(profile_id, profile_id)}


def members_of(entries: Sequence[JournalEntry]) -> dict[str, str]:
    """The profiles of calls and their plans, by the journal: the images may have been erased."""
    return {
        profile_id: entry.plan_id
        for entry in entries
        for name in ("MainProfileId", "ProfileId", "ProfileIdsToBeMerged")
        for profile_id in _listed((entry.request or {}).get(name))
    }


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else value or []
