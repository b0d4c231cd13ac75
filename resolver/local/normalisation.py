"""How two values of a search key are equal: each content type has one normal form.

Documented (AWS, "Field definitions" and "Examples of object type mappings"): EMAIL_ADDRESS ignores case, NAME
ignores case and repeated blanks, PHONE_NUMBER ignores formatting and an absent US country code, STRING is
exact. Assumed: numbers that cannot be parsed compare by their digits; e-mails are trimmed and case-folded,
nothing cleverer.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEFAULT_REGION = "US"
PHONE_FIELDS = ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber")
EMAIL_FIELDS = ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress")
NAME_FIELDS = ("FirstName", "MiddleName", "LastName")

_NOT_DIGITS = re.compile(r"[^0-9]+")
_LEADING_PLUS = re.compile(r"[^0-9]*\+")
_US_NUMBER = re.compile(r"(?:\+?1)?([2-9][0-9]{9})")  # the shape of nearly every number: no parser needed


def phone(value: str) -> str:
    """E.164 where a number can be read (default region US), else its digits, else the text in lower case.

    Only the digits count, and a plus before the first of them: `(+44) 20` is `+44 20`.
    """
    digits = _NOT_DIGITS.sub("", value)
    if not digits:
        return value.strip().casefold()
    if _LEADING_PLUS.match(value):
        digits = "+" + digits
    us_number = _US_NUMBER.fullmatch(digits)
    return "+1" + us_number[1] if us_number else _parsed(digits)


@functools.lru_cache(maxsize=65536)
def _parsed(digits: str) -> str:
    try:
        number = phonenumbers.parse(digits, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return digits.lstrip("+")
    if not phonenumbers.is_possible_number(number):
        return digits.lstrip("+")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(value: str) -> str:
    """Trimmed and case-folded."""
    return value.strip().casefold()


def name(value: str) -> str:
    """Case-folded, blanks collapsed."""
    return " ".join(value.casefold().split())


def exact(value: str) -> str:
    """The value itself."""
    return value


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "STRING": exact,
    "NUMBER": exact,
    "PHONE_NUMBER": phone,
    "EMAIL_ADDRESS": email,
    "NAME": name,
}

PREDEFINED_KEYS: Mapping[str, str] = {
    "_account": "STRING",
    "_profileId": "STRING",
    "_fullName": "NAME",
    "_phone": "PHONE_NUMBER",
    "_email": "EMAIL_ADDRESS",
    "_ctrContactId": "STRING",
    "_marketoLeadId": "STRING",
    "_salesforceAccountId": "STRING",
    "_salesforceContactId": "STRING",
    "_salesforceAssetId": "STRING",
    "_zendeskUserId": "STRING",
    "_zendeskExternalId": "STRING",
    "_zendeskTicketId": "STRING",
    "_serviceNowSystemId": "STRING",
    "_serviceNowIncidentId": "STRING",
    "_segmentUserId": "STRING",
    "_shopifyCustomerId": "STRING",
    "_shopifyOrderId": "STRING",
    "_assetId": "STRING",
    "_caseId": "STRING",
    "_orderId": "STRING",
}


def standard_keys(fields: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The (key name, normal value) pairs that a standard profile's fields feed, all but `_profileId`."""
    return {key for key, _ in keys_and_fields(fields)}


def keys_and_fields(fields: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Each of the standard keys with the fields that make it up; one that several fields feed comes again."""
    account = fields.get("AccountNumber")
    if account:
        yield ("_account", account), ("AccountNumber",)
    for key, fields_of, normalise in (("_phone", PHONE_FIELDS, phone), ("_email", EMAIL_FIELDS, email)):
        for field in fields_of:
            if (value := fields.get(field)) and (normal := normalise(value)):
                yield (key, normal), (field,)
    full_name = name(" ".join(fields[field] for field in NAME_FIELDS if field in fields))
    if full_name:
        yield ("_fullName", full_name), NAME_FIELDS
