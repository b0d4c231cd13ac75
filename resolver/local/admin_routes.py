"""What a running service can be asked beyond the AWS API, below /_local/: bulk load, the job, switches."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from resolver.local import switches
from resolver.local.loading import BadProfile, load_objects, load_profiles
from resolver.local.matching_job import run_matching_job
from resolver.local.refusal import BadRequest, InternalFailure, Refusal, UnknownPath
from resolver.local.wire import HttpRequest, HttpResponse, render, render_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.service import Service

PREFIX: Final = "/_local/"
_SEGMENTS: Final = 5  # "", "_local", "domains", name, action
_SWITCH_SEGMENTS: Final = 3  # "", "_local", name


def is_admin(path: str) -> bool:
    """Whether a request with this path is not for the AWS API."""
    return path.startswith(PREFIX)


def handle(service: Service, request: HttpRequest) -> HttpResponse:
    """Answer one request; blocks until the work is done."""
    try:
        return render(_answer(service, request))
    except Refusal as refusal:
        return render_refusal(refusal)
    except BadProfile as problem:
        return render_refusal(BadRequest(str(problem)))
    except OSError as problem:
        return render_refusal(InternalFailure(str(problem)))


def _answer(service: Service, request: HttpRequest) -> dict[str, Any]:
    segments = request.path.split("/")
    if len(segments) == _SWITCH_SEGMENTS:
        return switches.answer(service, request.method, segments[2], _content(request.body))
    if request.method != "POST" or len(segments) != _SEGMENTS or segments[2] != "domains":
        raise UnknownPath(f"no administrative request for {request.method} with this path")
    domain_name = unquote(segments[3])
    match segments[4]:
        case "profiles":
            report = load_profiles(service.store, domain_name, _lines(request.body))
            return {"Count": report.count, "Mapping": report.mapping}
        case "objects":
            lines = [
                (line["ProfileId"], line["ObjectTypeName"], line["Object"]) for line in _lines(request.body)
            ]
            return {"Count": load_objects(service.store, domain_name, lines).count}
        case "matching-job":
            at = datetime.fromtimestamp(service.settings.clock(), UTC)
            return run_matching_job(service.store, domain_name, at)
        case _:
            raise UnknownPath("no administrative request with this path")


def _content(body: bytes) -> dict[str, Any]:
    """A body of one JSON object; no body counts as an empty one."""
    try:
        content = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    if not isinstance(content, dict):
        raise BadRequest("the body is not a JSON object")
    return content


def _lines(body: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(body.splitlines(), 1):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise BadRequest(f"line {number} is not JSON") from None
        if not isinstance(value, dict):
            raise BadRequest(f"line {number} is not a JSON object")
        yield value
