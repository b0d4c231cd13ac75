"""What undoing a merge takes: decided once, from the before-images and what is there now."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.model.field_paths import NOT_EMPTIED, undone
from resolver.model.profile import EMAILS, PHONES
from resolver.model.restoration import Restoration, RestoreStep
from resolver.profiles.object_keys import PROFILE_ID, keys_of_object
from resolver.profiles.search_keys import SearchKey, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolver.model.journal import JournalEntry
    from resolver.model.merge_plan import MergePlan
    from resolver.model.profile import Profile
    from resolver.profiles.object_keys import ObjectKey
    from resolver.profiles.object_times import ObjectType

#: Which fields give a profile a key of that name.
_FIELDS: Final = {
    "_phone": PHONES,
    "_email": EMAILS,
    "_account": ("AccountNumber",),
    "_fullName": ("FirstName", "MiddleName", "LastName"),
}
#: What a restore can never bring back (AWS offers no way), said of each one.
NEVER: Final = (
    "profile ids: the profiles return under new ones, and what names the old ones elsewhere does not follow",
    "Connect Cases and contact records that name an old id",
    "history, ingestion times and expiry of objects begin anew; values put back count as written by hand",
    "keys that were added by hand and that the service's history did not show",
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Present:
    """What is there now: the survivor, its objects, and which of the merged profiles never went."""

    survivor: Profile
    objects: Sequence[Mapping[str, Any]]
    still_there: frozenset[str]


def plan_restore(
    plan: MergePlan, intents: Sequence[JournalEntry], now: Present, types: Sequence[ObjectType]
) -> Restoration:
    """The restoration of what ``intents`` (of the plan's done calls, in order, with images) have merged."""
    return _Planning(plan, intents, now, types).restoration()


class _Planning:
    """The pieces of one restoration as they come together."""

    def __init__(
        self, plan: MergePlan, intents: Sequence[JournalEntry], now: Present, types: Sequence[ObjectType]
    ) -> None:
        self._plan = plan
        self._now = now
        self._types = {type_.name: type_ for type_ in types}
        self._main = plan.main_profile_id
        self._members = _members(self._main, intents)
        self._after = dict(intents[-1].expected or {})
        self._lost: list[str] = []
        self._kept: list[str] = []
        images = [intent.before or {} for intent in intents]
        self._requests = [image["request"] for image in images if "request" in image]

    def restoration(self) -> Restoration:
        main = self._members[self._main]
        target, changed = undone(main["profile"], self._after, self._now.survivor)
        if changed:
            self._kept.append(f"the survivor's {', '.join(changed)}: changed since the merge")
        main["profile"] = {**target, "ProfileId": self._main}
        victims = [i for i in self._members if i != self._main]
        there = [i for i in victims if i in self._now.still_there]
        if there:
            self._kept.append(f"never gone, and left as they are: {', '.join(there)}")
        made = [i for i in victims if i not in there]
        placed = self._placements(made)
        blank = self._contested(placed)
        steps = [RestoreStep("create", i, {}) for i in made]
        emptied = [f for f in NOT_EMPTIED if f in self._now.survivor and f not in target]
        if emptied:
            steps.append(RestoreStep("erase", self._main, {"fields": emptied}))
        steps.append(RestoreStep("clear", self._main, {"blank": blank}))
        steps += placed
        steps += [RestoreStep("fields", i, {}) for i in (*made, self._main)]
        steps += [RestoreStep("keys", i, self._keys(i, made, placed)) for i in (*made, self._main)]
        self._lost += NEVER
        identity = f"{self._plan.plan_id} {self._now.survivor['ProfileId']}"
        return Restoration(
            restore_id=hashlib.sha256(identity.encode()).hexdigest(),
            plan_id=self._plan.plan_id,
            main_id=self._main,
            survivor_id=self._now.survivor["ProfileId"],
            members={i: self._members[i] for i in (self._main, *made)},
            steps=tuple(steps),
            lost=tuple(self._lost),
            kept=tuple(self._kept),
        )

    def _placements(self, made: Sequence[str]) -> list[RestoreStep]:
        """Which object goes under which member, with which content; the survivor's own come last."""
        now = {_name(one): one["object"] for one in self._now.objects}
        holders: dict[tuple[str, str], dict[str, str]] = {}
        for member in (*made, self._main):
            for one in self._members[member]["objects"]:
                holders.setdefault(_name(one), {})[member] = one["object"]
        steps, gone, renewed, stuck = [], 0, 0, 0
        for name, bodies in holders.items():
            current = now.get(name)
            victims = [member for member in bodies if member != self._main]
            if current is None:
                gone += 1
                self._forget_object(name, bodies)
                continue
            if current not in bodies.values():
                renewed += 1
                bodies[next(iter(bodies))] = current
            if not victims and bodies[self._main] == current:
                self._renew(self._main, name, current)
                continue
            if self._steering(name[0], current) is None:
                stuck += 1
                self._forget_object(name, bodies)
                continue
            for member, body in bodies.items():
                self._renew(member, name, body)
                facts = {"object_type_name": name[0], "unique_key": name[1], "object": body}
                steps.append(RestoreStep("place", member, facts))
        self._lost += [f"{gone} objects that have gone since the merge"] * bool(gone)
        self._lost += [f"{stuck} objects stay with the survivor: no key leads one to its profile"] * bool(
            stuck
        )
        self._kept += [f"{renewed} objects return with the content they have now"] * bool(renewed)
        return steps

    def _forget_object(self, name: tuple[str, str], holders: Iterable[str]) -> None:
        for member in holders:
            objects = self._members[member]["objects"]
            self._members[member]["objects"] = [one for one in objects if _name(one) != name]

    def _renew(self, member: str, name: tuple[str, str], body: str) -> None:
        for one in self._members[member]["objects"]:
            if _name(one) == name:
                one["object"] = body

    def _steering(self, type_name: str, body: str) -> list[ObjectKey] | None:
        """The keys that can lead an object to its profile; null where none can."""
        keys = keys_of_object(self._types[type_name], body) if type_name in self._types else None
        return [k for k in keys or () if k.chooses and k.key.name != PROFILE_ID] or None

    def _contested(self, placed: Iterable[RestoreStep]) -> list[str]:
        """Fields of the survivor that find it by a key which must lead an object elsewhere."""
        own = {key.normalised: key for key in keys_of(self._members[self._main]["profile"])}
        names = {
            steering.key.name
            for step in placed
            if step.member != self._main
            for steering in self._steering(step.facts["object_type_name"], step.facts["object"]) or ()
            if steering.key.normalised in own
        }
        there = self._members[self._main]["profile"]
        return sorted(f for name in names for f in _FIELDS.get(name, ()) if f in there)

    def _keys(self, member: str, made: Sequence[str], placed: Iterable[RestoreStep]) -> Json:
        """The keys to give a member, and those to take from it because they are another's."""
        mine = self._known(member)
        others = {key for other in made if other != member for key in self._known(other)}
        if member == self._main:
            others |= {SearchKey(r["KeyName"], v) for r in self._requests for v in r.get("Values", ())}
        else:
            others = set()
        for step in placed:  # by these it was made to find the object
            if step.member == member:
                keys = self._steering(step.facts["object_type_name"], step.facts["object"]) or ()
                others |= {steering.key for steering in keys}
        kept = {key.normalised for key in mine}
        given = [list(key) for key in self._members[member].pop("given")]
        self._members[member]["keys"] = [[key.name, key.value] for key in mine]
        return {
            "add": given,
            "remove": sorted([k.name, k.value] for k in others if k.normalised not in kept),
        }

    def _known(self, member: str) -> list[SearchKey]:
        """The keys by which a member was found, as far as anybody can tell."""
        facts = self._members[member]
        if "given" not in facts:
            return [SearchKey(name, value) for name, value in facts["keys"]]
        given = [SearchKey(name, value) for name, value in facts["given"]]
        return list(dict.fromkeys([*keys_of(facts["profile"]), *given]))


def _members(main: str, intents: Sequence[JournalEntry]) -> dict[str, Json]:
    """Each member as it was before the merge touched it; the main profile first."""
    members: dict[str, Json] = {}
    for intent in intents:
        image = intent.before or {}
        if "ProfileIdsToBeMerged" not in (intent.request or {}):
            continue
        for profile_id, profile in image["profiles"].items():
            if profile_id not in members:
                members[profile_id] = {
                    "profile": profile,
                    "objects": [dict(one) for one in image["objects"].get(profile_id, ())],
                    "given": [tuple(key) for key in image.get("keys", {}).get(profile_id, ())],
                }
    return {main: members.pop(main), **members}


def _name(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["object_type_name"], one["unique_key"]
