"""A service that checks its own answers: every one must fit what the API's model says of the operation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resolver.local import wire
from resolver.local.limit import NO_LIMIT
from resolver.local.service import Call, Service
from resolver.local.shapes import Compiler

if TYPE_CHECKING:
    from resolver.local.limit import Limit
    from resolver.local.wire import HttpRequest, HttpResponse

_OUTPUT = Compiler({}, strict=True)
_LATEST_MOMENT = 10**11  # epoch seconds: milliseconds would be beyond it
# Any call can be throttled, denied or fail, whatever the model lists; 501 is ours for what is not here.
ALWAYS = {
    "ThrottlingException": 429,
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "NotImplementedException": 501,
}


class CheckedService(Service):
    """Raises AssertionError for an answer that the API's model does not allow."""

    def begin(self, request: HttpRequest) -> Call | HttpResponse:
        begun = super().begin(request)
        if not isinstance(begun, Call):
            check(request, begun)
        return begun

    def finish(self, call: Call, limit: Limit = NO_LIMIT) -> HttpResponse:
        response = super().finish(call, limit)
        check(call.http, response)
        return response


def check(request: HttpRequest, response: HttpResponse) -> None:
    """Compare a response with the operation's output shape, or with the errors that it may give."""
    content = json.loads(response.body, parse_constant=_not_json)
    assert response.headers["x-amzn-RequestId"]
    assert response.headers["Content-Type"] == "application/json"
    if response.status >= 400:
        check_error(request, response.status, (response.headers["x-amzn-ErrorType"], content))
    else:
        assert response.status == 200
        route, _ = wire.find_route(request)
        check_output(route.operation, content)


def check_output(operation: str, content: Any) -> None:
    """Types, required members, ranges, lengths, patterns, enums; no unknown member, no null anywhere."""
    shape = wire.service_model().operation_model(operation).output_shape
    _check_no_null(content, operation)
    if shape is None:
        assert content == {}
    else:
        _OUTPUT.reader(shape)(content, operation)
        _check_moments(shape, content)


def check_error(request: HttpRequest, status: int, error: tuple[str, Any]) -> None:
    """The body's form, and that the operation documents this error with this status."""
    code, content = error
    assert set(content) == {"Message"}
    assert isinstance(content["Message"], str)
    assert content["Message"]
    allowed = dict(ALWAYS)
    if code == "UnknownOperationException":
        allowed[code] = 404
    else:
        route, _ = wire.find_route(request)
        allowed |= {
            shape.name: shape.metadata["error"]["httpStatusCode"] for shape in route.model.error_shapes
        }
    assert allowed.get(code) == status, (code, status)


def _check_no_null(value: Any, at: str) -> None:
    assert value is not None, f"{at} is null"
    if isinstance(value, dict):
        for name, item in value.items():
            _check_no_null(item, f"{at}/{name}")
    elif isinstance(value, list):
        for item in value:
            _check_no_null(item, at)


def _check_moments(shape: Any, value: Any) -> None:
    if shape.type_name == "timestamp":
        assert 0 <= value < _LATEST_MOMENT, "not in epoch seconds"
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                _check_moments(member, value[name])
    elif shape.type_name == "list":
        for item in value:
            _check_moments(shape.member, item)


def _not_json(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
