"""Requests drawn from botocore's input shapes: valid ones, and ones that break exactly one constraint."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from resolver.local.operations import HANDLERS
from resolver.local.wire import HttpRequest, service_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPERATIONS = sorted(HANDLERS)
DOMAIN = "shop"
PROFILES = ("a" * 32, "b" * 32, "c" * 32)
URI = "arn:aws:s3:::bucket/x"
LONGEST = 40
MOST = {"requestValueList": 1000}  # what the service bounds although the model does not
ANY_TEXT = st.characters(exclude_categories=["Cs", "Cc"])
ARN = f"arn:aws:profile:us-east-1:000000000000:domains/{DOMAIN}"
# What leads somewhere in the domain of the test; the rest of a request is drawn freely.
BY_MEMBER = {
    "DomainName": (DOMAIN,),
    "ObjectTypeName": ("crm", "CTR", "other"),
    "KeyName": ("_phone", "_email", "_account", "_profileId", "crmId", "other"),
    "TemplateId": ("CTR", "Salesforce-Contact", "other"),
    "Object": ('{"id": "1"}', '{"ContactId": "7"}', "{}", "[1]", "text"),
    "Uri": (URI, "other"),
    "resourceArn": (ARN, f"{ARN}/object-types/crm", f"{ARN}/integrations/{URI}", f"{ARN}x"),
    "SearchKey": ("profileId", "matchId"),
    "SearchValue": PROFILES,
}
BY_SHAPE = {"uuid": PROFILES}
IMPOSSIBLE_TEXTS = ("\n!", "", "\x00", "x" * 80, "aws: ")  # one of them breaks any pattern of the model


@dataclass(frozen=True)
class Broken:
    """Input that violates one constraint, the member as an answer must name it, and the kind of violation."""

    value: dict[str, Any]
    at: str
    kind: str


@cache
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


def _string(shape: Any, name: str, bounds: tuple[int, int]) -> st.SearchStrategy[str]:
    pattern, (low, high) = shape.metadata.get("pattern"), bounds
    if likely := _likely(shape, name):
        return st.sampled_from(likely)
    if pattern in (None, ".*"):
        return st.text(ANY_TEXT, min_size=low, max_size=max(low, high))
    drawn = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)
    return drawn.filter(lambda text: low <= len(text) <= max(low, high) and "\n" not in text)


def _likely(shape: Any, name: str) -> tuple[str, ...]:
    texts = shape.enum or BY_MEMBER.get(name) or BY_SHAPE.get(shape.name) or ()
    return tuple(text for text in texts if _fits(shape, text))


def _fits(shape: Any, text: str) -> bool:
    pattern = shape.metadata.get("pattern", ".*")
    prefix_only = pattern.startswith("^") and not pattern.endswith("$")
    whole = pattern + "(?s:.*)" if prefix_only else pattern
    return re.fullmatch(whole, text, re.ASCII) is not None


def least(shape: Any, name: str = "") -> Any:
    """The smallest valid value: required members only, the first likely text."""
    kind, low = shape.type_name, shape.metadata.get("min", 0)
    if kind == "structure":
        return {member: least(shape.members[member], member) for member in shape.required_members}
    if kind == "list":
        return [least(shape.member)] * low
    if kind == "map":
        return {least(shape.key): least(shape.value)} if low else {}
    if kind == "string":
        return next(iter(_likely(shape, name)), None) or _plain(shape)
    return {"boolean": True}.get(kind, low)


def _plain(shape: Any) -> str:
    texts = ("a" * max(2, shape.metadata.get("min", 0)), "00:00", "0", "arn:aws:kms:us-east-1:1:key/k")
    return next(text for text in (*texts, "arn:aws:iam::000000000000:role/r") if _fits(shape, text))


Path = tuple[str, ...]  # member names; "0" steps into a list, "0/key" and "0/value" into a map


@cache
def violations(shape: Any) -> list[tuple[Path, str, Any]]:
    """Every (path, kind, value) that breaks one constraint of a shape; ABSENT takes a member away."""
    found: list[tuple[Path, str, Any]] = []
    kind = shape.type_name
    if kind == "structure":
        found += [((name,), "required", ABSENT) for name in shape.required_members]
    inner = {
        "structure": lambda: shape.members,
        "list": lambda: {"0": shape.member},
        "map": lambda: {"0/key": shape.key, "0/value": shape.value},
    }.get(kind, dict)()
    for step, member in inner.items():
        found += [((step,), what, value) for what, value in _own_violations(member)]
        found += [((step, *path), what, value) for path, what, value in violations(member)]
    return [one for one in found if not (one[0][-1] == "0/key" and one[1] == "type")]  # JSON's keys are texts


ABSENT = object()


def _own_violations(shape: Any) -> list[tuple[str, Any]]:
    """What breaks a shape by itself, whatever it may contain."""
    kind, low, high = shape.type_name, shape.metadata.get("min"), shape.metadata.get("max")
    high = MOST.get(shape.name, high)
    if kind in ("structure", "map"):
        few = [("too few", {})] if kind == "map" and low else []
        many = [("too many", {f"k{n}": "x" for n in range(high + 1)})] if kind == "map" and high else []
        return [*few, *many, *(("type", value) for value in ("text", [], 5))]
    if kind == "list":
        many = [("too many", [_filler(shape.member)] * (high + 1))] if high and high <= 1000 else []
        return [*many, *([("too few", [])] if low else []), ("type", "text"), ("type", {})]
    if kind == "string":
        return [*_wrong_texts(shape, (low or 0, high)), *(("type", value) for value in (5, True, ["a"]))]
    if kind in ("integer", "long", "double", "float"):
        ends = [("too small", low - 1)] if low is not None else []
        ends += [("too large", high + 1)] if high is not None else []
        ends.append(("too large", 10**400))
        return [*ends, ("type", "x"), ("type", True), ("type", [])]
    if kind == "timestamp":
        return [
            ("too large", 10**400),
            ("too large", 1e300),
            ("too small", -1e300),
            ("type", "x"),
            ("type", True),
        ]
    return [("type", "maybe"), ("type", []), *([("type", 5)] if kind == "boolean" else [("type", True)])]


def _wrong_texts(shape: Any, bounds: tuple[int, int | None]) -> list[tuple[str, Any]]:
    low, high = bounds
    found: list[tuple[str, Any]] = [("too long", "a" * (high + 1))] if high else []
    if low:
        found.append(("too short", ""))
    pattern = shape.metadata.get("pattern")
    fitting = [text for text in IMPOSSIBLE_TEXTS if low <= len(text) <= (high or 1000)]
    if shape.enum:
        found += [("enum", text) for text in fitting]
    elif pattern not in (None, ".*"):
        found += [("pattern", text) for text in fitting if not _fits(shape, text)]
    return [*found, ("surrogate", "\ud800" * max(1, low))]


@st.composite
def broken(draw: st.DrawFn, shape: Any) -> Broken:
    """An otherwise valid input with one violation somewhere, at any depth."""
    path, kind, value = draw(st.sampled_from(violations(shape)))
    return Broken(placed(lambda inner: draw(valid(inner)), shape, path, value), "/".join(path), kind)


def least_broken(shape: Any) -> Iterator[Broken]:
    """Every violation there is, each in the smallest input."""
    for path, kind, value in violations(shape):
        yield Broken(placed(least, shape, path, value), "/".join(path), kind)


def placed(draw: Callable[[Any], Any], shape: Any, path: Path, value: Any) -> Any:
    """A value of the shape as `draw` gives valid ones, but for what stands at the path."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if shape.type_name == "structure":
        found = dict(draw(shape))
        found.pop(step, None)
        return found if value is ABSENT and not rest else {
            **found, step: placed(draw, shape.members[step], rest, value)
        }  # fmt: skip
    if shape.type_name == "list":
        return [placed(draw, shape.member, rest, value), *draw(shape)[1:]]
    if step == "0/key":
        return {value: draw(shape.value)}
    return {draw(shape.key): placed(draw, shape.value, rest, value)}


def _filler(shape: Any) -> Any:
    if shape.type_name == "string":
        return PROFILES[0]
    return (
        {name: _filler(inner) for name, inner in shape.members.items()}
        if shape.type_name == "structure"
        else []
    )


def http(operation: str, value: dict[str, Any]) -> HttpRequest:
    """The request as a client would send it."""
    model = service_model().operation_model(operation)
    path, query, body = model.http["requestUri"], [], {}
    for name, given in value.items():
        place = model.input_shape.members[name].serialization
        wire_name = place.get("name", name)
        if place.get("location") == "uri":
            path = path.replace("{" + wire_name + "}", quote(given, safe="", errors="surrogatepass"))
        elif place.get("location") == "querystring":
            texts = given if isinstance(given, list) else [given]
            query += [(wire_name, text if isinstance(text, str) else json.dumps(text)) for text in texts]
        else:
            body[wire_name] = given
    encoded = urlencode(query, errors="surrogatepass")
    headers = {"content-type": "application/json"}
    return HttpRequest(
        model.http["method"], path, encoded, headers, json.dumps(body).encode() if body else b""
    )


def can_be_sent(operation: str, drawn: Broken) -> bool:
    """Whether the violation outlives a path or a query, where all is text and a path has all its parts."""
    name = drawn.at.partition("/")[0]
    shape = service_model().operation_model(operation).input_shape.members[name]
    place = shape.serialization.get("location")
    if place == "uri":
        return drawn.kind not in ("type", "required")
    if place == "querystring":
        lost = drawn.value.get(name) == [] and shape.type_name != "list"
        return not lost and not (drawn.kind == "type" and shape.type_name in ("string", "list"))
    return True
