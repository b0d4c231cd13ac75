"""The weekly job of a domain: who might be the same customer.

AWS's model is not public. This one is deterministic and open, on the attributes that AWS documents: profiles
that share a phone number or an e-mail address (any slot) and have similar full names. Groups are the
connected profiles; a group's confidence is the weakest link of its strongest spanning tree. Groups stay as
they are until the next run.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from resolver.local.limit import NO_LIMIT
from resolver.local.normalisation import NAME_FIELDS, name
from resolver.local.refusal import BadRequest, NotFound
from resolver.local.tables import domains, matches, pool
from resolver.local.tables.matches import IdentityJob, MatchGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from resolver.local.limit import Limit
    from resolver.local.store import Store

EMAIL_WEIGHT: Final = 0.55
PHONE_WEIGHT: Final = 0.45
BOTH_WEIGHT: Final = 0.70
NAME_WEIGHT: Final = 0.30
UNKNOWN_NAME: Final = 0.5  # similarity where one of the two has no name
LEAST_CONFIDENCE: Final = 0.65
MOST_SHARERS: Final = 50  # a value that more profiles share identifies nobody: switchboards, placeholders


@dataclass(frozen=True, slots=True)
class Link:
    """Two profiles (by seq, left < right) that may be one customer."""

    left: int
    right: int
    confidence: float


def run_matching_job(store: Store, domain_name: str, at: datetime, limit: Limit = NO_LIMIT) -> dict[str, Any]:
    """Run the job now, as of `at`; returns its facts: JobId, counts and the number of groups.

    Profiles are read from a snapshot, so the service goes on serving; only the groups' replacement is a
    write.

    Raises:
        Unfinished: the limit was reached; the former groups stay.
    """
    with store.reading(limit) as session:
        domain = domains.find_domain(session, domain_name)
        if domain is None:
            raise NotFound(f"Domain {domain_name} not found")
        if not domain.settings.get("Matching", {}).get("Enabled"):
            raise BadRequest(f"Matching is not enabled for domain {domain_name}")
        phones = pool.sharers(session, domain.seq, "_phone", MOST_SHARERS)
        emails = pool.sharers(session, domain.seq, "_email", MOST_SHARERS)
        wanted = {seq for group in (*phones, *emails) for seq in group}
        people = {
            seq: (profile_id, _full_name(fields))
            for seq, profile_id, fields in limit.through(pool.read(session, wanted))
        }
        reviewed = domain.profile_count
    evidence = _evidence(limit.through(phones), limit.through(emails))
    links = _links(limit.through(evidence.items()), {seq: name for seq, (_, name) in people.items()})
    groups = [
        _group([people[seq][0] for seq in members], confidence) for members, confidence in connected(links)
    ]
    moment = at.timestamp()
    stats = {
        "NumberOfProfilesReviewed": reviewed,
        "NumberOfMatchesFound": len(groups),
        "NumberOfMergesDone": 0,
    }
    job = IdentityJob(uuid.uuid4().hex, moment, moment, {"JobStats": stats})
    with store.writing(limit) as session:
        if domains.find_domain(session, domain_name) != domain:
            current = domains.find_domain(session, domain_name)
            if current is None or current.seq != domain.seq:
                raise NotFound(f"Domain {domain_name} was deleted while the job ran")
        matches.replace_groups(session, domain.seq, job, groups)
    return {"JobId": job.job_id, "DomainName": domain_name, "Status": "COMPLETED", "JobStats": stats}


def connected(links: Iterable[Link]) -> list[tuple[list[int], float]]:
    """Groups of linked profiles, each with the weakest link of its strongest spanning tree."""
    parent: dict[int, int] = {}

    def root(seq: int) -> int:
        while parent.setdefault(seq, seq) != seq:
            parent[seq] = parent[parent[seq]]
            seq = parent[seq]
        return seq

    weakest: dict[int, float] = {}
    for link in sorted(links, key=lambda link: (-link.confidence, link.left, link.right)):
        left, right = root(link.left), root(link.right)
        if left != right:  # strongest first: the link that joins two trees is the weakest so far
            parent[max(left, right)] = min(left, right)
            weakest[min(left, right)] = link.confidence
    members = defaultdict(list)
    for seq in sorted(parent):
        members[root(seq)].append(seq)
    return [(members[first], weakest[first]) for first in sorted(members)]


def _evidence(
    phones: Iterable[tuple[int, ...]], emails: Iterable[tuple[int, ...]]
) -> dict[tuple[int, int], set[str]]:
    """What kinds of value each two profiles share."""
    evidence: dict[tuple[int, int], set[str]] = defaultdict(set)
    for kind, groups in (("phone", phones), ("email", emails)):
        for group in groups:
            for pair in itertools.combinations(group, 2):
                evidence[pair].add(kind)
    return evidence


def _links(evidence: Iterable[tuple[tuple[int, int], set[str]]], names: Mapping[int, str]) -> list[Link]:
    links = []
    for (left, right), kinds in evidence:
        contact = BOTH_WEIGHT if len(kinds) > 1 else EMAIL_WEIGHT if "email" in kinds else PHONE_WEIGHT
        confidence = contact + NAME_WEIGHT * _similarity(names[left], names[right])
        if confidence >= LEAST_CONFIDENCE:
            links.append(Link(left, right, round(confidence, 4)))
    return links


def _similarity(left: str, right: str) -> float:
    if not left or not right:
        return UNKNOWN_NAME
    if left == right:
        return 1.0
    first, second = sorted((left, right))  # the ratio is not symmetric
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def _full_name(fields: Mapping[str, Any]) -> str:
    return name(" ".join(fields[field] for field in NAME_FIELDS if field in fields))


def _group(profile_ids: list[str], confidence: float) -> MatchGroup:
    digest = hashlib.sha256("\0".join(sorted(profile_ids)).encode()).hexdigest()
    return MatchGroup(digest[:32], confidence, tuple(profile_ids))
