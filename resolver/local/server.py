"""The embedded service on a loopback port: the same `Service` that the in-process transport calls.

Everything is tried on the event loop, within a few milliseconds. What needs longer or would wait for the
writer is undone there and done by a thread (`workers`), so that neither a bulk load nor a big merge makes a
search wait.

Told to stop, it begins nothing any more, gives what is under way a moment, then undoes it, then resets
what is still connected: a write is acknowledged, or refused and not there, or its outcome is left open by a
reset; it is never refused and there.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from resolver.local import admin_routes
from resolver.local.guard import check_origin
from resolver.local.limit import Limit, Unfinished
from resolver.local.refusal import Refusal, Unavailable
from resolver.local.wire import HttpRequest, HttpResponse, render_refusal
from resolver.local.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from resolver.local.service import Service
    from resolver.local.workers import Kind

HOST: Final = "127.0.0.1"  # the service has no access control: it is never offered to a network
_LARGEST_BODY: Final = 10 * 1024 * 1024  # of an API request; no valid one comes near
_LARGEST_LOAD: Final = 256 * 1024 * 1024  # of an administrative request
_AT_ONCE_SECONDS: Final = 0.02  # of work for one request on the event loop; tenfold if the machine is busy
_AT_ONCE_STEPS: Final = 1000  # of SQLite's machine between two looks at the clock
_PATIENCE_SECONDS: Final = 1.5  # for work under way when the server is told to stop
_CLOSING_SECONDS: Final = 0.5  # for the answers to what was undone then
_CLOSE: Final = {"Connection": "close"}
_RESET: Final = HttpResponse(500, {}, b"", reset=True)
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
        self._workers = Workers()
        self._stopping = asyncio.Event()

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            response = await self._response(scope, receive)
            if response.delay_seconds:
                response = await self._delayed(response)
        except (ConnectionAbortedError, asyncio.CancelledError):  # uvicorn cancels what it will not wait for
            response = _RESET
        if response.reset:
            scope["extensions"][_ABORT]["call"]()
            with contextlib.suppress(asyncio.CancelledError):
                await receive()  # returns when the connection is gone, which keeps uvicorn from answering 500
            return
        sent = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        sent.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": sent})
        await send({"type": "http.response.body", "body": response.body})

    def stop(self) -> None:
        """Begin nothing any more: what has not begun is refused, what is under way goes on."""
        self._workers.stop()
        self._stopping.set()

    def give_up(self) -> None:
        """Undo what is under way."""
        self._workers.give_up()

    def close(self) -> None:
        """Return when the work under way has ended: it needs the store."""
        self._workers.close()

    async def _response(self, scope: Any, receive: Callable[[], Awaitable[Any]]) -> HttpResponse:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["raw_path"].decode("latin-1")
        try:
            check_origin(headers)
            body = await _body(receive, _LARGEST_LOAD if admin_routes.is_admin(path) else _LARGEST_BODY)
            if not self._stopping.is_set():
                query = scope["query_string"].decode("latin-1")
                return await self._answer(HttpRequest(scope["method"], path, query, headers, body))
        except Refusal as refusal:
            return render_refusal(refusal, _CLOSE)  # the rest of the body is not read
        except Unfinished:
            pass
        return render_refusal(Unavailable("the embedded service stops; nothing was done"), _CLOSE)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        service = self._service
        if admin_routes.is_admin(request.path):
            return await self._workers.run(
                admin_routes.kind_of(request), lambda limit: admin_routes.handle(service, request, limit)
            )
        call = service.begin(request)
        if isinstance(call, HttpResponse):
            return call
        if call.is_short:
            with contextlib.suppress(Unfinished):
                return service.finish(call, _at_once())
        kind: Kind = "write" if call.handler.writes else "read"
        return await self._workers.run(kind, lambda limit: service.finish(call, limit))

    async def _delayed(self, response: HttpResponse) -> HttpResponse:
        """The response when its delay is over; none when the server stops before."""
        try:
            await asyncio.wait_for(self._stopping.wait(), response.delay_seconds)
        except TimeoutError:
            return response
        return _RESET


def _at_once() -> Limit:
    """What may be done on the event loop, where everybody waits for it."""
    work, moment = time.thread_time() + _AT_ONCE_SECONDS, time.monotonic() + 10 * _AT_ONCE_SECONDS

    def is_over() -> bool:
        return time.thread_time() > work or time.monotonic() > moment

    return Limit(is_over, patience_seconds=0.0, steps=_AT_ONCE_STEPS)


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


class _Server(uvicorn.Server):
    """uvicorn's server, which tells its application when it stops."""

    def __init__(self, application: Application) -> None:
        super().__init__(config(application))
        self._application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._application.stop()
        last = [
            loop.call_later(_PATIENCE_SECONDS, self._application.give_up),
            loop.call_later(_PATIENCE_SECONDS + _CLOSING_SECONDS, self._reset_all),
        ]
        await super().shutdown(sockets)
        for step in last:
            step.cancel()

    def _reset_all(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()


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
        timeout_graceful_shutdown=3,  # the last resort: `_Server` is done before
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
        server = _Server(application)
        with _heeding_signals(server):
            listener.listen()
            announce(f"http://{HOST}:{listener.getsockname()[1]}")
            server.run(sockets=[listener])
    finally:
        listener.close()
        application.close()


@contextlib.contextmanager
def _heeding_signals(server: uvicorn.Server) -> Iterator[None]:
    """Stop for a signal that comes before uvicorn listens to any, and let it raise one again to nobody.

    When it has stopped there is more to close.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    former = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
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
    server = _Server(application)
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
