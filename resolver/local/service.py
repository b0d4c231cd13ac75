"""One method: a request goes in, a response comes out, whatever carried them.

The operations that exist are the table HANDLERS in `operations/`; an operation that the API has and the table
lacks answers 501 and names itself, never a silent success.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from resolver.local import wire
from resolver.local.operations import HANDLERS
from resolver.local.operations.ingestion import settle_pending
from resolver.local.refusal import NotHere, Refusal
from resolver.local.request import Request, Settings

if TYPE_CHECKING:
    from resolver.local.store import Store
    from resolver.local.wire import HttpRequest, HttpResponse

__all__ = ["Service", "Settings"]

_SCOPE_REGION = re.compile(r"Credential=[^/]*/[0-9]{8}/([a-z0-9-]+)/")


class Service:
    """The embedded Customer Profiles service over one store."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or Settings()

    def writes(self, request: HttpRequest) -> bool:
        """Whether serving this request may wait for the one writer."""
        if self.settings.consistency_delay_seconds:
            return True  # a read may first have to settle what is due
        try:
            route, _ = wire.find_route(request)
        except Refusal:
            return False
        handler = HANDLERS.get(route.operation)
        return handler is not None and handler.writes

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Route, validate, dispatch. Signatures are not verified: any credentials will do."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return wire.render_refusal(refusal)

    def _answer(self, http: HttpRequest) -> HttpResponse:
        route, segments = wire.find_route(http)
        handler = HANDLERS.get(route.operation)
        if handler is None:
            raise NotHere(f"{route.operation} is not part of the embedded service")
        faults = self.settings.faults
        if faults is not None:
            faults.before(route.operation, self.settings.clock())
        request = self._request(route.operation, wire.parse(route, segments, http), http)
        if self.settings.consistency_delay_seconds:
            with self.store.writing() as session:
                settle_pending(session, request)
        with self.store.writing() if handler.writes else self.store.reading() as session:
            content = handler.function(session, request)
        response = wire.render(content)
        return response if faults is None else faults.after(route.operation, response)

    def _request(self, operation: str, parameters: dict[str, Any], http: HttpRequest) -> Request:
        scope = _SCOPE_REGION.search(http.headers.get("authorization", ""))
        region = scope[1] if scope else self.settings.region
        return Request(
            operation, parameters, self.settings.clock(), self.settings, region, self.store.token_secret
        )
