"""A profile as paths (``FirstName``, ``Address.City``, ``Attributes.a``) and the update that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.model.profile import ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from resolver.model.profile import Profile

#: Members whose parts UpdateProfile changes one by one.
BLOCKS: Final = (*ADDRESSES, "Attributes")
#: Members that UpdateProfile cannot empty: their shapes take no empty value (service model).
NOT_EMPTIED: Final = ("PartyType", "Gender", "ProfileType", "EngagementPreferences")
#: Pairs of which one call may set one only.
_EITHER_OR: Final = (("PartyType", "PartyTypeString"), ("Gender", "GenderString"))


def paths_of(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of a profile by its path, the id left out."""
    paths: dict[str, Any] = {}
    for name, value in profile.items():
        if name in BLOCKS:
            paths |= {f"{name}.{part}": text for part, text in value.items()}
        elif name != "ProfileId":
            paths[name] = value
    return paths


def profile_of(profile_id: str, paths: Mapping[str, Any]) -> Profile:
    """The profile with these values."""
    profile: Profile = {"ProfileId": profile_id}
    for path, value in paths.items():
        name, _, part = path.partition(".")
        if name in BLOCKS:
            profile.setdefault(name, {})[part] = value
        else:
            profile[name] = value
    return profile


def updates(current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The UpdateProfile requests, without the id, that make ``current`` the ``target``, both as profiles.

    What UpdateProfile cannot empty is left as it is.
    """
    there, wanted = paths_of(current), paths_of(target)
    changed = {path: value for path, value in wanted.items() if there.get(path) != value}
    changed |= {path: "" for path in there if path not in wanted and path not in NOT_EMPTIED}
    second = {other for one, other in _EITHER_OR if changed.get(one) and changed.get(other)}
    for request in (
        {path: value for path, value in changed.items() if path not in second},
        {path: value for path, value in changed.items() if path in second},
    ):
        if request:
            yield {k: v for k, v in profile_of("", request).items() if k != "ProfileId"}


def undone(
    before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[Profile, list[str]]:
    """The profile as ``before``, but with what was changed since ``after`` as it is ``now``; those paths."""
    then, left, there = paths_of(before), paths_of(after), paths_of(now)
    changed = sorted(path for path in left.keys() | there.keys() if left.get(path) != there.get(path))
    kept = {path: there[path] for path in changed if path in there}
    wanted = {path: value for path, value in then.items() if path not in changed} | kept
    return profile_of(now["ProfileId"], wanted), changed
