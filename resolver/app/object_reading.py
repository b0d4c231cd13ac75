"""Reading profile objects: the dearest part of an export, one call a profile and object type."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from resolver.model.frames import OBJECTS, empty
from resolver.profiles.reading import object_types, read_objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.survivorship_policy import Survivorship
    from resolver.profiles.domain import Domain
    from resolver.profiles.object_times import ObjectType

#: Which object types to read: all (plans weigh and limit their number), those that the rules can date or
#: rank, or none.
Wanted = Literal["all", "dated", "none"]
#: Cases stay behind in a merge: reviewers want to know of them whatever the rules say.
CASE_TYPE: Final = "_case"
OPERATION: Final = "list_profile_objects"


@dataclass(frozen=True, slots=True)
class ObjectReading:
    """An OBJECTS frame, and what it cost.

    ``profiles`` had their objects read, of ``types``; types in ``left_out`` were not. ``calls`` is what was
    sent for it; ``spared`` the profiles that needed none, because all objects of the domain were seen.
    """

    objects: pl.DataFrame
    types: tuple[str, ...]
    left_out: tuple[str, ...]
    profiles: int
    calls: int
    spared: int

    def facts(self) -> dict[str, object]:
        """The figures of a report."""
        return {
            "objects": self.objects.height,
            "profiles": self.profiles,
            "types": list(self.types),
            "types_left_out": list(self.left_out),
            "calls": self.calls,
            "profiles_spared": self.spared,
        }


def read_objects_of(
    domain: Domain, profile_ids: Sequence[str], rules: Survivorship, wanted: Wanted = "all"
) -> ObjectReading:
    """The objects of these profiles, of the types that are wanted.

    Ask for the profiles that something depends on. Reading ends early once as many objects are seen as
    GetDomain says there are: the rest of the profiles have none.

    Raises:
        Unreachable, ServiceFailed: the objects cannot be read.
    """
    there = [] if wanted == "none" else object_types(domain)
    needed = [type_ for type_ in there if wanted == "all" or is_needed(type_, rules)]
    stats = domain.require("get_domain").get("Stats") or {} if needed else {}
    before = domain.calls.counts.get(OPERATION, 0)
    left = _Remaining(int(stats.get("ObjectCount", 0)))

    def read(profile_id: str) -> pl.DataFrame | None:
        if left.none:
            return None
        frame = read_objects(domain, profile_id, needed)
        left.take(frame.height)
        return frame

    frames = domain.each(read, profile_ids) if needed else []
    read_ones = [frame for frame in frames if frame is not None]
    return ObjectReading(
        objects=pl.concat([empty(OBJECTS), *read_ones]),
        types=tuple(type_.name for type_ in needed),
        left_out=tuple(type_.name for type_ in there if type_ not in needed),
        profiles=len(read_ones),
        calls=domain.calls.counts.get(OPERATION, 0) - before,
        spared=len(frames) - len(read_ones),
    )


def is_needed(type_: ObjectType, rules: Survivorship) -> bool:
    """Whether objects of a type can tell the rules a date or a rank, or are cases."""
    dated = "objects" in rules.recency and type_.path is not None
    return dated or type_.name in rules.source_priority or type_.name == CASE_TYPE


class _Remaining:
    """How many objects nobody has seen yet; several threads count."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()

    @property
    def none(self) -> bool:
        """Whether all have been seen."""
        return self._count <= 0

    def take(self, seen: int) -> None:
        """So many more have been seen."""
        with self._lock:
            self._count -= seen
