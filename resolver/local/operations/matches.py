"""What the matching job found, and the job itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.local.operations.finding import the_domain
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.rule_matching import RuleGroup, groups_by_rules
from resolver.local.tables import history, pool
from resolver.local.tables import matches as table

if TYPE_CHECKING:
    from resolver.local.request import Request
    from resolver.local.store import Session
    from resolver.local.tables.domains import Domain
    from resolver.local.tables.matches import IdentityJob, MatchGroup


def get_matches(store: Session, request: Request) -> dict[str, Any]:
    """The groups of the domain's last matching job, frozen until the next one.

    Documented: Matching must be enabled; the job is weekly; a score belongs to a group; while auto-merging is
    enabled the ids are not delivered. Assumed: a bad request while matching is off; no date and no groups
    before the first run; merged profiles stay listed until the next run; auto-merging leaves the number of
    groups and an empty list; a NextToken of an earlier run is a bad request.
    """
    domain = the_domain(store, request)
    _require_matching(domain)
    job = table.last_job(store, domain.seq)
    if job is None:
        return {"PotentialMatches": 0, "Matches": []}
    request = request.paging_in(job.job_id)
    after = request.after()
    merging = domain.settings["Matching"].get("AutoMerging", {}).get("Enabled", False)
    found = [] if merging else table.list_groups(store, domain.seq, after, request.page_size + 1)
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


def get_similar_profiles(store: Session, request: Request) -> dict[str, Any]:
    """The group of a MatchId, or that a profile belongs to: of the last job, or by rules as of now.

    Documented: SearchKey is `matchId` or `profileId`; ConfidenceScore has a value for ML_BASED_MATCHING only,
    RuleLevel is the level that profiles matched on. Assumed: 404 without a group; 400 for another SearchKey
    or while the kind of matching is off; what `rule_matching` says of groups.
    """
    domain = the_domain(store, request)
    by = (request["SearchKey"], request["SearchValue"])
    if by[0] not in ("matchId", "profileId"):
        raise BadRequest("SearchKey must be matchId or profileId")
    group: MatchGroup | RuleGroup | None
    if request["MatchType"] == "ML_BASED_MATCHING":
        _require_matching(domain)
        group = table.find_group(store, domain.seq, by)
    else:
        group = _find_by_rules(store, domain, by)
    if group is None:
        raise NotFound(f"no group for this {by[0]}")
    request = request.paging_in(group.match_id)
    after = request.after()
    positions = list(range(1, len(group.profile_ids) + 1))
    page, more = request.page(list(group.profile_ids)[after:], positions[after:])
    return {
        "ProfileIds": page,
        "MatchId": group.match_id,
        "MatchType": request["MatchType"],
        **(
            {"RuleLevel": group.level}
            if isinstance(group, RuleGroup)
            else {"ConfidenceScore": group.confidence}
        ),
        **more,
    }


def list_rule_based_matches(store: Session, request: Request) -> dict[str, Any]:
    """The ids of the groups that the domain's matching rules make, oldest member first.

    Documented: MatchIds only; GetSimilarProfiles tells the profiles. Assumed: a bad request while rule-based
    matching is off; what `rule_matching` says of groups.
    """
    domain = the_domain(store, request)
    groups = _groups_by_rules(store, domain)
    after = request.after()
    left = [group for group in groups if group.first > after][: request.page_size + 1]
    page, more = request.page(left, [group.first for group in left])
    return {"MatchIds": [group.match_id for group in page], **more}


def _find_by_rules(store: Session, domain: Domain, by: tuple[str, str]) -> RuleGroup | None:
    name, value = by
    for group in _groups_by_rules(store, domain):
        if value == group.match_id if name == "matchId" else value in group.profile_ids:
            return group
    return None


def _groups_by_rules(store: Session, domain: Domain) -> list[RuleGroup]:
    settings = domain.settings.get("RuleBasedMatching", {})
    if not settings.get("Enabled"):
        raise BadRequest(f"RuleBasedMatching is not enabled for domain {domain.name}")
    state = (store.memo.writes, settings, history.last_seq(store))
    groups: list[RuleGroup] = store.memo.of(
        ("rules", domain.seq),
        state,
        lambda: groups_by_rules(settings, lambda: pool.everybody(store, domain.seq)),
    )
    return groups


def list_identity_resolution_jobs(store: Session, request: Request) -> dict[str, Any]:
    """The runs of the domain's matching job, newest first (assumed)."""
    domain = the_domain(store, request)
    found = table.list_jobs(store, domain.seq, request.after(), request.page_size + 1)
    page, more = request.page(found, [job.seq for job in found])
    jobs = [{**_description(job), "DomainName": domain.name} for job in page]
    return {"IdentityResolutionJobsList": jobs, **more}


def get_identity_resolution_job(store: Session, request: Request) -> dict[str, Any]:
    """One run: its status, times and counts (documented by the model); it is always complete (assumed)."""
    domain = the_domain(store, request)
    job = table.find_job(store, domain.seq, request["JobId"])
    if job is None:
        raise NotFound(f"Identity resolution job {request['JobId']} not found in domain {domain.name}")
    return {**_description(job), "DomainName": domain.name, "LastUpdatedAt": job.ended_at}


def _require_matching(domain: Domain) -> None:
    if not domain.settings.get("Matching", {}).get("Enabled"):
        raise BadRequest(f"Matching is not enabled for domain {domain.name}")


def _description(job: IdentityJob) -> dict[str, Any]:
    return {
        "JobId": job.job_id,
        "Status": "COMPLETED",
        "JobStartTime": job.started_at,
        "JobEndTime": job.ended_at,
        "JobStats": job.facts["JobStats"],
    }
