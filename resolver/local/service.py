"""A request goes in, a response comes out, whatever carried them: `handle`, or its two halves.

`begin` routes and checks without touching the store, `finish` does the work within a limit. A server that may
not wait tries `finish` with a short limit first and, when that is not enough, again elsewhere.

The operations that exist are the table HANDLERS in `operations/`; an operation that the API has and the table
lacks answers 501 and names itself, never a silent success.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from resolver.local import wire
from resolver.local.limit import NO_LIMIT, Limit, Unfinished
from resolver.local.matching_job import run_matching_job
from resolver.local.operations import HANDLERS
from resolver.local.operations.expiry import expire
from resolver.local.operations.ingestion import settle_due
from resolver.local.refusal import InternalFailure, NotHere, Refusal
from resolver.local.request import Request, Settings
from resolver.local.schedule import last_due
from resolver.local.tables import domains, matches

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from resolver.local.operations import Handler
    from resolver.local.store import Store
    from resolver.local.wire import HttpRequest, HttpResponse

__all__ = ["Service", "Settings"]

_Answer = TypeVar("_Answer")
_LOG: Final = logging.getLogger(__name__)
_CHANGES_SCHEDULE: Final = "UpdateDomain"  # what was due under the old schedule runs first
_SCOPE_REGION: Final = re.compile(r"Credential=[^/]*/[0-9]{8}/([a-z0-9-]+)/")
# Operations that show what the weekly job found: the job is run before them when it is due.
_SHOW_MATCHES: Final = frozenset(
    {"GetMatches", "GetSimilarProfiles", "ListIdentityResolutionJobs", "GetIdentityResolutionJob"}
)
# Operations whose work grows with the domain: to try them at once would nearly always be in vain.
_TAKE_LONG: Final = _SHOW_MATCHES | {
    "ListRuleBasedMatches",
    "DeleteDomain",
    "UpdateDomain",
    "PutProfileObjectType",
    "DeleteProfileObjectType",
}
_LARGE_BODY: Final = 64 * 1024  # bytes; a profile with everything has a tenth of it
_JOB_PATIENCE_SECONDS: Final = 0.25  # of a read that ran the matching job, for the writer


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed every check.

    `met` tells whether it counted against a planned fault, `is_short` whether it is worth a try at once.
    """

    http: HttpRequest
    request: Request
    handler: Handler
    met: bool
    is_short: bool


class Service:
    """The embedded Customer Profiles service over one store."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        self.store = store
        self.settings = settings or Settings()
        self._job_lock = threading.Lock()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request, however long it takes."""
        begun = self.begin(request)
        return self.finish(begun) if isinstance(begun, Call) else begun

    def begin(self, request: HttpRequest) -> Call | HttpResponse:
        """Route and validate; nothing is done yet. Signatures are not verified: any credentials will do."""
        return _answered(request, lambda: self._checked(request))

    def finish(self, call: Call, limit: Limit = NO_LIMIT) -> HttpResponse:
        """Do what a call asks for.

        Raises:
            Unfinished: the limit was reached; nothing was done, the call can be finished again.
        """
        return _answered(call.http, lambda: self._done(call, limit))

    def _checked(self, http: HttpRequest) -> Call:
        route, segments = wire.find_route(http)
        handler = HANDLERS.get(route.operation)
        if handler is None:
            raise NotHere(f"{route.operation} is not part of the embedded service")
        at = self.settings.clock()
        planned = self.settings.faults
        met = planned is not None and planned.before(route.operation, at)
        request = self._request(route.operation, wire.parse(route, segments, http), http, at)
        is_short = (
            route.operation not in _TAKE_LONG and len(http.body) <= _LARGE_BODY and not self._is_due(at)
        )
        return Call(http, request, handler, met, is_short)

    def _done(self, call: Call, limit: Limit) -> HttpResponse:
        request, handler = call.request, call.handler
        self._catch_up(call, limit)
        with self.store.writing(limit) if handler.writes else self.store.reading(limit) as session:
            content = handler.function(session, request)
        response = wire.render(content)
        planned = request.settings.faults
        return response if planned is None else planned.after(request.operation, response, met=call.met)

    def _request(self, operation: str, parameters: dict[str, Any], http: HttpRequest, at: float) -> Request:
        scope = _SCOPE_REGION.search(http.headers.get("authorization", ""))
        region = scope[1] if scope else self.settings.region
        return Request(operation, parameters, at, self.settings, region, self.store.token_secret)

    def _is_due(self, at: float) -> bool:
        return self.store.watch.earliest <= at

    def _catch_up(self, call: Call, limit: Limit) -> None:
        """Do what should have happened by now: late objects, expiry, the weekly job.

        A write waits for it. A read does it if the writer is free, and shows what there is otherwise.
        """
        request = call.request
        try:
            if self._is_due(request.at):
                with self.store.writing(limit if call.handler.writes else limit.without_waiting()) as session:
                    settle_due(session, request.at)
                    expire(session, request.at)
            if request.operation in _SHOW_MATCHES or request.operation == _CHANGES_SCHEDULE:
                self._run_due_job(call, limit)
        except (Unfinished, OSError) as problem:
            if call.handler.writes or limit.is_over():
                raise
            if isinstance(problem, OSError):
                _LOG.error("what is due could not be worked off: %s", problem)

    def _run_due_job(self, call: Call, limit: Limit) -> None:
        """Run the domain's matching job if its time has come; a read leaves it to one that already does."""
        writes = call.handler.writes
        if not self._job_lock.acquire(blocking=writes):
            return
        try:
            due = self._due_job(call.request, limit)
            if due is not None and (writes or self.store.is_free()):
                patience = limit.patience_seconds if writes else _JOB_PATIENCE_SECONDS
                run_matching_job(self.store, *due, Limit(limit.is_over, patience))
        finally:
            self._job_lock.release()

    def _due_job(self, request: Request, limit: Limit) -> tuple[str, datetime] | None:
        """The domain whose job is due, and since when."""
        with self.store.reading(limit) as session:
            domain = domains.find_domain(session, request["DomainName"])
            job = matches.last_job(session, domain.seq) if domain is not None else None
        if domain is None:
            return None
        since = max(domain.updated_at, job.started_at if job is not None else 0.0)
        waiting = domain.matching_since
        if job is not None and waiting is not None and job.started_at >= waiting:
            waiting = None
        moment = last_due(domain.settings, since, request.at, waiting_since=waiting)
        return (domain.name, moment) if moment is not None else None


def _answered(request: HttpRequest, work: Callable[[], _Answer]) -> _Answer | HttpResponse:
    """What the work gives, or the error that it ended with."""
    try:
        return work()
    except Unfinished:
        raise
    except Refusal as refusal:
        return wire.render_refusal(refusal)
    except OSError as problem:
        _LOG.error("a %s request failed: %s", request.method, problem)
        return wire.render_refusal(InternalFailure(str(problem)))
    except Exception:  # noqa: BLE001 - a defect of ours must answer as the real service's would
        _LOG.exception("a %s request failed", request.method)
        return wire.render_refusal(InternalFailure("the embedded service failed; see its log"))
