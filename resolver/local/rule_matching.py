"""Rule-based matching: profiles that agree exactly on all attributes of a rule.

Documented (AWS, "How rule-based Identity Resolution works", MatchingRule, AttributeTypesSelector): up to 15
rules, level 1 first; the attributes of a rule are joined by AND and compared exactly; levels are tried in
turn until one matches; PhoneNumber, EmailAddress and Address stand for the fields that the selector names,
compared field with the same field (ONE_TO_ONE) or any with any (MANY_TO_MANY); levels beyond
MaxAllowedRuleLevelForMatching are not used.

Assumed: phones, e-mails compare by the normal form of their search keys; parts of an address are those of one
block; a profile belongs to one group, which all join that match a member at their own first level; the
group's level is the weakest of its members'; matches are there at once; nothing is ever merged by them here,
whatever MaxAllowedRuleLevelForMerging says.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import email, phone
from resolver.local.refusal import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: Attributes of a rule that are one field of a profile (documented list).
SCALARS: Final = (
    *("AccountNumber", "BirthDate", "BusinessName", "FirstName", "Gender", "LastName", "MiddleName"),
)
ADDRESS_PARTS: Final = (*("Address", "City", "Country", "County", "PostalCode", "State", "Province"),)
#: The lines that "Address.Address" stands for (assumed).
_LINES: Final = ("Address1", "Address2", "Address3", "Address4")
#: What the documentation calls the fields of each attribute type, and what the API calls them.
_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "PhoneNumber": {
        **{
            name: name
            for name in ("PhoneNumber", "HomePhoneNumber", "MobilePhoneNumber", "BusinessPhoneNumber")
        },
        **{name: f"{name}Number" for name in ("Phone", "HomePhone", "MobilePhone", "BusinessPhone")},
    },
    "EmailAddress": {
        **{name: name for name in ("EmailAddress", "BusinessEmailAddress", "PersonalEmailAddress")},
        **{name: f"{name}Address" for name in ("Email", "BusinessEmail", "PersonalEmail")},
    },
    "Address": {
        **{name: name for name in ("Address", "ShippingAddress", "MailingAddress", "BillingAddress")},
        "MaillingAddress": "MailingAddress",
        "BusinessAddress": "BillingAddress",
    },
}
_NORMAL: Final[Mapping[str, Callable[[str], str]]] = {"PhoneNumber": phone, "EmailAddress": email}
_DIGITS: Final = 32  # of a match id


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Profiles that rules hold for one customer; ``first`` is the seq of its oldest member."""

    match_id: str
    profile_ids: tuple[str, ...]
    level: int
    first: int


def check_rules(settings: Mapping[str, Any]) -> None:
    """Refuse rules and selections that name no attribute (assumed: a bad request that names it).

    Raises:
        BadRequest: one does.
    """
    for level, rule in enumerate(settings.get("MatchingRules", ()), 1):
        for name in rule["Rule"]:
            if not _is_attribute(name):
                raise BadRequest(
                    f"RuleBasedMatching.MatchingRules: level {level} names {name}, which is no attribute"
                )
    for kind, names in settings.get("AttributeTypesSelector", {}).items():
        for name in names if kind in _FIELDS else ():
            if name not in _FIELDS[kind]:
                raise BadRequest(
                    f"RuleBasedMatching.AttributeTypesSelector.{kind}: {name} is none of its fields"
                )


def _is_attribute(name: str) -> bool:
    kind, _, part = name.partition(".")
    if kind == "Attributes":
        return bool(part)
    if kind == "Address":
        return part in ADDRESS_PARTS
    return name in SCALARS or name in _NORMAL


def groups_by_rules(
    settings: Mapping[str, Any], profiles: Callable[[], Iterable[tuple[int, str, Mapping[str, Any]]]]
) -> list[RuleGroup]:
    """The groups of a domain's rules, oldest member first. ``profiles`` gives seq (from 1), id and fields."""
    rules = [rule["Rule"] for rule in settings.get("MatchingRules", ())]
    rules = rules[: settings.get("MaxAllowedRuleLevelForMatching", len(rules))]
    selector = settings.get("AttributeTypesSelector", {})

    def ways() -> Iterator[tuple[int, str, list[tuple[int, int]]]]:
        for seq, profile_id, fields in profiles():
            yield (
                seq,
                profile_id,
                [(n, key) for n, rule in enumerate(rules, 1) for key in _keys(rule, selector, fields)],
            )

    met: dict[tuple[int, int], int] = {}  # way → its first profile, 0 once a second one has it
    for seq, _, own in ways():
        for way in own:
            if met.setdefault(way, seq) != seq:
                met[way] = 0
    found = _Groups()
    for seq, profile_id, own in ways():
        shared = [way for way in own if not met[way]]
        if shared:
            found.begin(seq, profile_id, [way for way in shared if way[0] == shared[0][0]])
    for seq, profile_id, own in ways():
        found.join(seq, profile_id, own)
    return found.groups()


class _Groups:
    """Profiles that belong together, by seq."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._parent: dict[int, int] = {}
        self._level: dict[int, int] = {}
        self._anchor: dict[tuple[int, int], int] = {}

    def begin(self, seq: int, profile_id: str, ways: Sequence[tuple[int, int]]) -> None:
        """A profile that matches others in these ways, all of its first level."""
        self._names[seq] = profile_id
        self._level[seq] = ways[0][0]
        for way in ways:
            self._unite(self._anchor.setdefault(way, seq), seq)

    def join(self, seq: int, profile_id: str, ways: Iterable[tuple[int, int]]) -> None:
        """A profile that others may have matched at their first level."""
        for way in ways:
            anchor = self._anchor.get(way)
            if anchor is not None:
                self._names[seq] = profile_id
                self._unite(anchor, seq)

    def groups(self) -> list[RuleGroup]:
        members: dict[int, list[int]] = defaultdict(list)
        for seq in sorted(self._parent):
            members[self._root(seq)].append(seq)
        return [self._group(seqs) for _, seqs in sorted(members.items())]

    def _group(self, seqs: Sequence[int]) -> RuleGroup:
        ids = tuple(self._names[seq] for seq in seqs)
        digest = hashlib.sha256("\0".join(["rules", *sorted(ids)]).encode()).hexdigest()
        return RuleGroup(digest[:_DIGITS], ids, max(self._level[seq] for seq in seqs), seqs[0])

    def _unite(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        self._parent[max(one, other)] = min(one, other)

    def _root(self, seq: int) -> int:
        while self._parent.setdefault(seq, seq) != seq:
            self._parent[seq] = self._parent[self._parent[seq]]
            seq = self._parent[seq]
        return seq


def _keys(rule: Sequence[str], selector: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[int]:
    """One number per way in which a profile may agree with another on a rule; none where it lacks a value."""
    parts = sorted(name.partition(".")[2] for name in rule if name.startswith("Address."))
    ways: list[list[tuple[str, ...]]] = [
        list(_ways(name, selector, fields)) for name in rule if not name.startswith("Address.")
    ]
    if parts:
        ways.append(list(_blocks(parts, selector, fields)))
    if all(ways):
        yield from {hash(combination) for combination in product(*ways)}


def _ways(name: str, selector: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The values that a profile has for one attribute, each with the field it is compared with."""
    if name.startswith("Attributes."):
        value = fields.get("Attributes", {}).get(name.partition(".")[2])
        if value:
            yield name, value
    elif name not in _NORMAL:
        if value := fields.get(name) or (fields.get("GenderString") if name == "Gender" else None):
            yield name, value
    else:
        for field in _chosen(name, selector):
            if value := fields.get(field):
                yield _compared_with(name, field, selector), _NORMAL[name](value)


def _blocks(
    parts: Sequence[str], selector: Mapping[str, Any], fields: Mapping[str, Any]
) -> Iterator[tuple[str, ...]]:
    for field in _chosen("Address", selector):
        block = fields.get(field, {})
        texts = [
            "\n".join(block[line] for line in _LINES if line in block)
            if part == "Address"
            else block.get(part)
            for part in parts
        ]
        if all(texts):
            yield (_compared_with("Address", field, selector), *map(str, texts))


def _chosen(kind: str, selector: Mapping[str, Any]) -> list[str]:
    """The fields that stand for an attribute type; the one of its own name where nothing is selected."""
    return list(dict.fromkeys(_FIELDS[kind][name] for name in selector.get(kind, (kind,))))


def _compared_with(kind: str, field: str, selector: Mapping[str, Any]) -> str:
    return kind if selector.get("AttributeMatchingModel") == "MANY_TO_MANY" else field
