"""Standard profiles: CreateProfile, UpdateProfile, DeleteProfile, BatchGetProfile."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import standard_keys
from resolver.local.operations.finding import the_domain, the_profile
from resolver.local.refusal import BadRequest
from resolver.local.tables import history, keys, objects
from resolver.local.tables import profiles as table
from resolver.local.tables.history import Event
from resolver.local.tables.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain

SCALAR_FIELDS: Final = (
    "AccountNumber",
    "AdditionalInformation",
    "PartyType",
    "BusinessName",
    "FirstName",
    "MiddleName",
    "LastName",
    "BirthDate",
    "Gender",
    "PhoneNumber",
    "MobilePhoneNumber",
    "HomePhoneNumber",
    "BusinessPhoneNumber",
    "EmailAddress",
    "PersonalEmailAddress",
    "BusinessEmailAddress",
    "PartyTypeString",
    "GenderString",
    "ProfileType",
)
ADDRESS_PARTS: Final = (
    "Address1",
    "Address2",
    "Address3",
    "Address4",
    "City",
    "County",
    "State",
    "Province",
    "Country",
    "PostalCode",
)
ADDRESS_FIELDS: Final = ("Address", "ShippingAddress", "MailingAddress", "BillingAddress")
BLOCK_FIELDS: Final = (*ADDRESS_FIELDS, "Attributes")
PROFILE_FIELDS: Final = (*SCALAR_FIELDS, *BLOCK_FIELDS, "EngagementPreferences")
MOST_BYTES: Final = 256_000  # one profile, as stored JSON
MOST_TOTAL_BYTES: Final = 51_200 * 1024  # one profile with all its objects, documented default
_FIELDS: Final = frozenset(PROFILE_FIELDS)
_FEW_ATTRIBUTES: Final = 50  # 153 kB at most; all other fields together come to 100 kB
_EITHER_OR: Final = (("PartyType", "PartyTypeString"), ("Gender", "GenderString"))


def new_id() -> str:
    """A profile id that was never given before."""
    return secrets.token_hex(16)


def create_profile(store: Session, request: Request) -> dict[str, Any]:
    """Add a profile under a new id.

    Documented: no deduplication of any kind. Assumed: PartyType with PartyTypeString, or Gender with
    GenderString, in one call is a bad request, as it is in an object type's targets; an empty address block
    counts as absent.
    """
    domain = the_domain(store, request)
    refuse_both(request.parameters)
    fields = present({name: value for name, value in request.parameters.items() if name in _FIELDS})
    profile = Profile(0, new_id(), fields, {}, request.at, request.at, 0)
    add_profile(store, domain, profile)
    return {"ProfileId": profile.profile_id}


def update_profile(store: Session, request: Request) -> dict[str, Any]:
    """Change the members that are given.

    Documented: an absent member keeps its value, an empty string removes it. Assumed: addresses merge by part
    and Attributes by key, an empty value removes the part or entry; setting PartyType removes PartyTypeString
    and vice versa is NOT done (nothing says so); a profile that would be larger with its objects than it may
    be (documented: 51,200 KB) is a bad request. What is set here counts as written by hand: ingestion no
    longer overwrites it. Derived search keys follow the new values, given keys stay.
    """
    domain = the_domain(store, request)
    refuse_both(request.parameters)
    profile = the_profile(store, domain, request["ProfileId"])
    before = standard_keys(profile.fields)
    for name in PROFILE_FIELDS:
        given = request.get(name)
        if given is None:
            continue
        if name in BLOCK_FIELDS:
            profile.fields[name] = {**profile.fields.get(name, {}), **given}
            touched = [f"{name}.{part}" for part in given]
        else:
            profile.fields[name] = given
            touched = [name]
        for path in touched:
            profile.sources.pop(path, None)
    profile.fields = present(profile.fields)
    profile.updated_at = request.at
    save_profile(store, domain, profile, before)
    refuse_too_large_with_objects(store, profile, has_objects=profile.object_count > 0)
    history.record(store, domain.seq, profile.seq, Event("UPDATED", request.at, content_of(profile)))
    return {"ProfileId": profile.profile_id}


def delete_profile(store: Session, request: Request) -> dict[str, Any]:
    """Remove a profile, its objects and keys (documented); a second delete is a 404 (observed, Terraform)."""
    domain = the_domain(store, request)
    profile = the_profile(store, domain, request["ProfileId"])
    history.record(
        store, domain.seq, profile.seq, Event("DELETED_BY_CUSTOMER", request.at, content_of(profile))
    )
    for owned in objects.objects_of(store, profile.seq):
        objects.remove_object(store, domain.seq, owned)
    keys.remove_all_given(store, profile.seq)
    drop_profile(store, domain, profile, None)
    return {"Message": "OK"}


def batch_get_profile(store: Session, request: Request) -> str:
    """Up to 20 profiles by id; an id that is not there becomes an entry of Errors (documented).

    Assumed: answers in the order asked, a repeated id once, and a merged-away id is an error even with
    `victim_alias`.
    """
    domain = the_domain(store, request)
    asked = list(dict.fromkeys(request["ProfileIds"]))
    known = table.find_texts(store, domain.seq, asked)
    found = [as_shown(profile_id, known[profile_id]) for profile_id in asked if profile_id in known]
    missing = [
        {"Code": "ResourceNotFoundException", "Message": "Profile not found", "ProfileId": profile_id}
        for profile_id in asked
        if profile_id not in known
    ]
    return f'{{"Profiles": [{", ".join(found)}], "Errors": {json.dumps(missing) if missing else "[]"}}}'


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The members that hold something: no nulls, no empty strings, no empty blocks."""
    kept = {}
    for name, value in fields.items():
        held = (
            {part: text for part, text in value.items() if text} if name in BLOCK_FIELDS and value else value
        )
        if held:
            kept[name] = held
    return kept


def remove_path(profile: Profile, path: str) -> None:
    """Take one field, address part or attribute away, and with it what is known of its source."""
    profile.sources.pop(path, None)
    name, _, part = path.partition(".")
    if part:
        profile.fields[name] = {kept: text for kept, text in profile.fields[name].items() if kept != part}
    else:
        profile.fields.pop(name, None)
    profile.fields = present(profile.fields)


def as_shown(profile_id: str, text: str) -> str:
    """A profile as the API shows it, of the JSON text of its fields as they are stored."""
    return f'{{"ProfileId": "{profile_id}"{"" if text == "{}" else ", "}{text[1:]}'


def content_of(profile: Profile) -> str | None:
    """A profile as it is stored, as a history record's Content, which has an upper limit."""
    text = as_shown(profile.profile_id, profile.text)
    return text if len(text) <= MOST_BYTES else None


def add_profile(store: Session, domain: Domain, profile: Profile) -> None:
    """Insert a profile, index it and begin its history; sets its seq."""
    refuse_too_large(profile.fields)
    profile.seq = table.insert_profile(store, domain.seq, profile)
    keys.add_keys(store, (domain.seq, profile.seq), standard_keys(profile.fields), keys.DERIVED)
    history.record(store, domain.seq, profile.seq, Event("CREATED", profile.created_at, content_of(profile)))


def save_profile(store: Session, domain: Domain, profile: Profile, before: set[keys.Key]) -> None:
    """Store changed fields and bring the derived keys (`before`: those of the old fields) in line."""
    refuse_too_large(profile.fields)
    after = standard_keys(profile.fields)
    owner = (domain.seq, profile.seq)
    keys.remove_keys(store, owner, before - after, keys.DERIVED)
    keys.add_keys(store, owner, after - before, keys.DERIVED)
    table.update_profile(store, domain.seq, profile)


def drop_profile(store: Session, domain: Domain, profile: Profile, survivor: str | None) -> None:
    """Take the profile itself and its derived keys away."""
    keys.remove_keys(store, (domain.seq, profile.seq), standard_keys(profile.fields), keys.DERIVED)
    table.remove_profile(store, domain.seq, profile, survivor)


def refuse_both(given: Mapping[str, Any]) -> None:
    """Refuse an enumerated member beside its free twin."""
    for one, other in _EITHER_OR:
        if given.get(one) and given.get(other):
            raise BadRequest(f"{one} and {other} cannot both be given")


def refuse_too_large(fields: Mapping[str, Any]) -> None:
    """Refuse fields beyond the size of a profile."""
    if "EngagementPreferences" not in fields and len(fields.get("Attributes", ())) <= _FEW_ATTRIBUTES:
        return
    text = json.dumps(fields)  # at least as long as what counts, UTF-8
    if len(text) > MOST_BYTES and len(json.dumps(fields, ensure_ascii=False).encode()) > MOST_BYTES:
        raise BadRequest(f"a profile has at most {MOST_BYTES} bytes")


def refuse_too_large_with_objects(store: Session, profile: Profile, *, has_objects: bool) -> None:
    """Refuse a stored profile beyond the size of one with its objects; alone it cannot come near."""
    if has_objects and objects.held_by(store, profile.seq)[1] > MOST_TOTAL_BYTES:
        raise BadRequest(f"a profile has at most {MOST_TOTAL_BYTES} bytes with its objects")
