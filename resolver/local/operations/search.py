"""SearchProfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.local.normalisation import NORMALISERS, PREDEFINED_KEYS
from resolver.local.operations.finding import the_domain
from resolver.local.operations.profiles import description
from resolver.local.refusal import BadRequest
from resolver.local.tables import keys, lookup, profiles
from resolver.local.tables.lookup import KeyQuery, PageOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.profiles import Profile


def search_profiles(store: Session, request: Request) -> dict[str, Any]:
    """Profiles that up to five keys find, joined by OR unless AND is asked for.

    Documented: equality after normalisation by the key's content type; FoundByItems tells which keys found a
    profile (with AND all of them); pages of 20. Assumed: an unknown key name is a bad request, no hit is an
    empty list, several values of one key are alternatives (`strict_values` refuses them), no value at all is
    a bad request, profiles come in order of creation.
    """
    domain = the_domain(store, request)
    asked = [(request["KeyName"], request["Values"])]
    asked += [(key["KeyName"], key["Values"]) for key in request.get("AdditionalSearchKeys", ())]
    queries = [_query(store, domain.seq, request, key) for key in asked]
    operator = request.get("LogicalOperator", "OR")
    page_of = PageOf(request.after(), request.page_size + 1)
    seqs = lookup.find_by_keys(store, domain.seq, (queries, operator), page_of)
    page, more = request.page(seqs, seqs)
    items = []
    for profile in profiles.get_profiles(store, page) if page else ():
        found_by = [
            {"KeyName": name, "Values": values}
            for (name, values), query in zip(asked, queries, strict=True)
            if len(queries) == 1 or operator == "AND" or _leads_to(store, domain.seq, query, profile)
        ]
        items.append({**description(profile), "FoundByItems": found_by})
    return {"Items": items, **more}


def _query(store: Session, domain: int, request: Request, key: tuple[str, list[str]]) -> KeyQuery:
    name, values = key
    if not values:
        raise BadRequest(f"Values of key {name} must not be empty")
    if len(values) > 1 and request.settings.strict_values:
        raise BadRequest(f"Values of key {name} must hold one value")
    normalise = normaliser(store, domain, name)
    normal = dict.fromkeys(normalise(value) for value in values)
    if name == "_profileId" and request.settings.victim_alias:
        survivors = [profiles.survivor_of(store, domain, value) for value in normal]
        normal |= dict.fromkeys(survivor for survivor in survivors if survivor is not None)
    return KeyQuery(name, tuple(normal))


def normaliser(store: Session, domain: int, key_name: str) -> Callable[[str], str]:
    """The normal form of a key's values; a name neither predefined nor defined in the domain is refused."""
    predefined = PREDEFINED_KEYS.get(key_name)
    content_types = [predefined] if predefined else keys.key_content_types(store, domain, key_name)
    if content_types is None:
        raise BadRequest(f"KeyName {key_name} is not defined in the domain")
    return NORMALISERS[joint_content_type(key_name, content_types)]


def joint_content_type(key_name: str, content_types: list[str]) -> str:
    """The content type that a key's values are compared by.

    Assumed: a predefined key has its own whatever fields feed it; several fields count as what they agree on,
    if that is a type that may be joined, and as STRING otherwise.
    """
    if key_name in PREDEFINED_KEYS:
        return PREDEFINED_KEYS[key_name]
    first = content_types[0]
    if len(content_types) == 1 or (first in ("NAME", "EMAIL_ADDRESS") and set(content_types) == {first}):
        return first
    return "STRING"


def _leads_to(store: Session, domain: int, query: KeyQuery, profile: Profile) -> bool:
    if query.name == "_profileId":
        return profile.profile_id in query.values
    return keys.has_key(store, (domain, profile.seq), query.name, query.values)
