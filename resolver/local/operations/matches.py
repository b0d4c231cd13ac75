"""What the matching job found: GetMatches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.local.operations.finding import the_domain
from resolver.local.refusal import BadRequest
from resolver.local.tables import matches as table

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session


def get_matches(store: Session, request: Request) -> dict[str, Any]:
    """The groups of the domain's last matching job, frozen until the next one.

    Documented: Matching must be enabled, the job is weekly, a score belongs to a group. Assumed: a bad
    request while matching is off; no date and no groups before the first run; merged profiles stay listed
    until the next run.
    """
    domain = the_domain(store, request)
    if not domain.settings.get("Matching", {}).get("Enabled"):
        raise BadRequest(f"Matching is not enabled for domain {domain.name}")
    job = table.last_job(store, domain.seq)
    if job is None:
        return {"PotentialMatches": 0, "Matches": []}
    found = table.list_groups(store, domain.seq, request.after(), request.page_size + 1)
    page, more = request.page(found, [group.seq for group in found])
    groups = [
        {
            "MatchId": group.match_id,
            "ProfileIds": list(group.profile_ids),
            "ConfidenceScore": group.confidence,
        }
        for group in page
    ]
    return {
        "MatchGenerationDate": job.ended_at,
        "PotentialMatches": table.count_groups(store, domain.seq),
        "Matches": groups,
        **more,
    }
