"""A service that checks its own answers: every success must fit the operation's output shape exactly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from resolver.local import wire
from resolver.local.service import Service
from resolver.local.shapes import Compiler

if TYPE_CHECKING:
    from resolver.local.wire import HttpRequest, HttpResponse

_OUTPUT = Compiler({}, strict=True)
MODELLED = {
    "BadRequestException",
    "ResourceNotFoundException",
    "ThrottlingException",
    "InternalServerException",
}


class CheckedService(Service):
    """Raises AssertionError for an answer that the API's model does not allow."""

    def handle(self, request: HttpRequest) -> HttpResponse:
        response = super().handle(request)
        check(request, response)
        return response


def check(request: HttpRequest, response: HttpResponse) -> None:
    """Compare a response with the output shape, or with the error shape."""
    content = json.loads(response.body)
    assert response.headers["x-amzn-RequestId"]
    if response.status >= 400:
        assert set(content) == {"Message"}
        assert content["Message"]
        return
    route, _ = wire.find_route(request)
    shape = route.model.output_shape
    if shape is not None:
        _OUTPUT.reader(shape)(content, route.operation)
