"""Clients of a running service's administrative requests: bulk load and the matching job over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from resolver.local.loading import LoadReport, checked

if TYPE_CHECKING:
    from collections.abc import Iterable

_BATCH: Final = 5_000
_PATIENCE_SECONDS: Final = 600.0


class AdminRefused(Exception):
    """The service refused an administrative request; the message is the service's own."""


def load_over_http(endpoint_url: str, domain_name: str, profiles: Iterable[dict[str, Any]]) -> LoadReport:
    """Load API-shaped profiles into a running service, in batches.

    All profiles are checked before the first batch leaves; an id that the domain holds already is found out
    by the service, batch by batch.
    """
    given = list(profiles)
    ready = iter([{**fields, "ProfileId": new_id} for _, new_id, fields in checked(domain_name, given)])
    mapping = {
        profile["ProfileId"]: new_id
        for profile, (_, new_id, _) in zip(given, checked(domain_name, given), strict=True)
        if profile.get("ProfileId")
    }
    count = 0
    while batch := list(islice(ready, _BATCH)):
        body = b"\n".join(json.dumps(profile).encode() for profile in batch)
        count += _post(endpoint_url, domain_name, "profiles", body)["Count"]
    return LoadReport(count, mapping)


def load_objects_over_http(
    endpoint_url: str, domain_name: str, objects: Iterable[tuple[str, str, dict[str, Any]]]
) -> int:
    """Attach (profile id, object type name, object) in a running service, in batches; returns how many."""
    names = ("ProfileId", "ObjectTypeName", "Object")
    lines = iter([json.dumps(dict(zip(names, given, strict=True))).encode() for given in objects])
    count = 0
    while batch := list(islice(lines, _BATCH)):
        count += _post(endpoint_url, domain_name, "objects", b"\n".join(batch))["Count"]
    return count


def run_matching_job_over_http(endpoint_url: str, domain_name: str) -> dict[str, Any]:
    """Run a domain's matching job in a running service; returns the job's facts."""
    return _post(endpoint_url, domain_name, "matching-job", b"")


def _post(endpoint_url: str, domain_name: str, action: str, body: bytes) -> dict[str, Any]:
    url = f"{endpoint_url.rstrip('/')}/_local/domains/{quote(domain_name, safe='')}/{action}"
    if not url.startswith(("http://", "https://")):
        raise AdminRefused(f"{endpoint_url} is not an HTTP address")
    request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"}, method="POST")  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - checked above
            content: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise AdminRefused(json.load(error).get("Message", f"status {error.code}")) from None
    return content
