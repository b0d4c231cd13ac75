"""Which plans may run without a person: only those without a doubt that the rule set does not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.model.canonical import canonical_json
from resolver.planning.likeness import likeness
from resolver.planning.members import object_count, size_in_kb
from resolver.planning.survivorship import BY_PERSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Sized

    from resolver.model.merge_plan import Disposal, FieldChoice
    from resolver.model.profile import Profile
    from resolver.model.survivorship_policy import Doubt, Merging, Survivorship
    from resolver.planning.members import Member

#: Doubts that clustering reports as columns of its frame, and what they mean.
CLUSTER_DOUBTS: Final[dict[Doubt, str]] = {
    "contested": "contested: a member fits another cluster nearly as well",
    "bridge_held": "bridge-held: without one single link the cluster falls apart",
    "shared_contact_only": "joined by a shared phone or mailbox only",
}
#: Every doubt that a rule set may allow.
DOUBTS: Final[dict[Doubt, str]] = {
    **CLUSTER_DOUBTS,
    "protected_value_given_up": "a value that says something else is given up in a protected field",
    "outside_reference": "engagement preferences of another profile name one that would be merged away",
}

#: Bytes of one profile as JSON, without its objects (service quota: 250 KB, fixed; the model takes 256,000
#: characters of one object, so that a KB is 1,024 bytes).
MAX_PROFILE_BYTES: Final = 250 * 1_024

#: Doubts about the links that hold a cluster's cores together, not about the cores.
BETWEEN_CORES: Final[frozenset[str]] = frozenset({"bridge_held", "shared_contact_only"})


def refusals(members: Sequence[Member], rules: Merging) -> list[str]:
    """Why these profiles must not be merged by anyone, in words; empty when nothing forbids it."""
    reasons = []
    # Assumed: a profile without a ProfileType is an ordinary one, as all were before there were two types.
    if len({m.values.get("ProfileType", "PROFILE") for m in members}) > 1:
        reasons.append("an account profile and a profile of a person must not be merged with each other")
    objects = object_count(members)
    if not objects:
        return reasons
    if objects > rules.max_objects:
        reasons.append(
            f"{objects} objects together, over the limit of {rules.max_objects}: old ones could be evicted"
        )
    size = size_in_kb(members)
    if size > rules.max_size_kb:
        reasons.append(f"{size:.0f} KB of objects together, over the limit of {rules.max_size_kb} KB")
    return reasons


def too_large(profile: Profile) -> list[str]:
    """That the service would not hold the profile, in words; empty where it would."""
    size = len(canonical_json(profile).encode())
    if size <= MAX_PROFILE_BYTES:
        return []
    limit = MAX_PROFILE_BYTES // 1_024
    return [f"the profile would have {size / 1_024:.0f} KB, over the limit of {limit} KB for one profile"]


def doubts(flags: Iterable[str], members: Sized, rules: Merging) -> list[str]:
    """Why a person should look at the group before it is merged, from what clustering says of it."""
    reasons = [text for name, text in CLUSTER_DOUBTS.items() if name in flags and name not in rules.allow]
    if len(members) > rules.max_profiles:
        reasons.append(f"{len(members)} profiles, over the size cap of {rules.max_profiles}")
    return reasons


def outside_doubt(referrers: Iterable[str], rules: Merging) -> list[str]:
    """That other profiles name one that would be merged away, in words; MergeProfiles leaves them as is."""
    named = sorted(referrers)
    if not named or "outside_reference" in rules.allow:
        return []
    who = named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1} more profiles"
    return [f"engagement preferences of {who} name a profile that would be merged away"]


def undecided(choices: Iterable[FieldChoice], rules: Survivorship) -> list[str]:
    """Disputed fields that no rule may choose, and no person chose, in words."""
    return [
        no_rule(c.field) for c in choices if rules.strategy_of(c.field) == "never" and c.strategy != BY_PERSON
    ]


def protected_losses(
    disposals: Iterable[Disposal], predicted: Mapping[str, Any], rules: Survivorship
) -> list[str]:
    """Protected fields in which something else than a form of the kept value is given up, in words.

    ``predicted`` holds the survivor's values by field.
    """
    given_up = {
        d.field
        for d in disposals
        if d.fate == "given_up"
        and d.field in rules.protected
        and likeness(d.field, d.value) != likeness(d.field, predicted[d.field])
    }
    return [protected_loss(field) for field in sorted(given_up)]


def no_rule(field: str) -> str:
    """That no rule may choose a disputed field, in words."""
    return f"no rule may choose {field}, and members differ"


def protected_loss(field: str) -> str:
    """That a protected field would lose a value, in words."""
    return f"a value of {field} would be given up, which is protected"
