"""Object types of a domain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resolver.local.store import Session

_COLUMNS = "seq, name, definition, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object type as it was put."""

    seq: int
    name: str
    definition: dict[str, Any]
    created_at: float
    updated_at: float


def find_object_type(store: Session, domain: int, name: str) -> ObjectType | None:
    """The object type of that name."""
    row = store.one(f"SELECT {_COLUMNS} FROM object_type WHERE domain = ? AND name = ?", domain, name)
    return _object_type(row) if row else None


def list_object_types(store: Session, domain: int, after: int, limit: int) -> list[ObjectType]:
    """Object types in order of creation."""
    rows = store.all(
        f"SELECT {_COLUMNS} FROM object_type WHERE domain = ? AND seq > ? ORDER BY seq LIMIT ?",
        domain,
        after,
        limit,
    )
    return [_object_type(row) for row in rows]


def count_object_types(store: Session, domain: int) -> int:
    """How many object types a domain has."""
    row = store.one("SELECT count(*) FROM object_type WHERE domain = ?", domain)
    return row[0] if row else 0


def put_object_type(store: Session, domain: int, new: ObjectType) -> None:
    """Add or replace an object type; an existing one keeps its place and time of creation."""
    store.run(
        "INSERT INTO object_type (domain, name, definition, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at",
        *(domain, new.name, json.dumps(new.definition), new.created_at, new.updated_at),
    )


def remove_object_type(store: Session, domain: int, name: str) -> None:
    """Take an object type away."""
    store.run("DELETE FROM object_type WHERE domain = ? AND name = ?", domain, name)


def _object_type(row: tuple[Any, ...]) -> ObjectType:
    seq, name, definition, created_at, updated_at = row
    return ObjectType(seq, name, json.loads(definition), created_at, updated_at)
