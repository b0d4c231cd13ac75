"""Before the first call of a run: may anybody merge in this domain now, on these plans, under this name?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from threading import Lock
from typing import TYPE_CHECKING, Final

from resolver.app.preflight import MOST_OBJECTS
from resolver.errors import Held
from resolver.profiles.domain import describe_domain
from resolver.profiles.identity import role_of
from resolver.profiles.matching_run import matched_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resolver.model.rule_set import RuleSet
    from resolver.profiles.domain import Domain

#: How long a run believes that AWS does not merge in its domain.
ASKED_AGAIN: Final = timedelta(minutes=1)
#: Plans may be this much younger than now: clocks of two hosts differ, or one is put right.
_MOST_AHEAD_DAYS: Final = 1.0


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
    if reason := _merging_by_aws(domain):
        raise Held(f"{reason}; switch it off there first")


class Lookout:
    """Whether AWS has begun to merge in a domain while a run is at work there."""

    def __init__(self, domain: Domain, clock: Callable[[], datetime]) -> None:
        self._domain = domain
        self._clock = clock
        self._asked_at = clock()
        self._reason: str | None = None
        self._lock = Lock()

    def why_stop(self) -> str | None:
        """The reason to send nothing more, if there is one; the domain is asked once a minute, not each time.

        Raises:
            UnknownDomain, Unreachable, ServiceFailed: the domain cannot be read.
        """
        with self._lock:
            now = self._clock()
            if self._reason is None and abs(now - self._asked_at) >= ASKED_AGAIN:
                self._reason = _merging_by_aws(self._domain)
                self._asked_at = now
            return self._reason


def _merging_by_aws(domain: Domain) -> str | None:
    by_aws = describe_domain(domain).merging_by_aws
    if not by_aws:
        return None
    return (
        f"domain {domain.name}: AWS merges profiles there, too ({', '.join(by_aws)}): two writers would "
        "merge the same profiles"
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
