"""Integrations: one row per Uri of the account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.local.store import Session

_SELECT = (
    "SELECT integration.seq, integration.domain, domain.name, uri, integration.settings,"
    " integration.created_at, integration.updated_at"
    " FROM integration JOIN domain ON domain.seq = integration.domain"
)


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration and the domain it belongs to."""

    seq: int
    domain: int
    domain_name: str
    uri: str
    settings: dict[str, Any]
    created_at: float
    updated_at: float


def find_integration(store: Session, uri: str) -> Integration | None:
    """The integration of a Uri, whichever domain has it."""
    row = store.one(f"{_SELECT} WHERE uri = ?", uri)
    return _integration(row) if row else None


def list_integrations(store: Session, domain: int, after: int, limit: int) -> list[Integration]:
    """A domain's integrations in order of creation."""
    rows = store.all(
        f"{_SELECT} WHERE integration.domain = ? AND integration.seq > ? ORDER BY integration.seq LIMIT ?",
        *(domain, after, limit),
    )
    return [_integration(row) for row in rows]


def count_integrations(store: Session, domain: int) -> int:
    """How many integrations a domain has."""
    row = store.one("SELECT count(*) FROM integration WHERE domain = ?", domain)
    return row[0] if row else 0


def put_integration(store: Session, new: Integration) -> None:
    """Add or replace an integration; an existing one keeps its place and time of creation."""
    store.run(
        "INSERT INTO integration (domain, uri, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (uri) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at",
        *(new.domain, new.uri, json.dumps(new.settings), new.created_at, new.updated_at),
    )


def remove_integration(store: Session, uri: str) -> None:
    """Take an integration away."""
    store.run("DELETE FROM integration WHERE uri = ?", uri)


def _integration(row: tuple[Any, ...]) -> Integration:
    seq, domain, domain_name, uri, settings, created_at, updated_at = row
    return Integration(seq, domain, domain_name, uri, json.loads(settings), created_at, updated_at)
