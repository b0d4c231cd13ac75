"""A rule set: everything about matching and planning that a user may change.

Levels are written from the strongest to the weakest, as a person reads them. A number never stands alone:
each level and relation has a ``reason``, and the shipped ``rules/default.toml`` fills in every one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from typing import Any, Final, Literal, Self

from pydantic import Field, InstanceOf, model_validator
from pydantic.json_schema import SkipJsonSchema

from resolver.model.gates import Gates
from resolver.model.reference import Reference
from resolver.model.section import Section
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship

#: Fields that stand for every attribute of that kind; the comparison is repeated for each.
EVERY_IDENTIFIER: Final = "attribute:identifier"
EVERY_CATEGORY: Final = "attribute:category"

#: The sum of a comparison's m may miss 1 by this much: people round to two digits.
SUM_TOLERANCE: Final = 0.011

_NO_LINES: Final[dict[str, Any]] = {"Mapping": {}, "frozenset": frozenset(), "tuple": ()}
_PLACEHOLDER_KINDS: Final = ("any", "name", "date", "phone", "email", "identifier")

#: Tables without a line: what a rule set knows of names and places until a folder of tables is read.
NO_REFERENCE: Final = Reference(
    **{
        f.name: _NO_LINES[str(f.type).partition("[")[0]]
        for f in fields(Reference)
        if f.name != "placeholders"
    },
    placeholders=dict.fromkeys(_PLACEHOLDER_KINDS, frozenset()),
)

Evidence = Literal["name", "date", "phone", "email", "address", "identifier", "business", "none"]


class Level(Section):
    """One grade of agreement. ``when`` maps tests of ``similarity.TESTS`` to thresholds; any one suffices.

    ``m`` is the share of true matches (with the field on both sides) that fall here before anything is
    learned.
    """

    label: str
    m: float = Field(gt=0, lt=1)
    at_most: float = Field(default=1.0, gt=0, le=1)
    when: dict[str, float] = Field(default_factory=dict)
    reason: str = ""


class Comparison(Section):
    """How one field, or a few that belong together, are compared.

    The first level is equality and the last is ``differ``; neither has tests. ``rarity`` is the expected
    number of *other* entities behind a value seen on one entity only, in units of one entity: near 0 where
    values are handed out once (account numbers), 1 where every value is shared (countries). ``strong_from``
    names the lowest level that counts as strong evidence of its kind, ``contradicts_below`` the lowest level
    that does not speak against a merge without a person. With ``one_sided_bars`` a value on one side only
    speaks against it too.
    """

    name: str
    fields: tuple[str, ...] = Field(min_length=1)
    evidence: Evidence = "none"
    rarity: float = Field(gt=0, le=1)
    strong_from: str | None = None
    contradicts_below: str | None = None
    one_sided_bars: bool = False
    initials: str | None = None
    levels: tuple[Level, ...] = Field(min_length=2)
    reason: str = ""

    @model_validator(mode="after")
    def _levels_make_sense(self) -> Self:
        labels = [level.label for level in self.levels]
        faults = []
        if len(set(labels)) < len(labels):
            faults.append(f"level labels repeat: {', '.join(labels)}")
        total = sum(level.m for level in self.levels)
        if abs(total - 1) > SUM_TOLERANCE:
            faults.append(f"m of the levels add up to {total:.3f}, not 1")
        if self.levels[0].when or self.levels[-1].when:
            faults.append("the first level (equal) and the last (differ) take no tests")
        faults += [f"level {lv.label!r} has no test in `when`" for lv in self.levels[1:-1] if not lv.when]
        for key in ("strong_from", "contradicts_below", "initials"):
            label = getattr(self, key)
            if label is not None and label not in labels:
                faults.append(f"{key} names {label!r}; the levels are {', '.join(labels)}")
        tests = [(test, limit) for level in self.levels for test, limit in level.when.items()]
        faults += [
            f"{test} {limit:g} stands twice: the second can never be reached"
            for i, (test, limit) in enumerate(tests)
            if (test, limit) in tests[:i]
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def rising(self) -> tuple[Level, ...]:
        """The levels from ``differ`` to equality: index = the number in ``<comparison>_level``."""
        return self.levels[::-1]

    def index(self, label: str) -> int:
        """The number of a level in ``<comparison>_level``: 0 is the weakest."""
        return [level.label for level in self.rising].index(label)


class Relation(Section):
    """A way in which two *different* entities come to share fields: a household, a shop at one address.

    Between such entities the comparisons in ``ties`` agree as they do between matches, the others by chance.
    ``own`` gives comparisons their own agreement (m, strongest level first) in this relation. ``needs``
    names comparisons without which the relation is not used. ``per_match`` pairs of it are expected for each
    match before the file is looked at: few, and it takes up nothing unless the file shows it.
    """

    name: str
    ties: tuple[str, ...] = Field(min_length=1)
    own: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    learns: bool = False
    needs: tuple[str, ...] = ()
    per_match: float | None = Field(default=None, ge=0)
    enabled: bool = True
    reason: str = ""


class Blocking(Section):
    """Which pairs are looked at. ``pinned`` keys are always used, ``forbidden`` never.

    A key that brings more than ``most_pairs_per_profile`` stops the run and is named.
    """

    all_pairs_up_to: int = Field(ge=0)
    largest_block: int = Field(ge=2)
    pairs_per_profile: float = Field(gt=0)
    learn_above: int = Field(ge=0)
    learn_from: int = Field(ge=100)
    worth_matches: int = Field(ge=1)
    worth_pairs: int = Field(ge=1)
    most_pairs_per_profile: float = Field(default=100.0, gt=0)
    pinned: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    reason: str = ""


class Estimation(Section):
    """How m, u and the match rate are learned; pseudo-counts hold them near their start on little data."""

    random_pairs: int = Field(ge=1000)
    sample_pairs: int = Field(ge=1000)
    iterations: int = Field(ge=0)
    prior_pairs: float = Field(gt=0)
    match_rate_prior: float = Field(ge=0)
    relation_rate_prior: float = Field(ge=0)
    relation_shows_from: float = Field(default=0, ge=0)
    rarity_prior: float = Field(gt=0)
    drop_below: float = Field(lt=0)
    frequency_step: float = Field(gt=0)
    passes: int = Field(ge=1)
    passes_when_large: int = Field(ge=1)
    large: int = Field(ge=1)
    parts: int = Field(ge=1, le=16)
    smallest_part: int = Field(ge=2)
    reason: str = ""


class Clustering(Section):
    """How pairs become clusters. Weights are in bits (log2 odds)."""

    join_from: float
    largest_component: int = Field(ge=3)
    clip: float = Field(gt=0)
    relief: float = Field(ge=0, le=1)
    absorb_from: float
    absorb_best: float = Field(ge=0, le=1)
    absorb_margin: float = Field(ge=0)
    provisional_cut: float
    reason: str = ""


class Thresholds(Section):
    """Where clusters are cut, what a person sees, and what needs none, in bits."""

    match: float
    review: float
    merge: float
    merge_cut: float
    strong: float
    kinds: int = Field(ge=1)
    in_words: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.review <= self.match <= self.merge_cut <= self.merge:
            raise ValueError(
                f"thresholds must rise: review {self.review:g} <= match {self.match:g} "
                f"<= merge_cut {self.merge_cut:g} <= merge {self.merge:g}"
            )
        return self


class RuleSet(Section):
    """A named set of rules. Two rule sets with the same ``fingerprint`` give the same answers.

    ``reference`` holds the tables beside the rule file (nicknames, legal forms, …); it is no key of the file.
    """

    name: str
    description: str = ""
    default_region: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    blocking: Blocking
    comparisons: tuple[Comparison, ...] = Field(min_length=1)
    relations: tuple[Relation, ...] = ()
    estimation: Estimation
    clustering: Clustering
    thresholds: Thresholds
    survivorship: Survivorship = Survivorship()
    merging: Merging = Merging()
    second_opinion: SecondOpinion = SecondOpinion()
    preservation: Preservation = Preservation()
    gates: Gates
    reference: SkipJsonSchema[InstanceOf[Reference]] = Field(default=NO_REFERENCE, exclude=True)

    @model_validator(mode="after")
    def _names_meet(self) -> Self:
        by_name = {c.name: c for c in self.comparisons}
        faults = []
        if len(by_name) < len(self.comparisons):
            faults.append("comparison names repeat")
        for relation in self.relations:
            unknown = [n for n in (*relation.ties, *relation.needs, *relation.own) if n not in by_name]
            if unknown:
                known = ", ".join(by_name)
                faults.append(f"relation {relation.name!r} names {', '.join(unknown)}; known are {known}")
            for name, shares in relation.own.items():
                if name in by_name and len(shares) != len(by_name[name].levels):
                    faults.append(
                        f"relation {relation.name!r} gives {len(shares)} shares for {name}, "
                        f"which has {len(by_name[name].levels)} levels"
                    )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def per_match(self, relation: str) -> float:
        """Pairs that the relation of that name explains, expected per match before the file is looked at."""
        own = {one.name: one.per_match for one in self.relations}.get(relation)
        return self.estimation.relation_rate_prior if own is None else own

    @property
    def fingerprint(self) -> str:
        """A hash of every setting and reference table: 16 hex digits, the same on every machine.

        Without the gates: they say what may go ahead, never what is concluded.
        """
        tables = {f.name: _plain(getattr(self.reference, f.name)) for f in fields(self.reference)}
        text = self.model_dump_json(exclude={"gates"}) + json.dumps(tables, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Tables as JSON, sets in order."""
    if isinstance(value, (frozenset, set)):
        return sorted(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value
