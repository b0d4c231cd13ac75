"""SearchProfiles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resolver.local.normalisation import NORMALISERS, PREDEFINED_KEYS
from resolver.local.operations.finding import the_domain
from resolver.local.operations.profiles import as_shown
from resolver.local.refusal import BadRequest
from resolver.local.tables import keys, lookup, profiles
from resolver.local.tables.lookup import KeyQuery, PageOf

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.local.request import Request
    from resolver.local.store import Session


def search_profiles(store: Session, request: Request) -> str:
    """Profiles that up to five keys find, joined by OR unless AND is asked for.

    Documented: equality after normalisation by the key's content type; FoundByItems tells which keys and
    which of their values found a profile (with AND all that were asked); pages of 20. Assumed: an unknown key
    name is a bad request, no hit is an empty list, several values of one key are alternatives
    (`strict_values` refuses them), no value at all or more than 1,000 are a bad request,
    profiles come in order of creation.
    """
    domain = the_domain(store, request)
    given = [(request["KeyName"], request["Values"])]
    given += [(key["KeyName"], key["Values"]) for key in request.get("AdditionalSearchKeys", ())]
    asked = [_asked(store, domain.seq, request, key) for key in given]
    operator = request.get("LogicalOperator", "OR")
    page_of = PageOf(request.after(), request.page_size + 1)
    seqs = lookup.find_by_keys(store, domain.seq, ([one.query for one in asked], operator), page_of)
    page, more = request.page(seqs, seqs)
    items = []
    for seq, profile_id, text in profiles.get_texts(store, page) if page else ():
        if operator == "AND" and len(asked) > 1:
            found_by = given
        else:
            owner = (domain.seq, seq, profile_id)
            found_by = [(one.query.name, _found_by(store, owner, one, sole=len(asked) == 1)) for one in asked]
        shown = [{"KeyName": name, "Values": values} for name, values in found_by if values]
        items.append(f'{as_shown(profile_id, text)[:-1]}, "FoundByItems": {json.dumps(shown)}}}')
    rest = f', "NextToken": {json.dumps(more["NextToken"])}' if more else ""
    return f'{{"Items": [{", ".join(items)}]{rest}}}'


@dataclass(frozen=True, slots=True)
class _Asked:
    """One key of a search, and the normal forms that each of its values may be found under."""

    query: KeyQuery
    forms: dict[str, tuple[str, ...]]


def _asked(store: Session, domain: int, request: Request, key: tuple[str, list[str]]) -> _Asked:
    name, values = key
    if not values:
        raise BadRequest(f"Values of key {name} must not be empty")
    if len(values) > 1 and request.settings.strict_values:
        raise BadRequest(f"Values of key {name} must hold one value")
    normalise = normaliser(store, domain, name)
    forms: dict[str, tuple[str, ...]] = {value: (normalise(value),) for value in values}
    if name == "_profileId" and request.settings.victim_alias:
        survivors = {value: profiles.survivor_of(store, domain, value) for value in values}
        forms = {
            value: (value,) if survivor is None else (value, survivor)
            for value, survivor in survivors.items()
        }
    normal = dict.fromkeys(form for alike in forms.values() for form in alike)
    return _Asked(KeyQuery(name, tuple(normal)), forms)


def _found_by(store: Session, owner: tuple[int, int, str], asked: _Asked, *, sole: bool) -> list[str]:
    """Those of a key's values that lead to a profile; a value that nothing else was asked beside did.

    `owner` is the profile's (domain, seq, id).
    """
    if sole and len(asked.forms) == 1:
        return list(asked.forms)
    domain, profile, profile_id = owner
    if asked.query.name == "_profileId":
        hits = {profile_id}
    else:
        hits = keys.hits(store, (domain, profile), asked.query.name, asked.query.values)
    return [value for value, forms in asked.forms.items() if not hits.isdisjoint(forms)]


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
