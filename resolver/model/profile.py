"""One customer profile as the Customer Profiles API shapes it, and the names of its parts.

A profile is a plain ``dict`` with the API's member names (``FirstName``, ``Address`` → ``City``,
``Attributes``), always with ``ProfileId`` and never with empty members: the API returns none.
The same profile as a row of a PROFILES frame uses botocore's ``xform_name`` of each member (``first_name``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from resolver.model.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Free-text members of a profile, in the order of the API reference: API name → column name.
SCALARS: Final[dict[str, str]] = {
    "AccountNumber": "account_number",
    "AdditionalInformation": "additional_information",
    "PartyType": "party_type",
    "BusinessName": "business_name",
    "FirstName": "first_name",
    "MiddleName": "middle_name",
    "LastName": "last_name",
    "BirthDate": "birth_date",
    "Gender": "gender",
    "PhoneNumber": "phone_number",
    "MobilePhoneNumber": "mobile_phone_number",
    "HomePhoneNumber": "home_phone_number",
    "BusinessPhoneNumber": "business_phone_number",
    "EmailAddress": "email_address",
    "PersonalEmailAddress": "personal_email_address",
    "BusinessEmailAddress": "business_email_address",
    "PartyTypeString": "party_type_string",
    "GenderString": "gender_string",
    "ProfileType": "profile_type",
}

#: Address members: API name → column name. Each is one block that MergeProfiles moves whole.
ADDRESSES: Final[dict[str, str]] = {
    "Address": "address",
    "ShippingAddress": "shipping_address",
    "MailingAddress": "mailing_address",
    "BillingAddress": "billing_address",
}

#: What a customer wants to be reached by: one member that MergeProfiles moves whole. Its entries name a
#: contact field, a search key, and other profiles by their ids. Frames hold it as canonical JSON text.
PREFERENCES: Final[dict[str, str]] = {"EngagementPreferences": "engagement_preferences"}

#: Parts of an address block: API name → struct field name.
ADDRESS_PARTS: Final[dict[str, str]] = {
    "Address1": "address1",
    "Address2": "address2",
    "Address3": "address3",
    "Address4": "address4",
    "City": "city",
    "County": "county",
    "State": "state",
    "Province": "province",
    "Country": "country",
    "PostalCode": "postal_code",
}

PHONES: Final = ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber")
EMAILS: Final = ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress")

#: Members that FieldSourceProfileIds of MergeProfiles cannot steer: the main profile's value stays.
UNSTEERABLE: Final = ("PartyTypeString", "GenderString")

#: The 22 members of FieldSourceProfileIds that name one donor each (Attributes names one per key).
STEERABLE: Final = (*(name for name in SCALARS if name not in UNSTEERABLE), *ADDRESSES, *PREFERENCES)

#: Every member but Attributes in the order in which people read them: name → position.
MEMBER_ORDER: Final = {name: place for place, name in enumerate((*SCALARS, *ADDRESSES, *PREFERENCES))}

#: Longest value that CreateProfile and UpdateProfile take, in characters (service model); others: 255.
MAX_LENGTH: Final = {"AdditionalInformation": 1000}
DEFAULT_MAX_LENGTH: Final = 255

Profile = dict[str, Any]


def without_blanks(profile: Mapping[str, Any]) -> Profile:
    """The profile without empty strings, nulls, empty address blocks and ``FoundByItems``.

    The service omits empty members and a search adds ``FoundByItems``; two readings of the same profile
    compare equal only after this.
    """
    clean: Profile = {}
    for name, value in profile.items():
        if name == "FoundByItems":
            continue
        if isinstance(value, dict):
            kept = {part: text for part, text in value.items() if text not in (None, "", [], {})}
            if kept:
                clean[name] = kept
        elif value not in (None, ""):
            clean[name] = value
    return clean


def to_row(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile as a row of a PROFILES frame, its attributes sorted by key."""
    row: dict[str, Any] = {"profile_id": profile["ProfileId"]}
    attributes = [{"key": k, "value": v} for k, v in sorted((profile.get("Attributes") or {}).items())]
    for name, value in profile.items():
        if name in SCALARS:
            row[SCALARS[name]] = value
        elif name in ADDRESSES:
            row[ADDRESSES[name]] = {column: value.get(part) for part, column in ADDRESS_PARTS.items()}
        elif name in PREFERENCES and value:
            row[PREFERENCES[name]] = canonical_json(value)
    row["attributes"] = attributes or None
    return row


def from_row(row: Mapping[str, Any]) -> Profile:
    """The API-shaped profile of one PROFILES row, blanks left out."""
    profile: Profile = {"ProfileId": row["profile_id"]}
    for name, column in SCALARS.items():
        profile[name] = row.get(column)
    for name, column in ADDRESSES.items():
        block = row.get(column) or {}
        profile[name] = {part: block.get(field) for part, field in ADDRESS_PARTS.items()}
    for name, column in PREFERENCES.items():
        profile[name] = json.loads(row.get(column) or "null")
    profile["Attributes"] = {item["key"]: item["value"] for item in row.get("attributes") or ()}
    return without_blanks(profile)


def by_id(profiles: Iterable[Profile]) -> dict[str, Profile]:
    """Profiles keyed by their ProfileId."""
    return {profile["ProfileId"]: profile for profile in profiles}
