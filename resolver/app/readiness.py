"""Before the first call of a run: may anybody merge in this domain now, on these plans, under this name?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from resolver.app.preflight import MOST_OBJECTS
from resolver.errors import Held
from resolver.profiles.domain import describe_domain
from resolver.profiles.identity import role_of
from resolver.profiles.matching_run import matched_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.rule_set import RuleSet
    from resolver.profiles.domain import Domain


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rule set asks of a domain, beside its plans, before anything is merged there.

    ``allowed_roles`` are patterns of the caller's ARN; empty: whoever IAM lets. ``matching_days`` is how old
    the matching run may be whose agreement the plans needed; null: no plan needed it. ``max_objects`` is how
    many objects one profile may have, which is asked again before each merge.
    """

    allowed_roles: tuple[str, ...] = ()
    matching_days: float | None = None
    max_objects: int = MOST_OBJECTS

    @classmethod
    def of(cls, rules: RuleSet) -> Conditions:
        """Those of a rule set."""
        opinion = rules.second_opinion
        required = opinion.policy == "require_agreement"
        days = opinion.max_age_days if required else None
        return cls(rules.merging.allowed_roles, days, rules.merging.max_objects)


def check_ready(domain: Domain, conditions: Conditions, now: datetime) -> None:
    """See that merging may begin in this domain.

    Raises:
        Held: AWS merges there itself, the caller is none of the allowed roles, or the matching run that had
            to agree has become too old since the plans were made.
        UnknownDomain, Unreachable, ServiceFailed: the domain, or who the caller is, cannot be read.
    """
    check_nobody_else_merges(domain)
    check_role(domain, conditions.allowed_roles)
    if conditions.matching_days is not None:
        _check_matching(domain, conditions.matching_days, now)


def check_nobody_else_merges(domain: Domain) -> None:
    """See that AWS does not merge in this domain.

    Raises:
        Held: it does.
    """
    by_aws = describe_domain(domain).merging_by_aws
    if by_aws:
        raise Held(
            f"domain {domain.name}: AWS merges profiles there, too ({', '.join(by_aws)}): two writers would "
            "merge the same profiles; switch it off there first"
        )


def check_role(domain: Domain, allowed: Sequence[str]) -> None:
    """See that the caller is one of the roles that may change profiles here.

    Raises:
        Held: it is none of them.
    """
    if not allowed:
        return
    role = role_of(domain.clients)
    if not any(fnmatchcase(role, pattern) for pattern in allowed):
        raise Held(
            f"domain {domain.name}: {role} may not merge or restore; the rule set's "
            f"merging.allowed_roles are {', '.join(allowed)}"
        )


#: Plans may be this much younger than now: clocks of two hosts differ, or one is put right.
_MOST_AHEAD_DAYS: Final = 1.0


def _check_matching(domain: Domain, days: float, now: datetime) -> None:
    description = describe_domain(domain)
    generated = matched_at(domain) if description.matching_enabled else None
    if generated is None and description.rule_matching:
        return  # rules match as profiles come
    if generated is None:
        raise Held(f"domain {domain.name}: agreement with GetMatches is required, and it holds no run")
    age = (now - generated.astimezone(UTC)).total_seconds() / 86_400
    if age > days:
        raise Held(
            f"domain {domain.name}: agreement with GetMatches is required, and its run is {age:.1f} days "
            f"old; the rule set allows {days:g}"
        )


def check_age(directory: str, planned_at: datetime, days: float, now: datetime) -> None:
    """See that plans are not older than the rule set allows.

    A member that changed since refuses its own plan; a profile that came since, and that belongs to the same
    customer or speaks against the merge, shows to nobody who does not conclude anew. Plans from the
    future were made before a clock was set back: how old they are nobody knows.

    Raises:
        Held: they are older, or more than a day ahead.
    """
    age = (now - planned_at).total_seconds() / 86_400
    if age < -_MOST_AHEAD_DAYS:
        raise Held(
            f"{directory}: its plans were made {-age:.1f} days from now by this clock, which was set back "
            "since, or is wrong: set it, or run again"
        )
    if age > days:
        raise Held(
            f"{directory}: its plans are {age:.1f} days old, and the rule set's merging.max_plan_age_days is "
            f"{days:g}; run it again"
        )
