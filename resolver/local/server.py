"""The embedded service on a loopback port: the same `Service.handle` that the in-process transport calls.

Whatever can be answered at once is; what would wait for the writer or take long goes to one worker thread, so
that a bulk load never makes a search wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resolver.local import admin_routes
from resolver.local.wire import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from resolver.local.service import Service
    from resolver.local.wire import HttpResponse

HOST: Final = "127.0.0.1"  # the service has no access control: it is never offered to a network
_LARGEST_BODY: Final = 64 * 1024 * 1024
_ABORT: Final = "resolver.abort"


class _AbortableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also lets the application reset its connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_ABORT: {"call": self.transport.abort}}


class _Application:
    """The ASGI side of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolver-local-worker")

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = HttpRequest(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            await _body(receive),
        )
        response = await self._answer(request)
        if response.delay_seconds:
            await asyncio.sleep(response.delay_seconds)
        if response.reset:
            scope["extensions"][_ABORT]["call"]()
            await receive()  # returns when the connection is gone, which keeps uvicorn from answering 500
            return
        headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()
        if admin_routes.is_admin(request):
            return await loop.run_in_executor(None, admin_routes.handle, self._service, request)
        response = self._service.handle_at_once(request)
        if response is None:
            response = await loop.run_in_executor(self._worker, self._service.handle, request)
        return response


async def _body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


def config(application: Any) -> uvicorn.Config:
    """How every server here is set up."""
    return uvicorn.Config(
        application,
        http=_AbortableProtocol,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
    )


def listen(port: int) -> socket.socket:
    """A bound loopback socket; port 0: any free one."""
    # asyncio switches Nagle off only where the protocol is named; with it on, every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    return listener


def serve(service: Service, port: int, announce: Callable[[str], None] = lambda _: None) -> None:
    """Serve on a loopback port until interrupted; ``announce`` is told the endpoint URL once it is bound.

    Port 0 takes any free one.
    """
    listener = listen(port)
    try:
        listener.listen()
        announce(f"http://{HOST}:{listener.getsockname()[1]}")
        uvicorn.Server(config(_Application(service))).run(sockets=[listener])
    finally:
        listener.close()


@contextlib.contextmanager
def running(service: Service, port: int = 0) -> Iterator[str]:
    """Serve in a thread of this process; gives the endpoint URL. Port 0: any free one."""
    listener = listen(port)
    server = uvicorn.Server(config(_Application(service)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            thread.join(0.005)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
