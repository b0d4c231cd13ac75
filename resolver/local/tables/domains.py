"""Domains: settings and running totals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.local.store import Session

_COLUMNS = (
    "seq, name, settings, created_at, updated_at, matching_since, profile_count, object_count, total_size"
)
_OWNED = (  # every table that has rows of a domain
    "profile",
    "former_profile",
    "profile_key",
    "object_type",
    "key_name",
    "object",
    "pending_object",
    "dead_letter",
    "history",
    "identity_job",
    "match_group",
    "match_member",
    "integration",
)


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain as stored."""

    seq: int
    name: str
    settings_text: str  # JSON
    created_at: float
    updated_at: float
    matching_since: float | None  # when matching was last switched on; None while it is off
    profile_count: int
    object_count: int
    total_size: int

    @property
    def settings(self) -> dict[str, Any]:
        """The members of CreateDomain; read anew each time, as most requests never ask."""
        return json.loads(self.settings_text)  # type: ignore[no-any-return]


def find_domain(store: Session, name: str) -> Domain | None:
    """The domain of that name."""
    row = store.one(f"SELECT {_COLUMNS} FROM domain WHERE name = ?", name)
    return Domain(*row) if row else None


def get_domain(store: Session, seq: int) -> Domain:
    """The domain of that seq, which must be there."""
    row = store.one(f"SELECT {_COLUMNS} FROM domain WHERE seq = ?", seq)
    if row is None:
        raise LookupError(f"domain {seq}")
    return Domain(*row)


def list_domains(store: Session, after: int, limit: int) -> list[Domain]:
    """Domains in order of creation."""
    rows = store.all(f"SELECT {_COLUMNS} FROM domain WHERE seq > ? ORDER BY seq LIMIT ?", after, limit)
    return [Domain(*row) for row in rows]


def count_domains(store: Session) -> int:
    """How many domains there are."""
    row = store.one("SELECT count(*) FROM domain")
    return row[0] if row else 0


def insert_domain(store: Session, name: str, settings: dict[str, Any], at: float) -> None:
    """Add a domain."""
    store.insert(
        "INSERT INTO domain (name, settings, created_at, updated_at, matching_since) VALUES (?, ?, ?, ?, ?)",
        *(name, json.dumps(settings), at, at, at if _matches(settings) else None),
    )


def update_domain(store: Session, domain: Domain, settings: dict[str, Any], at: float) -> None:
    """Replace a domain's settings."""
    since = (at if domain.matching_since is None else domain.matching_since) if _matches(settings) else None
    store.run(
        "UPDATE domain SET settings = ?, updated_at = ?, matching_since = ? WHERE seq = ?",
        *(json.dumps(settings), at, since, domain.seq),
    )


def delete_domain(store: Session, domain: Domain) -> None:
    """Remove a domain and everything in it."""
    for table in _OWNED:
        store.run(f"DELETE FROM {table} WHERE domain = ?", domain.seq)
    store.run("DELETE FROM tag WHERE resource = ?", f"domains/{domain.name}")
    prefix = f"domains/{domain.name}/"
    store.run("DELETE FROM tag WHERE substr(resource, 1, ?) = ?", len(prefix), prefix)
    store.run("DELETE FROM domain WHERE seq = ?", domain.seq)


def surplus_metered_profiles(store: Session, domain: int) -> int:
    """What profiles count beyond one each: every further hundred objects is one more."""
    row = store.one(
        "SELECT coalesce(sum((object_count + 99) / 100 - 1), 0) FROM profile WHERE domain = ?"
        " AND object_count > 100",
        domain,
    )
    return row[0] if row else 0


def _matches(settings: dict[str, Any]) -> bool:
    return bool(settings.get("Matching", {}).get("Enabled"))
