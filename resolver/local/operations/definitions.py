"""What a definition of an object type must obey: the rules that AWS documents for fields and keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from resolver.local.normalisation import PREDEFINED_KEYS
from resolver.local.operations.profiles import ADDRESS_FIELDS, ADDRESS_PARTS, SCALAR_FIELDS
from resolver.local.refusal import BadRequest
from resolver.local.sources import BadSource, check_source
from resolver.local.templates import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_KEYS: Final = 10
MOST_FIELDS: Final = 250
LOOKUP_ONLY_KEYS: Final = ("_profileId", "_orderId", "_caseId", "_assetId")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_FORBIDDEN: Final = ("Tags", "tags")
_CAMEL: Final = re.compile(r"(?<!^)(?=[A-Z])")
_STANDARD_OBJECTS: Final = frozenset(
    [
        "PROFILE",
        "ASSET",
        "CASE",
        "DEVICE",
        "WEB_ANALYTICS",
        "ORDER",
        "COMMUNICATION_RECORD",
        "AIR_PREFERENCE",
        "HOTEL_PREFERENCE",
        "AIR_BOOKING",
        "AIR_SEGMENT",
        "HOTEL_RESERVATION",
        "HOTEL_STAY_REVENUE",
        "LOYALTY",
        "LOYALTY_TRANSACTION",
        "LOYALTY_PROMOTION",
    ]
)
_EITHER_OR: Final = (
    ("_profile.PartyType", "_profile.PartyTypeString"),
    ("_profile.Gender", "_profile.GenderString"),
)
_LETTERS: Final = frozenset("GyYMLwWDdFEuaHkKhmsSzZX")  # Java SE, "SimpleDateFormat"
_QUOTED: Final = re.compile("'[^']*'")
_TIMESTAMP_TARGET: Final = "_profile.SourceLastUpdatedTimestamp"

Entry = tuple[str, Any]  # a key's name and one of its definitions


def effective(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with its template's Fields, Keys and AllowProfileCreation filled in."""
    template = TEMPLATES.get(definition.get("TemplateId", ""), {})
    return {**{name: template[name] for name in _OF_TEMPLATE if name in template}, **definition}


_OF_TEMPLATE: Final = ("AllowProfileCreation", "Fields", "Keys")


def check_definition(definition: Mapping[str, Any], elsewhere: Mapping[str, list[str]]) -> None:
    """Refuse a definition that breaks a documented rule, naming the rule and the member.

    `elsewhere` holds the content types of the keys that the domain's other object types define.
    """
    if "TemplateId" in definition:
        _check_template(definition)
    else:
        _check_own(definition)
    for name, content_types in key_content_types(effective(definition)).items():
        if elsewhere.get(name, content_types) != content_types:
            raise BadRequest(f"Keys: {name} has other content types in another object type of the domain")


def _check_own(definition: Mapping[str, Any]) -> None:
    fields, keys = definition.get("Fields"), definition.get("Keys")
    if not fields or not keys:
        raise BadRequest("either TemplateId or both Fields and Keys must be given")
    _check_fields(definition, fields)
    entries = [(name, entry) for name, found in keys.items() for entry in found]
    _check_names(fields, keys, entries)
    _check_identifiers(definition, entries)
    _check_targets(fields, entries)


def key_content_types(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    """The content types of the fields behind each key of a definition."""
    fields = definition.get("Fields", {})
    found: dict[str, list[str]] = {}
    for name, entries in definition.get("Keys", {}).items():
        for entry in entries:
            kinds = [fields[field].get("ContentType", "STRING") for field in entry["FieldNames"]]
            if found.setdefault(name, kinds) != kinds:
                raise BadRequest(f"Keys: the definitions of {name} have different content types")
    return found


def _check_template(definition: Mapping[str, Any]) -> None:
    if definition["TemplateId"] not in TEMPLATES:
        raise BadRequest("TemplateId names no template")
    for member in (*_OF_TEMPLATE, "SourceLastUpdatedTimestampFormat"):
        if member in definition:
            raise BadRequest(f"{member} cannot be given with TemplateId")


def _check_fields(definition: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    if len(fields) > MOST_FIELDS:
        raise BadRequest(f"Fields: at most {MOST_FIELDS} are allowed")
    for name, field in fields.items():
        if not _NAME.fullmatch(name) or name in _FORBIDDEN:
            raise BadRequest(f"Fields: {name} is not a name that a field may have")
        if not field.get("Source"):
            raise BadRequest(f"Fields: {name} has no Source")
        try:
            check_source(field["Source"])
        except BadSource as problem:
            raise BadRequest(f"Fields: {name}: {problem}") from None
    targets = {field.get("Target") for field in fields.values()}
    for one, other in _EITHER_OR:
        if one in targets and other in targets:
            raise BadRequest(f"Fields: {one} and {other} cannot both be targets")
    given_format = definition.get("SourceLastUpdatedTimestampFormat")
    if given_format is not None and not _is_timestamp_format(given_format):
        raise BadRequest(
            "SourceLastUpdatedTimestampFormat is neither EpochMilli nor a SimpleDateFormat pattern"
        )
    if _TIMESTAMP_TARGET in targets and "SourceLastUpdatedTimestampFormat" not in definition:
        raise BadRequest(f"Fields: {_TIMESTAMP_TARGET} needs SourceLastUpdatedTimestampFormat")


def _is_timestamp_format(given: str) -> bool:
    """EpochMilli in any case (observed), or letters of Java's SimpleDateFormat outside balanced quotes."""
    unquoted = _QUOTED.sub("", given)
    letters = {letter for letter in unquoted if letter.isascii() and letter.isalpha()}
    return given.casefold() == "epochmilli" or ("'" not in unquoted and bool(letters) and letters <= _LETTERS)


def _check_names(fields: Mapping[str, Any], keys: Mapping[str, Any], entries: list[Entry]) -> None:
    if len(entries) > MOST_KEYS:
        raise BadRequest(f"Keys: at most {MOST_KEYS} definitions are allowed")
    for name in keys:
        if not keys[name]:
            raise BadRequest(f"Keys: {name} has no definition")
        known = name in PREDEFINED_KEYS if name.startswith("_") else _NAME.fullmatch(name)
        if not known or name in _FORBIDDEN:
            raise BadRequest(f"Keys: {name} is neither predefined nor a name that a key may have")
    for name, entry in entries:
        if not entry.get("FieldNames"):
            raise BadRequest(f"Keys: {name} has no FieldNames")
        missing = [field for field in entry["FieldNames"] if field not in fields]
        if missing:
            raise BadRequest(f"Keys: {name} uses {missing[0]}, which is not in Fields")


def _check_identifiers(definition: Mapping[str, Any], entries: list[Entry]) -> None:
    identifiers = [(name, set(entry.get("StandardIdentifiers", ()))) for name, entry in entries]
    if sum("UNIQUE" in found for _, found in identifiers) != 1:
        raise BadRequest("Keys: exactly one key must be UNIQUE")
    profile_keys = [(name, found) for name, found in identifiers if "PROFILE" in found]
    if not profile_keys:
        raise BadRequest("Keys: at least one key must be PROFILE")
    stored = any(
        name == "_profileId" or not found & {"LOOKUP_ONLY", "NEW_ONLY"} for name, found in profile_keys
    )
    if definition.get("AllowProfileCreation") and not stored:
        raise BadRequest("Keys: at least one PROFILE key must be neither LOOKUP_ONLY nor NEW_ONLY")
    for name, found in identifiers:
        if "UNIQUE" in found and found & {"LOOKUP_ONLY", "NEW_ONLY"}:
            raise BadRequest(f"Keys: {name} cannot be UNIQUE and LOOKUP_ONLY or NEW_ONLY")
        if name in LOOKUP_ONLY_KEYS and "LOOKUP_ONLY" not in found:
            raise BadRequest(f"Keys: {name} must be LOOKUP_ONLY")
        if "SECONDARY" in found and "PROFILE" not in found:
            raise BadRequest(f"Keys: {name} cannot be SECONDARY without PROFILE")


def _check_targets(fields: Mapping[str, Any], entries: list[Entry]) -> None:
    identifiers = {found for _, entry in entries for found in entry.get("StandardIdentifiers", ())}
    for name, target in _targets(fields):
        standard_object, _, path = target.removeprefix("_").partition(".")
        needed = _CAMEL.sub("_", standard_object).upper()
        if not target.startswith("_") or not path or needed not in _STANDARD_OBJECTS:
            raise BadRequest(f"Fields: the Target of {name} is not a member of a standard object")
        if needed not in identifiers:
            raise BadRequest(f"Fields: the Target of {name} needs a key with the identifier {needed}")
        if needed == "PROFILE" and not _is_profile_member(path):
            raise BadRequest(f"Fields: the Target of {name} is not a member of _profile that can be written")


def _targets(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, field["Target"]) for name, field in fields.items() if field.get("Target"))


def _is_profile_member(path: str) -> bool:
    member, _, part = path.partition(".")
    if member == "Attributes":
        return bool(part)
    if member in ADDRESS_FIELDS:
        return not part or part in ADDRESS_PARTS
    return not part and (member in SCALAR_FIELDS or member == "SourceLastUpdatedTimestamp")
