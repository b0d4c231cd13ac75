"""The read-only templates: object types that need no definition.

A small set, of documented mappings only, written in our own words. Every key name is a predefined one.
"""

from __future__ import annotations

from typing import Any, Final


def _fields(rows: str) -> dict[str, dict[str, str]]:
    """Rows of `name source target content-type`; a dash stands for none, sources are below `_source`."""
    found = {}
    for row in rows.strip().splitlines():
        name, source, target, content_type = row.split()
        field = {"Source": f"_source.{source}"}
        if target != "-":
            field["Target"] = f"_profile.{target}"
        if content_type != "-":
            field["ContentType"] = content_type
        found[name] = field
    return found


def _key(field: str, *identifiers: str) -> list[dict[str, list[str]]]:
    return [{"StandardIdentifiers": list(identifiers), "FieldNames": [field]}]


_CTR_FIELDS: Final = _fields("""
    contactId ContactId - -
    phone CustomerEndpoint.Address PhoneNumber PHONE_NUMBER
""")

TEMPLATES: Final[dict[str, dict[str, Any]]] = {
    "CTR": {
        "SourceName": "Connect",
        "SourceObject": "CTR",
        "AllowProfileCreation": True,
        "Fields": _CTR_FIELDS,
        "Keys": {"_ctrContactId": _key("contactId", "UNIQUE", "PROFILE"), "_phone": _key("phone")},
    },
    "CTR-NoInferred": {
        "SourceName": "Connect",
        "SourceObject": "CTR",
        "AllowProfileCreation": True,
        "Fields": _CTR_FIELDS,
        "Keys": {
            "_ctrContactId": _key("contactId", "UNIQUE", "PROFILE"),
            "_phone": _key("phone", "PROFILE", "SECONDARY"),
        },
    },
    "CTR-AutoAssociateOnly": {
        "SourceName": "Connect",
        "SourceObject": "CTR",
        "AllowProfileCreation": False,
        "Fields": _CTR_FIELDS,
        "Keys": {
            "_ctrContactId": _key("contactId", "UNIQUE", "PROFILE"),
            "_phone": _key("phone", "PROFILE", "SECONDARY"),
        },
    },
    "Salesforce-Account": {
        "SourceName": "Salesforce",
        "SourceObject": "Account",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id Id Attributes.SalesforceAccountId -
            name Name BusinessName NAME
            number AccountNumber AccountNumber -
            phone Phone BusinessPhoneNumber PHONE_NUMBER
            street BillingStreet BillingAddress.Address1 -
            city BillingCity BillingAddress.City -
            state BillingState BillingAddress.State -
            country BillingCountry BillingAddress.Country -
            postalCode BillingPostalCode BillingAddress.PostalCode -
        """),
        "Keys": {"_salesforceAccountId": _key("id", "UNIQUE", "PROFILE")},
    },
    "Salesforce-Contact": {
        "SourceName": "Salesforce",
        "SourceObject": "Contact",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id Id Attributes.SalesforceContactId -
            accountId AccountId - -
            firstName FirstName FirstName NAME
            lastName LastName LastName NAME
            birthDate Birthdate BirthDate -
            phone Phone PhoneNumber PHONE_NUMBER
            mobile MobilePhone MobilePhoneNumber PHONE_NUMBER
            home HomePhone HomePhoneNumber PHONE_NUMBER
            email Email EmailAddress EMAIL_ADDRESS
            street MailingStreet MailingAddress.Address1 -
            city MailingCity MailingAddress.City -
            state MailingState MailingAddress.State -
            country MailingCountry MailingAddress.Country -
            postalCode MailingPostalCode MailingAddress.PostalCode -
        """),
        "Keys": {
            "_salesforceContactId": _key("id", "UNIQUE", "PROFILE"),
            "_salesforceAccountId": _key("accountId"),
        },
    },
    "Zendesk-users": {
        "SourceName": "Zendesk",
        "SourceObject": "users",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id id - -
            externalId external_id - -
            name name FirstName NAME
            phone phone PhoneNumber PHONE_NUMBER
            email email EmailAddress EMAIL_ADDRESS
        """),
        "Keys": {
            "_zendeskUserId": _key("id", "UNIQUE", "PROFILE"),
            "_zendeskExternalId": _key("externalId"),
        },
    },
    "Marketo-leads": {
        "SourceName": "Marketo",
        "SourceObject": "leads",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id id - -
            firstName firstName FirstName NAME
            lastName lastName LastName NAME
            company company BusinessName -
            phone phone PhoneNumber PHONE_NUMBER
            mobile mobilePhone MobilePhoneNumber PHONE_NUMBER
            email email EmailAddress EMAIL_ADDRESS
        """),
        "Keys": {"_marketoLeadId": _key("id", "UNIQUE", "PROFILE")},
    },
    "Servicenow-sys_user": {
        "SourceName": "Servicenow",
        "SourceObject": "sys_user",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id sys_id - -
            firstName first_name FirstName NAME
            middleName middle_name MiddleName NAME
            lastName last_name LastName NAME
            phone phone PhoneNumber PHONE_NUMBER
            mobile mobile_phone MobilePhoneNumber PHONE_NUMBER
            email email EmailAddress EMAIL_ADDRESS
        """),
        "Keys": {"_serviceNowSystemId": _key("id", "UNIQUE", "PROFILE")},
    },
    "Segment-Identify": {
        "SourceName": "Segment",
        "SourceObject": "Identify",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id userId - -
            firstName traits.firstName FirstName NAME
            lastName traits.lastName LastName NAME
            phone traits.phone PhoneNumber PHONE_NUMBER
            email traits.email EmailAddress EMAIL_ADDRESS
        """),
        "Keys": {"_segmentUserId": _key("id", "UNIQUE", "PROFILE")},
    },
    "Shopify-Customer": {
        "SourceName": "Shopify",
        "SourceObject": "Customer",
        "AllowProfileCreation": True,
        "Fields": _fields("""
            id id - -
            firstName first_name FirstName NAME
            lastName last_name LastName NAME
            phone phone PhoneNumber PHONE_NUMBER
            email email EmailAddress EMAIL_ADDRESS
        """),
        "Keys": {"_shopifyCustomerId": _key("id", "UNIQUE", "PROFILE")},
    },
}
