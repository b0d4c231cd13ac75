"""What a running service can be asked beyond the AWS API, below /_local/: bulk load, the job, switches."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from resolver.local import switches, wire
from resolver.local.limit import NO_LIMIT, Unfinished
from resolver.local.loading import BadProfile, load_objects, load_profiles
from resolver.local.matching_job import run_matching_job
from resolver.local.refusal import BadRequest, InternalFailure, Refusal, UnknownPath
from resolver.local.shapes import Violation
from resolver.local.wire import HttpRequest, HttpResponse, render, render_refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.limit import Limit
    from resolver.local.service import Service
    from resolver.local.workers import Kind

PREFIX: Final = "/_local/"
_SEGMENTS: Final = 5  # "", "_local", "domains", name, action
_SWITCH_SEGMENTS: Final = 3  # "", "_local", name
_OBJECT_MEMBERS: Final[dict[str, type]] = {"ProfileId": str, "ObjectTypeName": str, "Object": dict}
_KINDS: Final = {
    str: "a string",
    dict: "an object",
    list: "a list",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_LOG: Final = logging.getLogger(__name__)


def is_admin(path: str) -> bool:
    """Whether a request with this path is not for the AWS API."""
    return path.startswith(PREFIX)


def kind_of(request: HttpRequest) -> Kind:
    """Which of the server's threads answers a request."""
    action = request.path.rpartition("/")[2]
    return "job" if action == "matching-job" else "write" if action in ("profiles", "objects") else "read"


def handle(service: Service, request: HttpRequest, limit: Limit = NO_LIMIT) -> HttpResponse:
    """Answer one request; blocks until the work is done.

    Raises:
        Unfinished: the limit was reached; nothing was done.
    """
    try:
        return render(_answer(service, request, limit))
    except Unfinished:
        raise
    except Refusal as refusal:
        return render_refusal(refusal)
    except BadProfile as problem:
        return render_refusal(BadRequest(str(problem)))
    except RecursionError:
        return render_refusal(BadRequest("a line has too many objects and lists inside one another"))
    except OSError as problem:
        return render_refusal(InternalFailure(str(problem)))
    except Exception:  # noqa: BLE001 - a defect of ours is an answer too, as in `Service`
        _LOG.exception("an administrative %s request failed", request.method)
        return render_refusal(InternalFailure("the embedded service failed; see its log"))


def _answer(service: Service, request: HttpRequest, limit: Limit) -> dict[str, Any]:
    segments = request.path.split("/")
    if len(segments) == _SWITCH_SEGMENTS:
        return switches.answer(service, request.method, segments[2], _content(request.body))
    if request.method != "POST" or len(segments) != _SEGMENTS or segments[2] != "domains":
        raise UnknownPath(f"no administrative request for {request.method} with this path")
    domain_name = unquote(segments[3])
    lines = enumerate(limit.through(_lines(request.body)), 1)
    match segments[4]:
        case "profiles":
            profiles = (_profile(number, line) for number, line in lines)
            report = load_profiles(service.store, domain_name, profiles, limit)
            return {"Count": report.count, "Mapping": report.mapping}
        case "objects":
            objects = [_object(number, line) for number, line in lines]
            return {"Count": load_objects(service.store, domain_name, objects, limit).count}
        case "matching-job":
            at = datetime.fromtimestamp(service.settings.clock(), UTC)
            return run_matching_job(service.store, domain_name, at, limit)
        case _:
            raise UnknownPath("no administrative request with this path")


def _profile(number: int, line: dict[str, Any]) -> dict[str, Any]:
    """One line, whose other members are checked as CreateProfile's are."""
    if line.get("ProfileId") is not None:
        _require(number, "ProfileId", line["ProfileId"], str)
    return line


def _require(number: int, name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise BadRequest(f"line {number}: {name} must be {_KINDS[kind]}, there is {_KINDS[type(value)]}")


def _object(number: int, line: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """(profile id, type name, object) of one line, which has these members and no other."""
    for name in line.keys() - _OBJECT_MEMBERS.keys():
        raise BadRequest(f"line {number}: {name!r} is no member; there are {', '.join(_OBJECT_MEMBERS)}")
    for name, kind in _OBJECT_MEMBERS.items():
        if name not in line:
            raise BadRequest(f"line {number}: {name} is missing")
        _require(number, name, line[name], kind)
    try:
        wire.member_reader("PutProfileObject", "ObjectTypeName")(line["ObjectTypeName"], "ObjectTypeName")
    except Violation as violation:
        raise BadRequest(f"line {number}: {violation}") from None
    return line["ProfileId"], line["ObjectTypeName"], line["Object"]


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
