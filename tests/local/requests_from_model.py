"""Requests drawn from botocore's input shapes: valid ones, and ones that break exactly one constraint."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from resolver.local.operations import HANDLERS
from resolver.local.wire import HttpRequest, service_model

DOMAIN = "shop"
PROFILE = "a" * 32
LONGEST = 40
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=0, max_size=12)


@dataclass(frozen=True)
class Broken:
    """Input that violates one constraint, and the name of the member that does."""

    value: dict[str, Any]
    member: str


def valid(shape: Any, name: str = "") -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind of shape
    """Values that a shape allows."""
    kind, low, high = shape.type_name, shape.metadata.get("min", 0), shape.metadata.get("max")
    high = LONGEST if high is None else min(high, low + LONGEST)
    if kind == "structure":
        members = {member: valid(inner, member) for member, inner in shape.members.items()}
        required = {member: members.pop(member) for member in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if kind == "list":
        return st.lists(valid(shape.member), min_size=low, max_size=max(low, min(high, 3)))
    if kind == "map":
        return st.dictionaries(valid(shape.key), valid(shape.value), min_size=low, max_size=max(low, 2))
    if kind == "string":
        return _string(shape, name, (low, high))
    if kind in ("integer", "long"):
        return st.integers(shape.metadata.get("min", 0), shape.metadata.get("max", 2**31 - 1))
    if kind in ("double", "float"):
        return st.floats(shape.metadata.get("min", 0), shape.metadata.get("max", 1e6))
    return st.booleans() if kind == "boolean" else st.integers(0, 2**31)


LIKELY = {
    "DomainName": [DOMAIN],
    "KeyName": ["_phone", "_email", "_account", "_profileId", "crmId", "other"],
    "resourceArn": [f"arn:aws:profile:us-east-1:000000000000:domains/{DOMAIN}"],
    "ProfileId": [PROFILE, "b" * 32],
    "MainProfileId": [PROFILE, "b" * 32],
}


def _string(shape: Any, name: str, bounds: tuple[int, int]) -> st.SearchStrategy[str]:
    pattern, (low, high) = shape.metadata.get("pattern"), bounds
    if shape.enum or name in LIKELY:
        return st.sampled_from(shape.enum or LIKELY[name])
    if pattern in (None, ".*"):
        return st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=low, max_size=max(low, high))
    anchored = pattern.rstrip("$") + "$" if pattern.startswith("^") and pattern.endswith("$") else pattern
    drawn = st.from_regex(re.compile(anchored, re.ASCII), fullmatch=True)
    return drawn.filter(lambda text: low <= len(text) <= max(low, high) and "\n" not in text)


@st.composite
def broken(draw: st.DrawFn, shape: Any) -> Broken:
    """An otherwise valid input with one violation somewhere."""
    value = draw(valid(shape))
    path = draw(st.sampled_from(sorted(_violable(shape))))
    return Broken(_break(draw, shape, value, path), path[0])


def _violable(shape: Any) -> set[tuple[str, ...]]:
    """Paths of the members of structures, two levels deep, that can be broken."""
    found = set()
    for name, member in shape.members.items():
        found.add((name,))
        if member.type_name == "structure":
            found |= {(name, inner) for inner in member.members}
    return found


def _break(draw: st.DrawFn, shape: Any, value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    name, *rest = path
    member = shape.members[name]
    if rest:
        inner = value.get(name) or draw(valid(member))
        return {**value, name: _break(draw, member, inner, tuple(rest))}
    return {**value, name: draw(st.sampled_from(_violations(member)))}


def _violations(shape: Any) -> list[Any]:
    kind, low, high = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    if kind in ("structure", "map"):
        return ["text", [], 5]
    if kind == "list":
        long = [[_filler(shape.member)] * (high + 1)] if high and high <= 1000 else []
        return [*long, *([[]] if low else []), "text", {}]
    if kind == "string":
        long = ["a" * (high + 1)] if high else []
        wrong = ["\n!"] if shape.metadata.get("pattern") not in (None, ".*") or shape.enum else []
        return [*long, *wrong, *([""] if low else []), 5, True, ["a"], "\ud800"]
    if kind in ("integer", "long", "double", "float"):
        return [*([low - 1] if low is not None else []), *([high + 1] if high is not None else []), "x", True]
    return ["maybe", 5]


def _filler(shape: Any) -> Any:
    if shape.type_name == "string":
        return PROFILE
    return (
        {name: _filler(inner) for name, inner in shape.members.items()}
        if shape.type_name == "structure"
        else []
    )


def http(operation: str, value: dict[str, Any]) -> HttpRequest | None:
    """The request as a client would send it; None when the path cannot carry the value."""
    model = service_model().operation_model(operation)
    path, query, body = model.http["requestUri"], [], {}
    for name, given in value.items():
        place = model.input_shape.members[name].serialization
        wire_name = place.get("name", name)
        if place.get("location") == "uri":
            if not isinstance(given, str):
                return None
            path = path.replace("{" + wire_name + "}", quote(given, safe="", errors="surrogatepass"))
        elif place.get("location") == "querystring":
            texts = given if isinstance(given, list) else [given]
            query += [(wire_name, _query_text(text)) for text in texts]
        else:
            body[wire_name] = given
    encoded = urlencode(query, errors="surrogatepass")
    return HttpRequest(model.http["method"], path, encoded, {}, json.dumps(body).encode() if body else b"")


def _query_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def says_the_same(operation: str, value: dict[str, Any], member: str) -> bool:
    """Whether a broken value looks valid once it is text in a path or a query."""
    shape = service_model().operation_model(operation).input_shape.members[member]
    place = shape.serialization
    if place.get("location") not in ("uri", "querystring"):
        return False
    given = value[member]
    return not isinstance(given, str) or given == "" or shape.type_name == "list"


OPERATIONS = sorted(HANDLERS)
