"""One method: a request goes in, a response comes out, whatever carried them.

The operations that exist are the table HANDLERS in `operations/`; an operation that the API has and the table
lacks answers 501 and names itself, never a silent success.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Final

from resolver.local import wire
from resolver.local.matching_job import run_matching_job
from resolver.local.operations import HANDLERS
from resolver.local.operations.expiry import expire
from resolver.local.operations.ingestion import settle_due
from resolver.local.refusal import InternalFailure, NotHere, Refusal
from resolver.local.request import Request, Settings
from resolver.local.schedule import last_due
from resolver.local.tables import domains, matches

if TYPE_CHECKING:
    from resolver.local.store import Store
    from resolver.local.wire import HttpRequest, HttpResponse

__all__ = ["Service", "Settings"]

_LOG: Final = logging.getLogger(__name__)
_CHANGES_SCHEDULE: Final = "UpdateDomain"  # what was due under the old schedule runs first
_SCOPE_REGION: Final = re.compile(r"Credential=[^/]*/[0-9]{8}/([a-z0-9-]+)/")
# Operations that show what the weekly job found: the job is run before them when it is due.
_SHOW_MATCHES: Final = frozenset(
    {"GetMatches", "GetSimilarProfiles", "ListIdentityResolutionJobs", "GetIdentityResolutionJob"}
)
# Operations whose work grows with the domain.
_TAKE_LONG: Final = _SHOW_MATCHES | {"DeleteDomain", "UpdateDomain", "DeleteProfileObjectType"}


class Service:
    """The embedded Customer Profiles service over one store."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or Settings()

    def handle_at_once(self, request: HttpRequest) -> HttpResponse | None:
        """Like `handle`, or None: it would take long or wait for the one writer, and nothing was done."""
        try:
            route, _ = wire.find_route(request)
        except Refusal as refusal:
            return wire.render_refusal(refusal)
        handler = HANDLERS.get(route.operation)
        if self._is_due() or route.operation in _TAKE_LONG:
            return None
        if handler is None or not handler.writes:
            return self.handle(request)
        with self.store.reserved() as is_free:
            return self.handle(request) if is_free else None

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Route, validate, dispatch. Signatures are not verified: any credentials will do."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return wire.render_refusal(refusal)
        except OSError as problem:
            _LOG.error("a %s request failed: %s", request.method, problem)
            return wire.render_refusal(InternalFailure(str(problem)))
        except Exception:  # noqa: BLE001 - a defect of ours must answer as the real service's would
            _LOG.exception("a %s request failed", request.method)
            return wire.render_refusal(InternalFailure("the embedded service failed; see its log"))

    def _answer(self, http: HttpRequest) -> HttpResponse:
        route, segments = wire.find_route(http)
        handler = HANDLERS.get(route.operation)
        if handler is None:
            raise NotHere(f"{route.operation} is not part of the embedded service")
        at = self.settings.clock()
        faults = self.settings.faults
        if faults is not None:
            faults.before(route.operation, at)
        request = self._request(route.operation, wire.parse(route, segments, http), http, at)
        self._catch_up(request)
        with self.store.writing() if handler.writes else self.store.reading() as session:
            content = handler.function(session, request)
        response = wire.render(content)
        return response if faults is None else faults.after(route.operation, response)

    def _request(self, operation: str, parameters: dict[str, Any], http: HttpRequest, at: float) -> Request:
        scope = _SCOPE_REGION.search(http.headers.get("authorization", ""))
        region = scope[1] if scope else self.settings.region
        return Request(operation, parameters, at, self.settings, region, self.store.token_secret)

    def _is_due(self) -> bool:
        return self.store.watch.earliest <= self.settings.clock()

    def _catch_up(self, request: Request) -> None:
        """Do what should have happened by now: late objects, expiry, the weekly job."""
        if self.store.watch.earliest <= request.at:
            with self.store.writing() as session:
                settle_due(session, request.at)
                expire(session, request.at)
        if request.operation in _SHOW_MATCHES or request.operation == _CHANGES_SCHEDULE:
            self._run_due_job(request)

    def _run_due_job(self, request: Request) -> None:
        with self.store.reading() as session:
            domain = domains.find_domain(session, request["DomainName"])
            job = matches.last_job(session, domain.seq) if domain is not None else None
        if domain is None:
            return
        since = max(domain.updated_at, job.started_at if job is not None else 0.0)
        waiting = domain.matching_since
        if job is not None and waiting is not None and job.started_at >= waiting:
            waiting = None
        moment = last_due(domain.settings, since, request.at, waiting_since=waiting)
        if moment is not None:
            run_matching_job(self.store, domain.name, moment)
