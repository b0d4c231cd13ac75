"""Profile objects, the queue before them and the dead letters beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.local.tables.lookup import any_of

if TYPE_CHECKING:
    from resolver.local.store import Session
    from resolver.local.tables.lookup import KeyQuery

_COLUMNS = "seq, profile, object_type, unique_key, body, ingested_at, expires_at"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One profile object; `body` is its JSON text as it came."""

    seq: int
    profile: int
    object_type: str
    unique_key: str
    body: str
    ingested_at: float
    expires_at: float


def find_object(store: Session, profile: int, object_type: str, unique_key: str) -> StoredObject | None:
    """One object of a profile."""
    row = store.one(
        f"SELECT {_COLUMNS} FROM object WHERE profile = ? AND object_type = ? AND unique_key = ?",
        *(profile, object_type, unique_key),
    )
    return StoredObject(*row) if row else None


def list_objects(
    store: Session,
    owner: tuple[int, str],
    indexed: tuple[int, KeyQuery] | None = None,
    page: tuple[int, int] = (0, -1),
) -> list[StoredObject]:
    """Objects of one (profile, object type) in order of ingestion.

    `indexed` is (domain, key) and keeps the objects that contributed one of the key's values; `page` is
    (after seq, limit), without limit where negative.
    """
    condition, values = "", tuple[object, ...]()
    if indexed is not None:
        domain, key = indexed
        one_of, bound = any_of(key.values)
        condition = (
            " AND seq IN (SELECT origin FROM profile_key"
            f" WHERE domain = ? AND name = ? AND value {one_of} AND profile = ?)"
        )
        values = (domain, key.name, bound, owner[0])
    rows = store.all(
        f"SELECT {_COLUMNS} FROM object WHERE profile = ? AND object_type = ?{condition} AND seq > ?"
        " ORDER BY seq LIMIT ?",
        *(*owner, *values, *page),
    )
    return [StoredObject(*row) for row in rows]


def objects_of(store: Session, profile: int) -> list[StoredObject]:
    """All objects of a profile in order of ingestion."""
    rows = store.all(f"SELECT {_COLUMNS} FROM object WHERE profile = ? ORDER BY seq", profile)
    return [StoredObject(*row) for row in rows]


def insert_object(store: Session, domain: int, new: StoredObject) -> int:
    """Add an object (its own seq is ignored); returns its seq."""
    _grow(store, new.profile, 1, size := len(new.body.encode()))
    store.count(domain, (0, 1, size))
    store.watch.earliest = min(store.watch.earliest, new.expires_at)
    return store.insert(
        "INSERT INTO object (domain, profile, object_type, unique_key, body, ingested_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(domain, new.profile, new.object_type, new.unique_key, new.body, new.ingested_at, new.expires_at),
    )


def remove_object(store: Session, domain: int, gone: StoredObject) -> None:
    """Take one object away; its keys are the caller's business."""
    _grow(store, gone.profile, -1, -(size := len(gone.body.encode())))
    store.count(domain, (0, -1, -size))
    store.run("DELETE FROM object WHERE seq = ?", gone.seq)


def move_object(store: Session, moved: StoredObject, profile: int) -> None:
    """Hand an object to another profile; its seq stays, and with it the keys it contributed."""
    store.run("UPDATE object SET profile = ? WHERE seq = ?", profile, moved.seq)
    size = len(moved.body.encode())
    _grow(store, moved.profile, -1, -size)
    _grow(store, profile, 1, size)


def _grow(store: Session, profile: int, count: int, size: int) -> None:
    store.run(
        "UPDATE profile SET object_count = object_count + ?, object_bytes = object_bytes + ? WHERE seq = ?",
        *(count, size, profile),
    )


def held_by(store: Session, profile: int) -> tuple[int, int]:
    """How many objects a profile has, and how many bytes they and its own fields take."""
    row = store.one(
        "SELECT object_count, object_bytes + length(CAST(fields AS BLOB)) FROM profile WHERE seq = ?", profile
    )
    return (row[0], row[1]) if row else (0, 0)


def seqs_of(store: Session, profile: int, object_type: str) -> list[int]:
    """A profile's objects of one type in order of ingestion, without a look at their bodies."""
    rows = store.all(
        "SELECT seq FROM object WHERE profile = ? AND object_type = ? ORDER BY seq", profile, object_type
    )
    return [row[0] for row in rows]


def get_object(store: Session, seq: int) -> StoredObject:
    """The object of that seq, which must be there."""
    row = store.one(f"SELECT {_COLUMNS} FROM object WHERE seq = ?", seq)
    if row is None:
        raise LookupError(f"object {seq}")
    return StoredObject(*row)


def objects_of_type(store: Session, domain: int, object_type: str) -> list[StoredObject]:
    """All objects of a type."""
    rows = store.all(
        f"SELECT {_COLUMNS} FROM object WHERE domain = ? AND object_type = ? ORDER BY seq",
        domain,
        object_type,
    )
    return [StoredObject(*row) for row in rows]


def expired_objects(store: Session, at: float) -> list[tuple[int, StoredObject]]:
    """(domain, object) of everything whose time is up."""
    rows = store.all(f"SELECT domain, {_COLUMNS} FROM object WHERE expires_at <= ? ORDER BY seq", at)
    return [(domain, StoredObject(*row)) for domain, *row in rows]


def earliest_expiry(store: Session) -> float | None:
    """When the next object expires."""
    row = store.one("SELECT min(expires_at) FROM object")
    return row[0] if row else None


def earliest_due(store: Session) -> float | None:
    """When the next queued object is due."""
    row = store.one("SELECT min(due_at) FROM pending_object")
    return row[0] if row else None


def count_by_type(store: Session, profile: int) -> dict[str, int]:
    """How many objects of each type a profile has."""
    rows = store.all("SELECT object_type, count(*) FROM object WHERE profile = ? GROUP BY 1", profile)
    return {object_type: count for object_type, count in rows}  # noqa: C416 - dict() would lose the types


def queue_object(store: Session, domain: int, content: tuple[str, str], due_at: float) -> None:
    """Accept an (object type, body) that becomes visible later."""
    store.watch.earliest = min(store.watch.earliest, due_at)
    store.insert(
        "INSERT INTO pending_object (domain, object_type, body, due_at) VALUES (?, ?, ?, ?)",
        domain,
        *content,
        due_at,
    )


def take_due(store: Session, at: float) -> list[tuple[int, str, str]]:
    """(domain, object type, body) of every queued object that is due, in order, removed from the queue."""
    rows: list[Any] = store.all(
        "SELECT domain, object_type, body FROM pending_object WHERE due_at <= ? ORDER BY due_at, seq", at
    )
    if rows:
        store.run("DELETE FROM pending_object WHERE due_at <= ?", at)
    return rows


def add_dead_letter(store: Session, domain: int, letter: tuple[str, str, str], at: float) -> None:
    """Record an (object type, body, reason) that found no profile."""
    store.insert(
        "INSERT INTO dead_letter (domain, object_type, body, reason, at) VALUES (?, ?, ?, ?, ?)",
        domain,
        *letter,
        at,
    )


def dead_letters(store: Session, domain: int) -> list[tuple[str, str, str]]:
    """(object type, body, reason) of every object that found no profile, oldest first."""
    rows: list[Any] = store.all(
        "SELECT object_type, body, reason FROM dead_letter WHERE domain = ? ORDER BY seq", domain
    )
    return rows
