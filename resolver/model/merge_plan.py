"""A merge plan: what MergeProfiles will be asked, and what will be left afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from resolver.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

#: ProfileIdsToBeMerged holds 1..20 ids (service model, MergeProfiles).
MAX_MERGED_PER_STEP: Final = 20

Fate = Literal["kept", "slot", "key", "attribute", "given_up"]


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """The profile that gives one field its value.

    ``field`` is the API's member name, ``Attributes.<key>`` for one attribute. ``strategy`` names the rule,
    and the tie-break where the rule alone did not decide. A choice exists only for a value that is there:
    MergeProfiles takes a named source even when it is null, and would erase the field.
    """

    field: str
    source_profile_id: str
    value: Any
    strategy: str

    def __post_init__(self) -> None:
        blank = not any(self.value.values()) if isinstance(self.value, dict) else not self.value
        if blank:
            raise BadInput(f"{self.field}: profile {self.source_profile_id} has no value to give")


@dataclass(frozen=True, slots=True)
class Disposal:
    """What becomes of one distinct raw value that its field will not hold.

    ``profile_id`` is the first member that holds it. ``fate`` is kept (it stands in ``target``, another
    field), slot (moves to ``target``, a free field), key (stays findable by the search key ``target``),
    attribute (preserved under ``target``) or given_up; ``reason`` says why.
    """

    field: str
    profile_id: str
    value: Any
    fate: Fate
    target: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class MergeStep:
    """One MergeProfiles call: at most 20 profiles, and only field sources from its own set."""

    main_profile_id: str
    merged_profile_ids: tuple[str, ...]
    field_choices: tuple[FieldChoice, ...]

    def __post_init__(self) -> None:
        merged = set(self.merged_profile_ids)
        if not 1 <= len(self.merged_profile_ids) <= MAX_MERGED_PER_STEP:
            raise BadInput(f"a merge step takes 1 to {MAX_MERGED_PER_STEP} profiles, not {len(merged)}")
        if len(merged) != len(self.merged_profile_ids) or self.main_profile_id in merged:
            raise BadInput(f"a merge step names a profile twice (main profile {self.main_profile_id})")
        for choice in self.field_choices:
            if choice.source_profile_id not in merged and choice.source_profile_id != self.main_profile_id:
                raise BadInput(f"{choice.field}: its source is not in the same merge step")

    @property
    def field_sources(self) -> dict[str, Any]:
        """The call's FieldSourceProfileIds; empty where nothing needs a source."""
        sources: dict[str, Any] = {}
        for choice in self.field_choices:
            if choice.field.startswith("Attributes."):
                key = choice.field.removeprefix("Attributes.")
                sources.setdefault("Attributes", {})[key] = choice.source_profile_id
            else:
                sources[choice.field] = choice.source_profile_id
        return sources


@dataclass(frozen=True, slots=True)
class PostStep:
    """One call after the last merge step, for what a merge cannot express.

    ``operation`` is the client's method (``update_profile``, ``add_profile_key``), ``request`` its members
    without DomainName. Both may be sent again safely.
    """

    operation: Literal["update_profile", "add_profile_key"]
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MergePlan:
    """All that is decided about one group of profiles before anything is sent.

    ``field_choices`` covers every field that members dispute, the main profile's own values included; the
    steps name only the sources that must be sent. ``predicted`` is the profile after the last merge step and
    before ``post_steps``; ``disposals`` account for every distinct value that its field will not hold (all
    others are kept where they are). ``fingerprints`` maps each member to the hash of the content planned on.
    ``after`` names plans that must be executed first (then this one must be planned anew). A plan without
    steps is refused: ``reasons`` says why, and there is nothing to execute.
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
    post_steps: tuple[PostStep, ...] = ()
    object_count: int = 0
    domain_name: str | None = None

    @property
    def profile_ids(self) -> tuple[str, ...]:
        """The main profile, then the profiles that it takes in."""
        return (self.main_profile_id, *self.merged_profile_ids)

    @property
    def given_up(self) -> tuple[Disposal, ...]:
        """The values that will be nowhere after the merge."""
        return tuple(d for d in self.disposals if d.fate == "given_up")
