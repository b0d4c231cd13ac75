"""Who is who, and what to do about it: the composition of matching and planning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolver.matching.linkage import Linkage, link_profiles
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import DECISIONS, PROFILES, conform, empty
from resolver.planning.answered import without_answered
from resolver.planning.plans import Plans, plan_merges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from resolver.model.rule_set import RuleSet

    OnStage = Callable[[str, Mapping[str, int | float]], None]


def silent(_stage: str, _counts: Mapping[str, int | float]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beside the profiles: people's decisions (DECISIONS) and facts of the domain."""

    decisions: pl.DataFrame = field(default_factory=lambda: empty(DECISIONS))
    facts: DomainFacts = field(default_factory=DomainFacts)


@dataclass(frozen=True, slots=True)
class Resolution:
    """All that one run concluded, and nothing that it did."""

    linkage: Linkage
    planning: Plans


def resolve(
    profiles: pl.DataFrame,
    rules: RuleSet,
    evidence: Evidence | None = None,
    on_stage: OnStage = silent,
) -> Resolution:
    """Conclude who is who and plan the merges.

    Same profiles, rules and evidence, same answer, in any row order.

    Args:
        profiles: a PROFILES frame.
        rules: the rule set to decide by.
        evidence: decisions and facts; none by default.
        on_stage: called with the name and the counts of each stage when it ends.

    Raises:
        BadFrame: a frame is not of its schema.
    """
    evidence = evidence or Evidence()
    profiles = conform(profiles, PROFILES)
    linkage = link_profiles(profiles, rules, evidence.decisions, on_stage)
    planning = plan_merges(profiles, linkage.clusters, rules, evidence.facts)
    planning = without_answered(planning, linkage.clusters, evidence.decisions)
    on_stage("plan", {"plans": planning.table.height})
    return Resolution(linkage, planning)
