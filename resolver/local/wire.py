"""rest-json on one side, plain dicts on the other, driven by botocore's service model.

Routes, parameters and constraints come from the model that boto3 itself ships: no operation is typed by hand.
A request path is split before it is decoded, because an ARN travels as one percent-encoded segment.
Timestamps are epoch seconds.
"""

from __future__ import annotations

import functools
import json
import re
import uuid
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import botocore.session

from resolver.local.refusal import BadRequest, Refusal, UnknownPath
from resolver.local.shapes import Compiler, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, ServiceModel, Shape

    from resolver.local.shapes import Reader

SERVICE_NAME: Final = "customer-profiles"
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,30}")
_BODILESS_METHODS = frozenset({"GET", "DELETE"})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as it stood on the wire: path and query percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer; a fault may have the transport wait before sending it, or reset the connection."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float = 0.0
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's address and the reader of its input."""

    operation: str
    segments: tuple[str | None, ...]  # None: a variable segment
    model: OperationModel

    @property
    def literals(self) -> tuple[int, ...]:
        """The positions of the segments that are not variable."""
        return tuple(position for position, segment in enumerate(self.segments) if segment is not None)


@functools.cache
def service_model() -> ServiceModel:
    """The Customer Profiles model of the installed botocore."""
    return botocore.session.get_session().get_service_model(SERVICE_NAME)


class _Routes:
    """Routes of one method and length that have their literal segments in the same places."""

    def __init__(self, literals: tuple[int, ...]) -> None:
        self.literals = literals
        self._by_literals: dict[tuple[str | None, ...], Route] = {}

    def add(self, route: Route) -> None:
        self._by_literals[tuple(route.segments[position] for position in self.literals)] = route

    def find(self, segments: list[str]) -> Route | None:
        return self._by_literals.get(tuple(segments[position] for position in self.literals))


@functools.cache
def _routes() -> Mapping[tuple[str, int], list[_Routes]]:
    """All operations of the model by method and number of segments, the most literal first."""
    found: dict[tuple[str, int], dict[tuple[int, ...], _Routes]] = {}
    model = service_model()
    for name in model.operation_names:
        operation = model.operation_model(name)
        segments = tuple(
            None if segment.startswith("{") else segment
            for segment in operation.http["requestUri"].partition("?")[0].split("/")[1:]
        )
        route = Route(name, segments, operation)
        alike = found.setdefault((operation.http["method"], len(segments)), {})
        alike.setdefault(route.literals, _Routes(route.literals)).add(route)
    return {
        key: sorted(alike.values(), key=lambda routes: len(routes.literals), reverse=True)
        for key, alike in found.items()
    }


def find_route(request: HttpRequest) -> tuple[Route, list[str]]:
    """The operation that a request addresses and its raw path segments."""
    segments = request.path.split("/")[1:]
    for routes in _routes().get((request.method, len(segments)), ()):
        route = routes.find(segments)
        if route is not None:
            return route, segments
    raise UnknownPath(f"no operation for {request.method} with this path")


@dataclass(frozen=True, slots=True)
class _InputPlan:
    """Where each member of an operation's input is found."""

    path_members: tuple[tuple[int, str], ...]
    query_members: tuple[tuple[str, str, str], ...]  # wire name, member, type of shape
    body_members: tuple[tuple[str, str], ...]
    read: Reader


_readers: Final = Compiler({})


@functools.cache
def _input_plan(operation: str) -> _InputPlan:
    model = service_model().operation_model(operation)
    shape: Any = model.input_shape
    members: Mapping[str, Shape] = shape.members if shape is not None else {}
    variables = [segment.strip("{}") for segment in model.http["requestUri"].split("/")[1:]]
    by_location: dict[str, list[tuple[str, str, str]]] = {}
    for name, member in members.items():
        wire_name = member.serialization.get("name", name)
        by_location.setdefault(member.serialization.get("location", "body"), []).append(
            (wire_name, name, member.type_name)
        )
    path = tuple((variables.index(wire_name), name) for wire_name, name, _ in by_location.get("uri", ()))
    body = tuple((wire_name, name) for wire_name, name, _ in by_location.get("body", ()))
    read = _readers.gathered(shape) if shape is not None else (lambda _value, _at: {})
    return _InputPlan(path, tuple(by_location.get("querystring", ())), body, read)


def input_reader(operation: str) -> Reader:
    """The reader of an operation's input, given by member name."""
    return _input_plan(operation).read


def member_reader(operation: str, member: str) -> Reader:
    """The reader of one member of an operation's input."""
    shape: Any = service_model().operation_model(operation).input_shape
    return _readers.reader(shape.members[member])


def parse(route: Route, segments: list[str], request: HttpRequest) -> dict[str, Any]:
    """The request's parameters by member name, every constraint of the model satisfied."""
    plan = _input_plan(route.operation)
    given: dict[str, Any] = {}
    if plan.body_members:
        body = _body(request)
        given = {member: body[wire_name] for wire_name, member in plan.body_members if wire_name in body}
    if request.query and plan.query_members:
        given.update(_query(plan, request.query))
    for position, member in plan.path_members:
        given[member] = _decoded(segments[position])
    try:
        return plan.read(given, "")  # type: ignore[no-any-return]
    except Violation as violation:
        raise BadRequest(f"1 validation error detected: {violation}") from None


def _body(request: HttpRequest) -> dict[str, Any]:
    if not request.body or request.method in _BODILESS_METHODS:
        return {}
    try:
        value = _decode(request.body.decode(errors="surrogatepass"))
    except (ValueError, RecursionError):
        raise BadRequest("the request body is not valid JSON") from None
    if type(value) is not dict:
        raise BadRequest("the request body is not a JSON object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


# json.loads and json.dumps make such an object anew at every call
_decode: Final = json.JSONDecoder(parse_constant=_no_constant).decode
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def _query(plan: _InputPlan, query: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape", max_num_fields=1000)
    except ValueError:
        raise BadRequest("the query string is not valid") from None
    found: dict[str, Any] = {}
    for wire_name, member, kind in plan.query_members:
        values = [value for name, value in pairs if name == wire_name]
        if values:
            found[member] = values if kind == "list" else _scalar(values[-1], kind)
    return found


def _scalar(text: str, kind: str) -> Any:
    """A query value as its shape's type, or unchanged when it is not one, for the reader to refuse."""
    if kind in ("integer", "long") and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _decoded(segment: str) -> str:
    """A path segment as text; bytes that are none become half surrogates, which the reader refuses."""
    return unquote(segment, errors="surrogateescape")


def render(content: Mapping[str, Any] | str) -> HttpResponse:
    """A successful answer; text is JSON already."""
    return _response(200, content if isinstance(content, str) else _encode(content), {})


def render_refusal(refusal: Refusal, headers: Mapping[str, str] = MappingProxyType({})) -> HttpResponse:
    """An error in the form that every AWS SDK reads: the type in a header, the message in the body."""
    return _response(
        refusal.status, _encode({"Message": str(refusal)}), {"x-amzn-ErrorType": refusal.code, **headers}
    )


def _response(status: int, text: str, headers: Mapping[str, str]) -> HttpResponse:
    own = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
    return HttpResponse(status, {**own, **headers}, text.encode())
