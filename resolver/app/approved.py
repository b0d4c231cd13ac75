"""Use case: what reviewers approved of a run is carried out as they approved it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resolver.app.gating import refuse_held
from resolver.app.results import read_plans
from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.reading import read_batch
from resolver.app.reviewing.releasing import releasable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from resolver.ledger.ledger import Ledger
    from resolver.model.merge_plan import MergePlan
    from resolver.model.rule_set import RuleSet


def with_approved(
    ready: Sequence[MergePlan], directory: Path, rules: RuleSet, memory: tuple[str, Ledger]
) -> list[MergePlan]:
    """The approved plans of a run, with the main profiles and sources that people chose, then the ready ones.

    A ready plan that shares a profile with an approved one is left to the next run: what people approved
    comes first. ``memory`` is the domain's name and its ledger.

    Raises:
        Held: a gate holds the run.
        BadFile: a file of the run is missing, or it was made with another rule set.
    """
    refuse_held(read_plans(directory), memory, "")
    approved = list(releasable(Desk(read_batch(directory, rules), memory[1].reviews)))
    taken = {profile_id for plan in approved for profile_id in plan.profile_ids}
    return approved + [plan for plan in ready if not taken.intersection(plan.profile_ids)]
