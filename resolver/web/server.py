"""The review app on a port: FastAPI with the guard in front, served by uvicorn."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles

from resolver.errors import BadInput, LedgerFailed
from resolver.web.batch_pages import BatchPages
from resolver.web.guard import Admission, Guard
from resolver.web.pages import Pages
from resolver.web.record_pages import RecordPages
from resolver.web.rendering import STATIC, Renderer
from resolver.web.side_pages import SidePages

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from resolver.app.reviewing.desk import Desk

#: A verdict sooner after the first paint than this is taken for a slip of the hand, in milliseconds.
ARM_MS: Final = 250


@dataclass(frozen=True)
class Settings:
    """What the review app serves, where and to whom.

    Without ``admission`` a fresh token is made and printed; its holder is ``reviewer``.
    """

    desk: Desk
    host: str = "127.0.0.1"
    port: int = 8400
    admission: Admission | None = None
    reviewer: str = ""
    arm_ms: int = ARM_MS
    announce: Callable[[str], None] = field(default=print)


def create_app(desk: Desk, admission: Admission, arm_ms: int = ARM_MS) -> ASGIApp:
    """The app for one desk, guarded."""
    app = FastAPI(title="Merge review", docs_url=None, redoc_url=None, separate_input_output_schemas=False)
    renderer = Renderer(desk, arm_ms)
    for part in (Pages, BatchPages, RecordPages, SidePages):
        app.include_router(part(desk, renderer).router())
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(RequestValidationError, _unusable)
    app.add_exception_handler(LedgerFailed, _not_saved)
    return Guard(app, admission)


def serve(settings: Settings) -> None:
    """Serve until interrupted; the address with the token is announced once."""
    admission = settings.admission or Admission(
        reviewer=settings.reviewer or "reviewer", token=secrets.token_urlsafe(24)
    )
    app = create_app(settings.desk, admission, settings.arm_ms)
    listener = _listen(settings)
    query = f"/?token={admission.token}" if admission.token else "/"
    settings.announce(f"Review app: http://{settings.host}:{settings.port}{query}")
    # No access log: it would hold the token of the first visit, and nothing that the ledger does not know
    # better.
    # A proxy's headers name the user, and the guard believes the proxy's own address only: uvicorn must not
    # put the browser's in its place.
    config = uvicorn.Config(
        app, access_log=False, log_level="warning", proxy_headers=False, server_header=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    """The port, taken before an address is announced.

    Raises:
        BadInput: somebody else has it.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)  # who comes before the server is ready waits
    except OSError as error:
        listener.close()
        raise BadInput(f"port {settings.port}: cannot be used ({error.strerror}); try --port") from None
    return listener


def _unusable(_request: Request, _error: Exception) -> Response:
    """A request that no page of ours makes; nothing of it is repeated."""
    return PlainTextResponse("The request cannot be used.", status_code=422)


def _not_saved(_request: Request, _error: Exception) -> Response:
    """The ledger did not take it; the page says so and keeps what was on it."""
    return PlainTextResponse("Not saved. The ledger cannot be used.", status_code=503)
