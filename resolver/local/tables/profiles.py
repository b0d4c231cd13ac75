"""Profiles and the ids that once were profiles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resolver.local.tables.lookup import any_of, asked_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session

_COLUMNS = "seq, profile_id, fields, sources, created_at, updated_at, object_count"
_THEM = "asked CROSS JOIN profile ON domain = ? AND profile_id = asked.value"  # in order of what is asked


@dataclass(slots=True)
class Profile:
    """One standard profile; `sources` names, per field path, the object type that wrote it, if one did.

    `text` is the JSON of the fields as they are stored: the functions of this module keep it.
    """

    seq: int
    profile_id: str
    fields: dict[str, Any]
    sources: dict[str, str]
    created_at: float
    updated_at: float
    object_count: int
    text: str = ""


def find_profile(store: Session, domain: int, profile_id: str) -> Profile | None:
    """The profile of that id."""
    row = store.one(f"SELECT {_COLUMNS} FROM profile WHERE domain = ? AND profile_id = ?", domain, profile_id)
    return _profile(row) if row else None


def find_profiles(store: Session, domain: int, profile_ids: Sequence[str]) -> list[Profile]:
    """Those of the ids that are profiles, in no particular order."""
    if not profile_ids:
        return []
    asked, bound = asked_for(profile_ids)
    rows = store.all(f"{asked} SELECT {_COLUMNS} FROM {_THEM}", *bound, domain)
    return [_profile(row) for row in rows]


def find_texts(store: Session, domain: int, profile_ids: Sequence[str]) -> dict[str, str]:
    """The stored JSON of the fields of those ids that are profiles, by id."""
    if not profile_ids:
        return {}
    asked, bound = asked_for(profile_ids)
    rows: list[Any] = store.all(f"{asked} SELECT profile_id, fields FROM {_THEM}", *bound, domain)
    return dict(rows)


def get_profiles(store: Session, seqs: Sequence[int]) -> list[Profile]:
    """Profiles by seq, in order of seq."""
    one_of, bound = any_of(seqs)
    rows = store.all(f"SELECT {_COLUMNS} FROM profile WHERE seq {one_of} ORDER BY seq", bound)
    return [_profile(row) for row in rows]


def get_texts(store: Session, seqs: Sequence[int]) -> list[tuple[int, str, str]]:
    """(seq, id, stored JSON of the fields) of profiles by seq, in order of seq."""
    one_of, bound = any_of(seqs)
    rows: list[Any] = store.all(
        f"SELECT seq, profile_id, fields FROM profile WHERE seq {one_of} ORDER BY seq", bound
    )
    return rows


def insert_profile(store: Session, domain: int, profile: Profile) -> int:
    """Add a profile (its own seq is ignored); returns its seq."""
    fields = profile.text = json.dumps(profile.fields)
    store.count(domain, (1, 0, len(fields)))
    return store.insert(
        "INSERT INTO profile (domain, profile_id, fields, sources, created_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        *(domain, profile.profile_id, fields, _sources_text(profile), profile.created_at, profile.updated_at),
    )


def update_profile(store: Session, domain: int, profile: Profile) -> None:
    """Replace a profile's fields, sources and time of update."""
    fields = json.dumps(profile.fields)
    store.count(domain, (0, 0, len(fields) - len(profile.text)))  # ASCII: as many bytes
    profile.text = fields
    store.run(
        "UPDATE profile SET fields = ?, sources = ?, updated_at = ? WHERE seq = ?",
        *(fields, _sources_text(profile), profile.updated_at, profile.seq),
    )


def touch_profile(store: Session, profile: Profile) -> None:
    """Replace a profile's sources and time of update."""
    store.run(
        "UPDATE profile SET sources = ?, updated_at = ? WHERE seq = ?",
        *(_sources_text(profile), profile.updated_at, profile.seq),
    )


def remove_profile(store: Session, domain: int, profile: Profile, survivor: str | None) -> None:
    """Take a profile's row away and remember its id, and what it was merged into.

    What was merged into this profile before ends where this one does: no chain is ever walked.
    """
    store.count(domain, (-1, 0, -len(profile.text)))  # ASCII: as many bytes
    store.run("DELETE FROM profile WHERE seq = ?", profile.seq)
    store.run(
        "INSERT OR REPLACE INTO former_profile (domain, profile_id, seq, survivor) VALUES (?, ?, ?, ?)",
        *(domain, profile.profile_id, profile.seq, survivor),
    )
    ended_here = "domain = ? AND survivor = ?"
    if store.one(f"SELECT 1 FROM former_profile WHERE {ended_here}", domain, profile.profile_id):
        store.run(
            f"UPDATE former_profile SET survivor = ? WHERE {ended_here}",
            *(survivor, domain, profile.profile_id),
        )


def forget_former(store: Session, domain: int, profile_ids: Sequence[str]) -> None:
    """Forget what became of ids that are about to be profiles again."""
    if store.one("SELECT 1 FROM former_profile WHERE domain = ?", domain) is None:
        return
    store.run(
        "DELETE FROM former_profile WHERE domain = ? AND profile_id IN (SELECT value FROM json_each(?))",
        *(domain, json.dumps(list(profile_ids))),
    )


def former_seq(store: Session, domain: int, profile_id: str) -> int | None:
    """The seq of a profile that is no more."""
    row = store.one("SELECT seq FROM former_profile WHERE domain = ? AND profile_id = ?", domain, profile_id)
    return row[0] if row else None


def survivor_of(store: Session, domain: int, profile_id: str) -> str | None:
    """The profile id that a merged-away id ended in, through any number of merges."""
    row = store.one(
        "SELECT survivor FROM former_profile WHERE domain = ? AND profile_id = ?", domain, profile_id
    )
    return row[0] if row else None


def profiles_sourced_by(store: Session, domain: int, object_type: str) -> list[Profile]:
    """Profiles with a field that an object type wrote."""
    rows = store.all(
        f"SELECT {_COLUMNS} FROM profile WHERE domain = ? AND sources IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM json_each(profile.sources) WHERE value = ?) ORDER BY seq",
        *(domain, object_type),
    )
    return [_profile(row) for row in rows]


def next_profile_seq(store: Session) -> int:
    """The seq that the next profile of any domain gets."""
    row = store.one("SELECT seq FROM sqlite_sequence WHERE name = 'profile'")
    return (row[0] if row else 0) + 1


def known_ids(store: Session, domain: int, profile_ids: Sequence[str]) -> set[str]:
    """Those of the ids that are profiles of the domain."""
    find = "SELECT profile_id FROM profile WHERE domain = ? AND profile_id = ?"
    return {profile_id for profile_id in profile_ids if store.one(find, domain, profile_id) is not None}


def _profile(row: tuple[Any, ...]) -> Profile:
    seq, profile_id, fields, sources, *rest = row
    known = json.loads(sources) if sources else {}
    profile = Profile(seq, profile_id, json.loads(fields), known, *rest)
    profile.text = fields
    return profile


def _sources_text(profile: Profile) -> str | None:
    return json.dumps(profile.sources) if profile.sources else None
