"""The embedded service on a loopback port: the same `Service.handle` that the in-process transport calls.

Whatever can be answered at once is; what would wait for the writer or take long goes to one worker thread, so
that a bulk load never makes a search wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resolver.local import admin_routes
from resolver.local.refusal import Refusal
from resolver.local.wire import HttpRequest, render_refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from resolver.local.service import Service
    from resolver.local.wire import HttpResponse

HOST: Final = "127.0.0.1"  # the service has no access control: it is never offered to a network
_LARGEST_BODY: Final = 10 * 1024 * 1024  # of an API request; no valid one comes near
_LARGEST_LOAD: Final = 256 * 1024 * 1024  # of an administrative request
_PATIENCE_SECONDS: Final = 5  # for answers under way when the server is told to stop
_ABORT: Final = "resolver.abort"


class _AbortableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also lets the application reset its connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_ABORT: {"call": self.transport.abort}}


class Application:
    """The ASGI side of one service; close it when the server has stopped."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolver-local-worker")

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path = scope["raw_path"].decode("latin-1")
        try:
            body = await _body(receive, _LARGEST_LOAD if admin_routes.is_admin(path) else _LARGEST_BODY)
        except _TooLarge as problem:
            response = render_refusal(problem, {"Connection": "close"})  # the rest of the body is not read
        except ConnectionAbortedError:
            return
        else:
            query = scope["query_string"].decode("latin-1")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            response = await self._answer(HttpRequest(scope["method"], path, query, headers, body))
        if response.delay_seconds:
            await asyncio.sleep(response.delay_seconds)
        if response.reset:
            scope["extensions"][_ABORT]["call"]()
            await receive()  # returns when the connection is gone, which keeps uvicorn from answering 500
            return
        sent = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        sent.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": sent})
        await send({"type": "http.response.body", "body": response.body})

    def close(self) -> None:
        """Return when the work under way is done: it needs the store."""
        self._worker.shutdown()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        loop = asyncio.get_running_loop()
        if admin_routes.is_admin(request.path):
            return await loop.run_in_executor(None, admin_routes.handle, self._service, request)
        response = self._service.handle_at_once(request)
        if response is None:
            response = await loop.run_in_executor(self._worker, self._service.handle, request)
        return response


class _TooLarge(Refusal):
    """A body that no request needs."""

    status = 413
    code = "RequestEntityTooLargeException"


async def _body(receive: Callable[[], Awaitable[Any]], at_most: int) -> bytes:
    """A request's body; raises _TooLarge, or ConnectionAbortedError when the client left before its end."""
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        return message["body"]  # type: ignore[no-any-return] # in one piece, as nearly always
    body = bytearray()
    while True:
        if message["type"] != "http.request":
            raise ConnectionAbortedError
        body += message["body"]
        if len(body) > at_most:
            raise _TooLarge(f"the request body has more than {at_most} bytes")
        if not message["more_body"]:
            return bytes(body)
        message = await receive()


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
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
    )


def listen(port: int) -> socket.socket:
    """A bound loopback socket; port 0: any free one."""
    # asyncio switches Nagle off only where the protocol is named; with it on, every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"port {port} of {HOST}: {error.strerror}") from None
    return listener


def serve(service: Service, port: int, announce: Callable[[str], None] = lambda _: None) -> None:
    """Serve on a loopback port; ``announce`` is told the endpoint URL once it is bound.

    Port 0 takes any free one. Returns after SIGINT or SIGTERM, when the answers under way have been given.

    Raises:
        OSError: the port is taken.
    """
    listener = listen(port)
    application = Application(service)
    try:
        listener.listen()
        announce(f"http://{HOST}:{listener.getsockname()[1]}")
        with _outliving_signals():
            uvicorn.Server(config(application)).run(sockets=[listener])
    finally:
        listener.close()
        application.close()


@contextlib.contextmanager
def _outliving_signals() -> Iterator[None]:
    """Let uvicorn raise a signal again to nobody when it has stopped: there is more to close."""
    former = {sign: signal.signal(sign, lambda *_: None) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in former.items():
            signal.signal(sign, handler)


@contextlib.contextmanager
def running(service: Service, port: int = 0) -> Iterator[str]:
    """Serve in a thread of this process; gives the endpoint URL. Port 0: any free one."""
    listener = listen(port)
    application = Application(service)
    server = uvicorn.Server(config(application))
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
        application.close()
