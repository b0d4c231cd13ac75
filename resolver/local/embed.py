"""An unmodified boto3 client that talks to a service in the same process: no port, no network.

botocore asks its `before-send` listeners for a response before it opens a connection; this listener has one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from resolver.local.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.service import Service


def attach(client: Any, service: Service) -> None:
    """Let every call of this client be served by `service`; other clients are not touched."""
    read_timeout = client.meta.config.read_timeout

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        response = service.handle(_http_request(request))
        if response.reset:
            raise ConnectionClosedError(endpoint_url=request.url)
        if response.delay_seconds:
            if read_timeout is not None and response.delay_seconds >= read_timeout:
                raise ReadTimeoutError(endpoint_url=request.url)  # without making the test wait for it
            time.sleep(response.delay_seconds)
        return AWSResponse(
            request.url, response.status, HTTPHeaders.from_dict(response.headers), _Body(response.body)
        )

    client.meta.events.register_first("before-send.customer-profiles", answer)


def _http_request(request: AWSPreparedRequest) -> HttpRequest:
    url = urlsplit(request.url)
    given: Any = request.headers
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in given.items()
    }
    body: Any = request.body or b""  # botocore makes text or bytes of it
    return HttpRequest(
        request.method, url.path, url.query, headers, body.encode() if isinstance(body, str) else bytes(body)
    )


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        content, self._content = self._content, b""
        if content:
            yield content
