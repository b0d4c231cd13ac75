"""What must be known, and must hold, right before one merge call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.errors import PlanRefused
from resolver.planning.fingerprint import fingerprint_profile
from resolver.profiles.merge_history import count_merges, keys_given
from resolver.profiles.object_keys import brings_cases, keys_of_object
from resolver.profiles.reading import read_objects, read_profiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.model.merge_plan import MergeStep
    from resolver.model.profile import Profile
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: Objects of one profile (AWS, Customer Profiles service quotas); a rule set whose quota was raised says so.
MOST_OBJECTS: Final = 1000
_KEPT: Final = ("object_type_name", "unique_key", "object")


class HoldsCases(PlanRefused):
    """Connect Cases stay with the id of a merged profile (AWS, "Enable Identity Resolution")."""


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one merge call as they are right before it, by profile id.

    ``keys`` are those that their own fields do not give: of their objects, and added by hand as far as the
    service's history shows them (``merges``: how many it shows of the main profile; null without a history).
    ``read_at`` is the moment before the profiles were read, in seconds by the clock of the merges' pace.
    """

    profiles: Mapping[str, Profile]
    objects: Mapping[str, list[dict[str, Any]]]
    keys: Mapping[str, list[list[str]]]
    merges: int | None
    read_at: float

    @property
    def image(self) -> dict[str, Any]:
        """The before-image that the ledger keeps."""
        return {
            "profiles": self.profiles,
            "objects": self.objects,
            "keys": self.keys,
            "merges_in_history": self.merges,
        }


@dataclass(frozen=True, slots=True)
class Preflight:
    """Reads the members of a call and says whether it may be made.

    More than ``max_objects`` on one profile, and the service evicts old ones.
    """

    domain: Domain
    object_types: Sequence[ObjectType]
    allow_cases: bool
    max_objects: int = MOST_OBJECTS

    def read(self, step: MergeStep, fingerprints: Mapping[str, str]) -> Members:
        """The members as they are now, with objects and known keys.

        Raises:
            PlanRefused: a member is gone or not what was planned on, or the objects would be too many.
            HoldsCases: a profile that would go has Connect Cases.
        """
        profile_ids = [step.main_profile_id, *step.merged_profile_ids]
        read_at = self.domain.clients.merge_pace.now()
        there = read_profiles(self.domain, profile_ids)
        if gone := [i for i in profile_ids if i not in there]:
            raise PlanRefused(f"deleted or merged away since it was planned: {', '.join(gone)}")
        if changed := [i for i in profile_ids if fingerprint_profile(there[i]) != fingerprints.get(i)]:
            raise PlanRefused(f"changed since it was planned: {', '.join(changed)}")
        objects = self._objects(profile_ids)
        self.check_objects(sum(map(len, objects.values())))
        self._check_cases(step, objects)
        given = dict(
            zip(profile_ids, self.domain.each(lambda i: keys_given(self.domain, i), profile_ids), strict=True)
        )
        keys = {i: self._keys(objects[i], given[i] or []) for i in profile_ids}
        return Members(there, objects, keys, count_merges(self.domain, step.main_profile_id), read_at)

    def check_objects(self, count: int) -> None:
        """See that so many objects may be together on one profile.

        Raises:
            PlanRefused: they are too many.
        """
        if count > self.max_objects:
            raise PlanRefused(
                f"{count} objects would come together, {self.max_objects} are allowed on one profile"
            )

    def _objects(self, profile_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        frames = self.domain.each(lambda i: read_objects(self.domain, i, self.object_types), profile_ids)
        return {i: frame.select(_KEPT).to_dicts() for i, frame in zip(profile_ids, frames, strict=True)}

    def _check_cases(self, step: MergeStep, objects: Mapping[str, list[dict[str, Any]]]) -> None:
        bring = {type_.name for type_ in self.object_types if brings_cases(type_)}
        held = [i for i in step.merged_profile_ids if any(o["object_type_name"] in bring for o in objects[i])]
        if held and not self.allow_cases:
            raise HoldsCases(
                f"Connect Cases stay with an id that would go: {', '.join(held)} (--allow-cases merges it)"
            )

    def _keys(self, objects: Sequence[Mapping[str, Any]], given: Sequence[Any]) -> list[list[str]]:
        types = {type_.name: type_ for type_ in self.object_types}
        found = {(key.name, key.value): None for key in given}
        for one in objects:
            for key in keys_of_object(types[one["object_type_name"]], one["object"]) or ():
                if key.stored:
                    found[key.key.name, key.key.value] = None
        return [list(key) for key in found]
