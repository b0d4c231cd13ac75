"""Identity resolution jobs and the groups that the last one found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session


@dataclass(frozen=True, slots=True)
class IdentityJob:
    """One run; `facts` holds its counts and the settings it ran with."""

    job_id: str
    started_at: float
    ended_at: float
    facts: dict[str, Any]
    seq: int = 0


@dataclass(frozen=True, slots=True)
class MatchGroup:
    """Profiles that a run thinks are one customer."""

    match_id: str
    confidence: float
    profile_ids: tuple[str, ...]
    seq: int = 0


def replace_groups(store: Session, domain: int, job: IdentityJob, groups: Sequence[MatchGroup]) -> None:
    """Record a run and let its groups take the place of the former run's."""
    store.insert(
        "INSERT INTO identity_job (domain, job_id, started_at, ended_at, facts) VALUES (?, ?, ?, ?, ?)",
        *(domain, job.job_id, job.started_at, job.ended_at, json.dumps(job.facts)),
    )
    store.run("DELETE FROM match_group WHERE domain = ?", domain)
    store.run("DELETE FROM match_member WHERE domain = ?", domain)
    store.many(
        "INSERT INTO match_group (domain, seq, match_id, confidence) VALUES (?, ?, ?, ?)",
        ((domain, seq, group.match_id, group.confidence) for seq, group in enumerate(groups, 1)),
    )
    store.many(
        "INSERT INTO match_member (domain, match_group, position, profile_id) VALUES (?, ?, ?, ?)",
        (
            (domain, seq, position, profile_id)
            for seq, group in enumerate(groups, 1)
            for position, profile_id in enumerate(group.profile_ids)
        ),
    )


def list_groups(store: Session, domain: int, after: int, limit: int) -> list[MatchGroup]:
    """Groups of the last run."""
    rows = store.all(
        "SELECT match_id, confidence, seq FROM match_group WHERE domain = ? AND seq > ? ORDER BY seq LIMIT ?",
        *(domain, after, limit),
    )
    return [_group(store, domain, row) for row in rows]


def count_groups(store: Session, domain: int) -> int:
    """How many groups the last run found."""
    row = store.one("SELECT count(*) FROM match_group WHERE domain = ?", domain)
    return row[0] if row else 0


def find_group(store: Session, domain: int, by: tuple[str, str]) -> MatchGroup | None:
    """The group of the last run by ("matchId", id) or ("profileId", id of a member)."""
    name, value = by
    member = "SELECT match_group FROM match_member WHERE domain = match_group.domain AND profile_id = ?"
    condition = "match_id = ?" if name == "matchId" else f"seq = ({member})"
    row = store.one(
        f"SELECT match_id, confidence, seq FROM match_group WHERE domain = ? AND {condition}", domain, value
    )
    return _group(store, domain, row) if row else None


def last_job(store: Session, domain: int) -> IdentityJob | None:
    """The latest run."""
    row = store.one(
        "SELECT job_id, started_at, ended_at, facts, seq FROM identity_job WHERE domain = ?"
        " ORDER BY seq DESC LIMIT 1",
        domain,
    )
    return _job(row) if row else None


def list_jobs(store: Session, domain: int, after: int, limit: int) -> list[IdentityJob]:
    """Runs, newest first; `after` is the seq of the last one seen, 0 to begin with."""
    rows = store.all(
        "SELECT job_id, started_at, ended_at, facts, seq FROM identity_job"
        " WHERE domain = ? AND (? = 0 OR seq < ?) ORDER BY seq DESC LIMIT ?",
        *(domain, after, after, limit),
    )
    return [_job(row) for row in rows]


def find_job(store: Session, domain: int, job_id: str) -> IdentityJob | None:
    """One run by its id."""
    row = store.one(
        "SELECT job_id, started_at, ended_at, facts, seq FROM identity_job WHERE domain = ? AND job_id = ?",
        *(domain, job_id),
    )
    return _job(row) if row else None


def _group(store: Session, domain: int, row: tuple[Any, ...]) -> MatchGroup:
    match_id, confidence, seq = row
    members = store.all(
        "SELECT profile_id FROM match_member WHERE domain = ? AND match_group = ? ORDER BY position",
        domain,
        seq,
    )
    return MatchGroup(match_id, confidence, tuple(member[0] for member in members), seq)


def _job(row: tuple[Any, ...]) -> IdentityJob:
    job_id, started_at, ended_at, facts, seq = row
    return IdentityJob(job_id, started_at, ended_at, json.loads(facts), seq)
