"""What a rule set says about planning: which value survives, what may run unattended, what is preserved.

Four sections of a rule file: ``[survivorship]``, ``[merging]``, ``[second_opinion]`` and ``[preservation]``.
Field names are the API's (``BirthDate``, ``MailingAddress``, ``Attributes.<key>``).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator

from resolver.model.profile import EMAILS, PHONES, STEERABLE, UNSTEERABLE
from resolver.model.section import Section

#: How a field's value is chosen where profiles disagree; ``planning.survivorship`` says what each does.
StrategyName = Literal[
    "most_recent",
    "most_frequent",
    "most_complete",
    "longest",
    "source_priority",
    "valid_first",
    "main",
    "never",
]

#: Doubts that send a plan to a person unless the rule set allows them.
Doubt = Literal[
    "contested", "bridge_held", "shared_contact_only", "protected_value_given_up", "outside_reference"
]

#: A key of an attribute, written as a field.
ATTRIBUTE_PREFIX: Final = "Attributes."


class Survivorship(Section):
    """Which profile gives each field its value where the members of a cluster disagree.

    ``fields`` names a strategy per field; ``Attributes`` stands for every attribute without a line,
    ``default`` for the rest. A value given up in a ``protected`` field needs a person. ``recency`` lists the
    clocks of most_recent: ``objects`` (when an object's source says it changed), ``profile`` (the column
    last_updated_at, from history records) and ``Attributes.<key>``; a profile's date is the latest of them.
    ``source_priority`` lists object types, best first. ``phone_region`` (ISO 3166, e.g. ``US``) is
    the country of numbers without a country code, for valid_first; without it the rule set's default region.
    """

    default: StrategyName = "most_frequent"
    fields: dict[str, StrategyName] = Field(default_factory=dict)
    protected: tuple[str, ...] = ()
    recency: tuple[str, ...] = ("objects", "profile")
    source_priority: tuple[str, ...] = ()
    phone_region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None

    @field_validator("fields", "protected")
    @classmethod
    def _only_fields_that_a_merge_can_steer(
        cls, value: dict[str, StrategyName] | tuple[str, ...]
    ) -> dict[str, StrategyName] | tuple[str, ...]:
        faults = [f"{name}: {fault}" for name in value if (fault := _field_fault(name))]
        if faults:
            raise ValueError("; ".join(faults))
        return value

    @field_validator("recency")
    @classmethod
    def _only_known_clocks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        strange = [c for c in value if c not in ("objects", "profile") and not c.startswith(ATTRIBUTE_PREFIX)]
        if strange:
            raise ValueError(
                f"unknown clock {', '.join(strange)}: objects, profile or {ATTRIBUTE_PREFIX}<key>"
            )
        return value

    @model_validator(mode="after")
    def _strategies_fit_their_fields(self) -> Survivorship:
        unguarded = [name for name in self.protected if name not in self.fields]
        if unguarded:
            raise ValueError(f"protected without a strategy in fields: {', '.join(unguarded)}")
        unfit = [n for n, s in self.fields.items() if s == "valid_first" and n not in (*PHONES, *EMAILS)]
        if unfit or self.default == "valid_first":
            where = ", ".join(unfit) or "default"
            raise ValueError(f"valid_first fits phones and e-mails only, not {where}")
        return self

    def strategy_of(self, field: str) -> StrategyName:
        """The strategy of one field, ``Attributes.<key>`` for an attribute."""
        found = self.fields.get(field)
        if found is None and field.startswith(ATTRIBUTE_PREFIX):
            found = self.fields.get("Attributes")
        return self.default if found is None else found


class Merging(Section):
    """What may be merged without a person, and the store's limits.

    ``allow`` names doubts that do not hold a plan back. Limits are Amazon Connect's defaults for one profile
    with all its objects; both quotas can be raised on request. Plans older than ``max_plan_age_days`` are not
    carried out. ``acceptance_gate`` is the share of wrong merges up to which a pattern of evidence is
    released by sampled looks; 0: no looks are asked for. ``allowed_roles`` are patterns (``*``, ``?``) of the
    ARN of the role that may; empty: any.
    """

    allow: tuple[Doubt, ...] = ()
    max_profiles: Annotated[int, Field(ge=2)] = 20
    max_objects: Annotated[int, Field(ge=1)] = 1_000
    max_size_kb: Annotated[int, Field(ge=1)] = 51_200
    max_plan_age_days: Annotated[float, Field(gt=0)] = 7.0
    acceptance_gate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    allowed_roles: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class SecondOpinion(Section):
    """What GetMatches counts for.

    ``evidence``: its links that we lack become review items. ``require_agreement``: nothing runs unattended
    against it, or without a run of at most ``max_age_days``. ``ignore``: it is not looked at.
    """

    policy: Literal["evidence", "require_agreement", "ignore"] = "evidence"
    max_age_days: Annotated[float, Field(gt=0)] = 7.0


class Preservation(Section):
    """Where a value goes that loses its field, in this order: a free slot, a search key, an attribute.

    ``free_slots`` and ``attribute_prefix`` write with UpdateProfile after the merge; such values count as
    entered by hand and are not overwritten by later ingestion. ``search_keys`` adds displaced phones, e-mails
    and account numbers with AddProfileKey, so that they still find the profile.
    """

    search_keys: bool = True
    free_slots: bool = False
    attribute_prefix: Annotated[str, Field(min_length=1, max_length=100)] | None = None


def _field_fault(name: str) -> str | None:
    if name in UNSTEERABLE:
        return "a merge cannot choose it, the main profile's value stays"
    if name in STEERABLE or name == "Attributes":
        return None
    if name.startswith(ATTRIBUTE_PREFIX) and len(name) > len(ATTRIBUTE_PREFIX):
        return None
    return "no such field"


STRATEGY_NAMES: Final[tuple[StrategyName, ...]] = get_args(StrategyName)
