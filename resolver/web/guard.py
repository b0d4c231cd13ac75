"""The door of the review app: who may come in, and which requests are ours.

On a person's own machine a token, printed at the start, becomes a cookie. Behind a proxy the proxy says who
it is, and only the proxy is believed. Unsafe requests must come from our own pages, whoever sends them.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "review_token"
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
#: Everything from our own origin; nothing inline, nothing framed, nothing sent elsewhere.
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in.

    With ``token`` the holder of the token is ``reviewer``. With ``user_header`` the name stands in that
    header,
    believed only from the addresses in ``proxies``. ``hosts`` are the names under which the app may be asked.
    """

    reviewer: str
    token: str | None = None
    user_header: str | None = None
    proxies: frozenset[str] = frozenset(("127.0.0.1", "::1"))
    hosts: frozenset[str] = frozenset(("127.0.0.1", "localhost", "[::1]"))


class Guard:
    """ASGI middleware: refuses strangers and other sites' forms, and adds the security headers."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on with the reviewer's name in ``scope["state"]["reviewer"]``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name != "Cache-Control" or not scope["path"].startswith("/static/"):
                        headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if (
            not self._admission.hosts & {_host(headers.get("host", "")), "*"}
            and "*" not in self._admission.hosts
        ):
            return PlainTextResponse("This name is not served here.", status_code=421)
        if scope["method"] not in SAFE_METHODS and not _from_own_page(headers):
            return PlainTextResponse("Refused: the request comes from another site.", status_code=403)
        reviewer = self._reviewer(scope, headers)
        if reviewer is None:
            return self._first_visit(scope) or PlainTextResponse(
                "Open the address that the command printed: it carries the token.", status_code=401
            )
        scope.setdefault("state", {})["reviewer"] = reviewer
        return None

    def _reviewer(self, scope: Scope, headers: Headers) -> str | None:
        admission = self._admission
        if admission.user_header:
            client = scope.get("client")
            believed = client is not None and client[0] in admission.proxies
            name = headers.get(admission.user_header, "").strip()
            return name[:100] if believed and name else None
        held = Request(scope).cookies.get(COOKIE, "")
        if admission.token and hmac.compare_digest(held.encode(), admission.token.encode()):
            return admission.reviewer
        return None

    def _first_visit(self, scope: Scope) -> Response | None:
        """The token in the address becomes a cookie, and goes out of the address."""
        url = URL(scope=scope)
        given = Request(scope).query_params.get("token", "")
        token = self._admission.token
        if scope["method"] != "GET" or not token or not hmac.compare_digest(given.encode(), token.encode()):
            return None
        response = RedirectResponse(url.path, status_code=303)
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
        return response


def _host(header: str) -> str:
    return header.rsplit(":", 1)[0] if ":" in header and not header.endswith("]") else header


def _from_own_page(headers: Headers) -> bool:
    """Browsers say where a request comes from; what says nothing at all is no browser and has no cookies."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host")
