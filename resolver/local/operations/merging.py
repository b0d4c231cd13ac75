"""MergeProfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import keys_and_fields, standard_keys
from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.operations.profiles import (
    PROFILE_FIELDS,
    content_of,
    present,
    refuse_too_large_with_objects,
    save_profile,
)
from resolver.local.refusal import BadRequest
from resolver.local.tables import history, keys, objects, profiles
from resolver.local.tables.history import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain
    from resolver.local.tables.profiles import Profile

# Whole fields: one value, one donor. PartyTypeString and GenderString can have no FieldSourceProfileIds
# entry.
WHOLE_FIELDS: Final = tuple(name for name in PROFILE_FIELDS if name != "Attributes")


def merge_profiles(store: Session, request: Request) -> dict[str, Any]:
    """Fold profiles into a main one, all or nothing; it cannot be undone.

    Order of checks (assumed): the domain; the main profile, then each profile to be merged, exists (404
    naming the id); the main profile is not among them; no id twice; every id in FieldSourceProfileIds is one
    of the merge (400).

    Fields. A *whole* field is a scalar string (PartyTypeString, GenderString and ProfileType too), one of the
    four address blocks, or EngagementPreferences; Attributes are decided entry by entry.
    1. FieldSourceProfileIds names a donor for the whole field or the Attributes entry: the donor's value is
       taken; a donor without one erases the field or entry (documented).
    2. Else the main profile's value, if it has any (documented); an address block counts as one value,
       whichever of its parts are filled, and is never mixed (documented by the shape: one donor per block;
       assumed for the union).
    3. Else the value of the first profile in ProfileIdsToBeMerged that has one (documented when the merged
       profiles agree; the order is assumed, and `merge_winner="hostile"` takes the last instead).
       PartyTypeString and GenderString know rules 2 and 3 only (documented: they have no entry). The
       provenance of every value travels with it.

    Keys. All keys of the merged profiles become the survivor's (documented), those derived from their fields
    included: what found a merged profile finds the survivor, until the object type is deleted that the value
    came from. `_profileId` is not a key of this kind: a merged id finds nothing, or the survivor with
    `victim_alias` (assumed). The survivor's own derived keys follow its new fields; its given keys stay.

    Objects. All objects of the merged profiles become the survivor's (documented); of two with the same type
    and unique key the one ingested last is kept (assumed). The number of objects has no limit here, their
    size has: a survivor that would be larger than a profile with its objects may be (documented: 51,200 KB)
    is a bad request (assumed).

    The survivor's history gains one MERGED record, each merged profile's a DELETED_BY_MERGE with its last
    content.
    """
    domain = the_domain(store, request)
    main, merged = _members(store, domain, request)
    derived = []
    for profile in merged:
        derived.append(_move_keys(store, domain, profile, main))
        _move_objects(store, domain, profile, main)
    members = [main, *(merged if request.settings.merge_winner == "normal" else reversed(merged))]
    fields, main.sources = _united(members, request.get("FieldSourceProfileIds", {}))
    main.updated_at = request.at
    if fields == main.fields:  # as often: neither its text nor its keys are made again
        profiles.touch_profile(store, main)
    else:
        before, main.fields = standard_keys(main.fields), fields
        save_profile(store, domain, main, before)
    refuse_too_large_with_objects(store, main, has_objects=any(one.object_count for one in members))
    for profile, its_keys in zip(merged, derived, strict=True):
        event = Event("DELETED_BY_MERGE", request.at, content_of(profile))
        history.record(store, domain.seq, profile.seq, event)
        keys.remove_keys(store, (domain.seq, profile.seq), its_keys, keys.DERIVED)
        profiles.remove_profile(store, domain.seq, profile, main.profile_id)
    history.record(store, domain.seq, main.seq, Event("MERGED", request.at, content_of(main)))
    return {"Message": "OK"}


def _members(store: Session, domain: Domain, request: Request) -> tuple[Profile, list[Profile]]:
    main_id, merged_ids = request["MainProfileId"], request["ProfileIdsToBeMerged"]
    found = profiles.find_profiles(store, domain.seq, list(dict.fromkeys([main_id, *merged_ids])))
    known = {profile.profile_id: profile for profile in found}
    main, *merged = (known.get(one) or the_profile(store, domain, one) for one in (main_id, *merged_ids))
    if main_id in merged_ids:
        raise BadRequest(f"MainProfileId {main_id} is among ProfileIdsToBeMerged")
    repeated = sorted({profile_id for profile_id in merged_ids if merged_ids.count(profile_id) > 1})
    if repeated:
        raise BadRequest(f"ProfileIdsToBeMerged repeats {repeated[0]}")
    members = {main_id, *merged_ids}
    for field, donors in request.get("FieldSourceProfileIds", {}).items():
        for donor in donors.values() if field == "Attributes" else (donors,):
            if donor not in members:
                raise BadRequest(
                    f"FieldSourceProfileIds names {donor} for {field}, which is not part of the merge"
                )
    return main, merged


def _move_keys(store: Session, domain: Domain, profile: Profile, main: Profile) -> set[keys.Key]:
    """Hand a merged profile's keys to the main one; gives those that derive from its fields."""
    keys.move_given(store, profile.seq, main.seq)
    ended = [
        (key, {profile.sources[name] for name in names if name in profile.sources})
        for key, names in keys_and_fields(profile.fields)
    ]
    keys.add_merged(store, (domain.seq, main.seq), ended)
    return {key for key, _ in ended}


def _move_objects(store: Session, domain: Domain, profile: Profile, main: Profile) -> None:
    for moved in objects.objects_of(store, profile.seq) if profile.object_count else ():
        twin = objects.find_object(store, main.seq, moved.object_type, moved.unique_key)
        if twin is not None:
            older = min(moved, twin, key=lambda found: (found.ingested_at, found.seq))
            keys.keep_as_merged(store, main.seq, older.seq, older.object_type)
            objects.remove_object(store, domain.seq, older)
            if older is moved:
                continue
        objects.move_object(store, moved, main.seq)


def _united(members: list[Profile], donors: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The survivor's fields and their sources; `members` in order of precedence, the main profile first."""
    given = {profile.profile_id: profile.fields for profile in members}
    entries = {profile.profile_id: profile.fields.get("Attributes", {}) for profile in members}
    givers = _givers(given, {name: donor for name, donor in donors.items() if name != "Attributes"})
    entry_givers = _givers(entries, donors.get("Attributes", {}))
    fields: dict[str, Any] = {name: given[givers[name]][name] for name in WHOLE_FIELDS if name in givers}
    fields["Attributes"] = {entry: entries[giver][entry] for entry, giver in entry_givers.items()}
    sources = {}
    for profile in members:
        for path, source in profile.sources.items():
            name, _, entry = path.partition(".")
            giver = entry_givers.get(entry) if name == "Attributes" else givers.get(name)
            if giver == profile.profile_id:
                sources[path] = source
    return present(fields), sources


def _givers(given: dict[str, dict[str, Any]], donors: Mapping[str, str]) -> dict[str, str]:
    """The profile id that each value comes from: the named donor, if it has one, else the first that has."""
    found = {name: profile_id for profile_id in reversed(given) for name in given[profile_id]}
    for name, donor in donors.items():
        if name in given[donor]:
            found[name] = donor
        else:
            found.pop(name, None)
    return found
