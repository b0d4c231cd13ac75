"""What MergeProfiles will leave behind, exactly.

Documented (API reference of MergeProfiles):

- keys and objects of the merged profiles move to the main profile, the merged profiles are deleted;
- standard fields and attribute keys are unioned where at most one value exists;
- on a conflict the main profile's value stays, unless a source is named: then the source's value is taken,
  also when it is null;
- an address is one field: its block moves whole.

Assumed (nobody outside AWS has confirmed these; plans are made so that none of them matters):

- where the main profile has no value, the merged ones disagree and no source is named, the first of them in
  the order of the request wins. Plans name a source, or take the profiles in separate steps;
- an address block of the main profile with any part in it is a value of its own and is not filled up;
- an object that several members hold (same type and key) is kept once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from resolver.model.profile import EMAILS, PHONES, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from resolver.model.merge_plan import MergeStep, PostStep

#: Search keys that the service derives from fields of a profile: key name → fields.
DERIVED_KEYS: Final = {"_phone": PHONES, "_email": EMAILS, "_account": ("AccountNumber",)}
_NAMES: Final = ("FirstName", "MiddleName", "LastName")


def simulate_step(profiles: Mapping[str, Profile], step: MergeStep) -> Profile:
    """The main profile after one MergeProfiles call on these profiles, as the API will return it."""
    sources = step.field_sources
    main = profiles[step.main_profile_id]
    merged = [profiles[profile_id] for profile_id in step.merged_profile_ids]
    after: Profile = {"ProfileId": step.main_profile_id}
    named = {name: profiles[source] for name, source in sources.items() if name != "Attributes"}
    after |= _union(main, merged, named)
    named = {
        key: profiles[source].get("Attributes", {}) for key, source in sources.get("Attributes", {}).items()
    }
    attributes = _union(main.get("Attributes", {}), [p.get("Attributes", {}) for p in merged], named)
    after.pop("Attributes", None)
    return after | ({"Attributes": attributes} if attributes else {})


def simulate_steps(profiles: Mapping[str, Profile], steps: Sequence[MergeStep]) -> Profile:
    """The main profile after those calls in that order; ``profiles`` as they were before the first."""
    state = dict(profiles)
    for step in steps:
        state[step.main_profile_id] = simulate_step(state, step)
    return state[steps[-1].main_profile_id]


def simulate_post_steps(profile: Profile, post_steps: Iterable[PostStep]) -> Profile:
    """The profile after the UpdateProfile calls among those steps."""
    after = dict(profile)
    for step in post_steps:
        if step.operation == "update_profile":
            after |= {k: v for k, v in step.request.items() if k not in ("ProfileId", "Attributes")}
            added = step.request.get("Attributes")
            if added:
                after["Attributes"] = {**after.get("Attributes", {}), **added}
    return after


def search_keys(profile: Profile) -> frozenset[tuple[str, str]]:
    """The standard search keys of a profile, as (key name, raw value).

    Keys that came from objects or AddProfileKey are not among them: nobody can list those.
    """
    keys = {
        (key, profile[field]) for key, fields in DERIVED_KEYS.items() for field in fields if field in profile
    }
    full_name = " ".join(profile[part] for part in _NAMES if part in profile)
    return frozenset(keys | ({("_fullName", full_name)} if full_name else set()))


def search_keys_after(merged: Iterable[Profile], predicted: Profile) -> frozenset[tuple[str, str]]:
    """The standard search keys that find the survivor once those profiles were merged into it.

    Keys of the merged profiles move (documented). Keys that the main profile had only by a field whose value
    was replaced are taken for lost (assumed), which is why plans add them.
    """
    return search_keys(predicted).union(*map(search_keys, merged))


def _union(main: Profile, merged: Sequence[Profile], named: Mapping[str, Profile]) -> Profile:
    """Members by the documented rule; a named source wins even when it has no value."""
    after: Profile = {}
    for profile in (main, *merged):
        for name, value in profile.items():
            if name not in named and name != "ProfileId":
                after.setdefault(name, value)
    for name, source in named.items():
        if name in source:
            after[name] = source[name]
    return after
