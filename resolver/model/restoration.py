"""A restore: what a merge's members were, and the calls that make them so again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: create: an empty profile that will be a member again (or, with no member, one that erases fields).
#: erase: fields of the survivor emptied that UpdateProfile cannot empty. clear: the fields of the survivor
#: that find it by the same keys as an object to be moved, until all are. place: one object put under its
#: member. fields: a member's fields as they were. keys: its known keys, and no key that is another's.
StepKind = Literal["create", "erase", "clear", "place", "fields", "keys"]


@dataclass(frozen=True, slots=True)
class RestoreStep:
    """One thing to bring about. ``member`` is an id from before the merge; ``facts`` depend on the kind."""

    kind: StepKind
    member: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Restoration:
    """All that is decided about undoing one merge before anything is sent.

    ``survivor_id`` is the main profile's id today and ``main_id`` the one it had in the merge;
    ``members`` maps each id of before to what it is to be: ``profile``, ``objects``, ``keys``.
    ``lost`` says what cannot return, ``kept`` what changed since the merge and stays; words without values.
    """

    restore_id: str
    plan_id: str
    main_id: str
    survivor_id: str
    members: Mapping[str, Mapping[str, Any]]
    steps: tuple[RestoreStep, ...]
    lost: tuple[str, ...]
    kept: tuple[str, ...]
