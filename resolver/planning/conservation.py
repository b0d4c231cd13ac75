"""Where every value goes: nothing that a member holds is lost without being named.

``dispose`` decides for the values that lose their field; ``account`` gives the whole account of a plan, the
kept values included, and is the law that tests hold every plan to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from resolver.model.canonical import canonical_json
from resolver.model.merge_plan import Disposal, Fate, MergePlan, PostStep
from resolver.model.profile import (
    ADDRESSES,
    DEFAULT_MAX_LENGTH,
    EMAILS,
    PHONES,
    Profile,
)
from resolver.model.survivorship_policy import ATTRIBUTE_PREFIX
from resolver.planning.likeness import likeness
from resolver.planning.members import flat
from resolver.planning.simulation import DERIVED_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.model.survivorship_policy import Preservation

#: Fields that may take in a value of another one without changing what it means: displaced from → to.
#: A number of no stated kind may stand in any phone field; one of a stated kind only where no kind is stated.
FREE_SLOTS: Final = {
    "PhoneNumber": ("HomePhoneNumber", "MobilePhoneNumber", "BusinessPhoneNumber"),
    "MobilePhoneNumber": ("PhoneNumber",),
    "HomePhoneNumber": ("PhoneNumber",),
    "BusinessPhoneNumber": ("PhoneNumber",),
    "EmailAddress": ("PersonalEmailAddress", "BusinessEmailAddress"),
    "PersonalEmailAddress": ("EmailAddress",),
    "BusinessEmailAddress": ("EmailAddress",),
}

#: Fields of one kind: a value displaced from one of them is not lost while it stands in another.
SAME_KIND: Final = {name: kind for kind in (PHONES, EMAILS, tuple(ADDRESSES)) for name in kind}
#: The search key that finds a value of a field.
KEY_OF: Final = {name: key for key, fields in DERIVED_KEYS.items() for name in fields}

#: Reasons of fates, in words.
PART_OF_BLOCK: Final = "every part of it stands in the block that is kept"
STANDS_THERE: Final = "it stands there too"
FOUND_ANYWAY: Final = "a search ignores how it differs from a kept value"
ADDED_KEY: Final = "the profile is still found by it"
MOVING_KEY: Final = "its search key moves with the merge"
SAME_IN_FORM: Final = "the kept value says the same in another form"
NO_OTHERS: Final = "another value is kept, and the rule set preserves no others of this field"

Displaced = tuple[str, str, Any]  # field, profile that holds it, value
#: What a person wants kept as an attribute goes there where the rule set names no prefix.
PREFIX_BY_PERSON: Final = "kept_"
_Held = tuple[str, Any]  # profile, value
_Place = tuple[Fate, str | None, str]  # fate, target, reason


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where values go that lose their field: the rule set's order of places, and what a person wants besides.

    ``wanted``: (field, value as canonical JSON) to keep as an attribute, should it be given up otherwise.
    """

    policy: Preservation
    wanted: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class _Ledger:
    """The survivor as it fills up, and the calls that fill it."""

    main_id: str
    values: dict[str, Any]
    policy: Preservation
    wanted: frozenset[tuple[str, str]] = frozenset()
    updates: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    keys: dict[str, set[str]] = field(default_factory=dict)


def dispose(
    displaced: Iterable[Displaced], main_id: str, predicted: Mapping[str, Any], keeping: Keeping
) -> tuple[tuple[Disposal, ...], tuple[PostStep, ...]]:
    """A fate for every displaced value, and the calls that bring it about.

    ``displaced`` holds distinct (field, value) pairs that differ from the field's value in ``predicted``
    (values by field), in the order in which they may claim free places.
    """
    displaced = list(displaced)
    if not displaced:
        return (), ()
    ledger = _Ledger(main_id, dict(predicted), keeping.policy, keeping.wanted)
    disposals = tuple(_place(ledger, *entry) for entry in displaced)
    return disposals, _post_steps(ledger)


def account(plan: MergePlan, members: Mapping[str, Profile]) -> tuple[Disposal, ...]:
    """One entry for every distinct value of every member and field: the plan's disposals, and what is kept.

    Raises:
        ValueError: a value has no fate or two (a defect: plans are made so that this cannot be).
    """
    predicted = flat(dict(plan.predicted)) if plan.steps else None
    told = {(d.field, canonical_json(d.value)): d for d in plan.disposals}
    if len(told) != len(plan.disposals):
        raise ValueError(f"plan {plan.plan_id} disposes of a value twice")
    entries: dict[tuple[str, str], Disposal] = {}
    for profile_id in plan.profile_ids:
        for name, value in flat(members[profile_id]).items():
            key = (name, canonical_json(value))
            kept = predicted is None or predicted.get(name) == value
            if kept == (key in told):
                raise ValueError(f"plan {plan.plan_id}: {name} of {profile_id} has {2 * kept} fates")
            if key not in entries:
                entries[key] = told.get(key) or Disposal(
                    name, profile_id, value, "kept", None, "it stays in its field"
                )
    return tuple(entries.values())


def _place(ledger: _Ledger, name: str, profile_id: str, value: Any) -> Disposal:
    """The first place that takes the value, in the order of the rule set's section."""
    held = (profile_id, value)
    fate, target, reason = (
        _where_it_stands(ledger, name, held)
        or _free_slot(ledger, name, held)
        or _search_key(ledger, name, held)
        or _attribute(ledger, name, held)
        or ("given_up", None, _why_given_up(ledger, name, value))
    )
    return Disposal(name, profile_id, value, fate, target, reason)


def _where_it_stands(ledger: _Ledger, name: str, held: _Held) -> _Place | None:
    value, kept = held[1], ledger.values.get(name)
    if isinstance(value, dict) and isinstance(kept, dict) and value.items() <= kept.items():
        return "kept", name, PART_OF_BLOCK
    for other in SAME_KIND.get(name, ()):
        if other != name and ledger.values.get(other) == value:
            return "slot" if other in ledger.updates else "kept", other, STANDS_THERE
    return None


def _free_slot(ledger: _Ledger, name: str, held: _Held) -> _Place | None:
    value = held[1]
    if not ledger.policy.free_slots or len(value) > DEFAULT_MAX_LENGTH or _found_anyway(ledger, name, value):
        return None
    slot = next((slot for slot in FREE_SLOTS.get(name, ()) if slot not in ledger.values), None)
    if slot is None:
        return None
    ledger.values[slot] = ledger.updates[slot] = value
    return "slot", slot, "that field is free on every member"


def _search_key(ledger: _Ledger, name: str, held: _Held) -> _Place | None:
    profile_id, value = held
    key = KEY_OF.get(name)
    if key is None or len(value) > DEFAULT_MAX_LENGTH:
        return None
    if _found_anyway(ledger, name, value):
        return "key", key, FOUND_ANYWAY
    if ledger.policy.search_keys:
        ledger.keys.setdefault(key, set()).add(value)
        return "key", key, ADDED_KEY
    return ("key", key, MOVING_KEY) if profile_id != ledger.main_id else None


def _found_anyway(ledger: _Ledger, name: str, value: str) -> bool:
    """Whether a kept field leads to the profile by this value: a search ignores form.

    A number with and one without a plus sign may be of different countries.
    """
    kept = [ledger.values[field] for field in SAME_KIND.get(name, ()) if field in ledger.values]
    return any(likeness(name, v) == likeness(name, value) and ("+" in v) == ("+" in value) for v in kept)


def _attribute(ledger: _Ledger, name: str, held: _Held) -> _Place | None:
    """The value as an attribute of its own, where the service's limits allow it."""
    prefix, text = ledger.policy.attribute_prefix, held[1]
    if prefix is None:
        if (name, canonical_json(text)) not in ledger.wanted:
            return None
        prefix = PREFIX_BY_PERSON
    if isinstance(text, dict):
        text = json.dumps(text, sort_keys=True, ensure_ascii=False)
    stem = prefix + name.removeprefix(ATTRIBUTE_PREFIX)
    number, key = 1, stem
    while ATTRIBUTE_PREFIX + key in ledger.values:
        if ledger.values[ATTRIBUTE_PREFIX + key] == text:
            return "attribute", key, "that attribute says it already"
        number += 1
        key = f"{stem}_{number}"
    if len(text) > DEFAULT_MAX_LENGTH or len(key) > DEFAULT_MAX_LENGTH:
        return "given_up", None, f"longer than the {DEFAULT_MAX_LENGTH} characters that an attribute holds"
    ledger.values[ATTRIBUTE_PREFIX + key] = ledger.attributes[key] = text
    return "attribute", key, "preserved as an attribute"


def _why_given_up(ledger: _Ledger, name: str, value: Any) -> str:
    kept = ledger.values.get(name)
    if kept is not None and likeness(name, kept) == likeness(name, value):
        return SAME_IN_FORM
    return NO_OTHERS


def _post_steps(ledger: _Ledger) -> tuple[PostStep, ...]:
    """UpdateProfile first: the service may derive search keys anew from the fields that it writes."""
    steps = []
    attributes = {"Attributes": ledger.attributes} if ledger.attributes else {}
    if ledger.updates or attributes:
        steps.append(
            PostStep("update_profile", {"ProfileId": ledger.main_id, **ledger.updates, **attributes})
        )
    for key, values in sorted(ledger.keys.items()):
        request = {"ProfileId": ledger.main_id, "KeyName": key, "Values": sorted(values)}
        steps.append(PostStep("add_profile_key", request))
    return tuple(steps)
