"""A merge plan: what MergeProfiles will be asked, and what will be left afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ProfileIdsToBeMerged holds 1..20 ids (service model, MergeProfiles).
MAX_MERGED_PER_STEP = 20


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """The profile that gives one field its value.

    ``field`` is the API's member name, ``Attributes.<key>`` for one attribute. A choice exists only for a
    value that is there: MergeProfiles takes a named source even when it is null, and would erase the field.
    """

    field: str
    source_profile_id: str
    value: Any
    strategy: str

    def __post_init__(self) -> None:
        if self.value in (None, "", {}):
            raise BadInput(f"{self.field}: profile {self.source_profile_id} has no value to give")


@dataclass(frozen=True, slots=True)
class Disposal:
    """What becomes of one distinct raw value of one member.

    ``fate`` is kept (in its field), slot (moves to ``target``, another field), key (stays findable),
    attribute (preserved under ``target``) or given_up; ``reason`` says why.
    """

    field: str
    profile_id: str
    value: Any
    fate: str
    target: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class MergeStep:
    """One MergeProfiles call: at most 20 profiles, and only field sources from its own set."""

    main_profile_id: str
    merged_profile_ids: tuple[str, ...]
    field_choices: tuple[FieldChoice, ...]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """All that is decided about one group of profiles before anything is sent.

    ``fingerprints`` maps each member to the hash of the content that was planned on; ``predicted`` is the
    profile that will be there afterwards; ``disposals`` account for every distinct value of each.
    ``after`` names plans that must be executed first (then this one must be planned anew).
    """

    plan_id: str
    cluster_id: str
    band: str
    main_profile_id: str
    main_reason: str
    merged_profile_ids: tuple[str, ...]
    steps: tuple[MergeStep, ...]
    field_choices: tuple[FieldChoice, ...]
    predicted: Mapping[str, Any]
    disposals: tuple[Disposal, ...]
    fingerprints: Mapping[str, str]
    reasons: tuple[str, ...]
    second_opinion: str
    rule_set_fingerprint: str
    after: tuple[str, ...] = ()

    @property
    def profile_ids(self) -> tuple[str, ...]:
        """The main profile, then the profiles that it takes in."""
        return (self.main_profile_id, *self.merged_profile_ids)

    @property
    def given_up(self) -> tuple[Disposal, ...]:
        """The values that will be nowhere after the merge."""
        return tuple(d for d in self.disposals if d.fate == "given_up")
