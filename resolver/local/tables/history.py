"""What was done to each profile, kept beyond the profile's own life."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.local.store import Session

STANDARD_TYPE = "_profile"
MOST_CONTENT = 256_000  # characters of a record's Content
_COLUMNS = "seq, record_id, action, object_type, unique_key, content, at"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a profile or to an object of it."""

    action: str
    at: float
    content: str | None = None
    object_type: str = STANDARD_TYPE
    unique_key: str | None = None
    record_id: str = field(default_factory=lambda: os.urandom(16).hex())
    seq: int = 0


def record(store: Session, domain: int, profile: int, event: Event) -> None:
    """Append to a profile's history."""
    store.insert(
        "INSERT INTO history (domain, profile, record_id, action, object_type, unique_key, content, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(
            domain,
            profile,
            event.record_id,
            event.action,
            event.object_type,
            event.unique_key,
            event.content,
            event.at,
        ),
    )


def list_history(
    store: Session, profile: int, filters: Mapping[str, Any], page: tuple[int, int]
) -> list[Event]:
    """A profile's records, oldest first; `filters` by column, `page` is (after seq, limit)."""
    conditions = "".join(f" AND {column} = ?" for column in filters)
    rows = store.all(
        f"SELECT {_COLUMNS} FROM history WHERE profile = ?{conditions} AND seq > ? ORDER BY seq LIMIT ?",
        *(profile, *filters.values(), *page),
    )
    return [_event(row) for row in rows]


def last_seq(store: Session) -> int:
    """The seq of the latest record of any domain; 0 before the first."""
    row = store.one("SELECT max(seq) FROM history")
    return (row[0] if row else None) or 0


def find_record(store: Session, profile: int, record_id: str) -> Event | None:
    """One record of a profile's history."""
    row = store.one(f"SELECT {_COLUMNS} FROM history WHERE profile = ? AND record_id = ?", profile, record_id)
    return _event(row) if row else None


def _event(row: tuple[Any, ...]) -> Event:
    seq, record_id, action, object_type, unique_key, content, at = row
    return Event(action, at, content, object_type, unique_key, record_id, seq)
