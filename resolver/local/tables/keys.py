"""The search index: which profiles a normalised key value leads to, and where each row came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from resolver.local.tables.lookup import any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from resolver.local.store import Session

DERIVED: Final = 0  # from the profile's own fields
GIVEN: Final = -1  # by AddProfileKey
MERGED: Final = -2  # what a merge made of the keys of profiles and objects that it ended

Key = tuple[str, str]  # key name, normalised value
_INSERT = "INSERT OR IGNORE INTO profile_key (domain, name, value, profile, origin) VALUES (?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM profile_key WHERE domain = ? AND name = ? AND value = ? AND profile = ? AND origin = ?"


def add_keys(store: Session, owner: tuple[int, int], keys: Iterable[Key], origin: int) -> None:
    """Index keys of a profile; `owner` is (domain, profile). What is there already stays as it is."""
    domain, profile = owner
    if rows := [(domain, name, value, profile, origin) for name, value in keys]:
        store.many(_INSERT, rows)


def remove_keys(store: Session, owner: tuple[int, int], keys: Iterable[Key], origin: int) -> None:
    """Take keys of one origin out of the index."""
    domain, profile = owner
    if rows := [(domain, name, value, profile, origin) for name, value in keys]:
        store.many(_DELETE, rows)


def origins_of(store: Session, owner: tuple[int, int], key: Key) -> list[int]:
    """Every origin of one key of a profile."""
    domain, profile = owner
    rows = store.all(
        "SELECT origin FROM profile_key WHERE domain = ? AND name = ? AND value = ? AND profile = ?",
        *(domain, *key, profile),
    )
    return [row[0] for row in rows]


def remove_given(store: Session, owner: tuple[int, int], key: Key) -> None:
    """Take every row of one key out of the index that does not derive from the profile's fields."""
    domain, profile = owner
    store.run(
        "DELETE FROM profile_key WHERE domain = ? AND name = ? AND value = ? AND profile = ? AND origin <> 0",
        *(domain, *key, profile),
    )


def add_merged(store: Session, owner: tuple[int, int], keys: Iterable[tuple[Key, Collection[str]]]) -> None:
    """Index keys of a profile that a merge ended, each with the object types that its value goes with."""
    domain, profile = owner
    rows = [
        (domain, *key, profile, MERGED, json.dumps(sorted(types)) if types else "") for key, types in keys
    ]
    store.many(
        "INSERT OR IGNORE INTO profile_key (domain, name, value, profile, origin, types)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )


def remove_merged_of_type(store: Session, domain: int, object_type: str) -> None:
    """Take the merged keys out whose values go with an object type."""
    store.run(
        "DELETE FROM profile_key WHERE domain = ? AND types <> ''"
        " AND EXISTS (SELECT 1 FROM json_each(types) AS one WHERE one.value = ?)",
        *(domain, object_type),
    )


def move_given(store: Session, profile: int, main: int) -> None:
    """Hand every key that does not derive from fields to another profile, with its origin."""
    given = store.one("SELECT 1 FROM profile_key WHERE profile = ? AND origin <> 0", profile)
    if given is None:  # as nearly always: to look is cheaper than to change nothing
        return
    store.run("UPDATE OR IGNORE profile_key SET profile = ? WHERE profile = ? AND origin <> 0", main, profile)
    store.run("DELETE FROM profile_key WHERE profile = ? AND origin <> 0", profile)


def remove_all_given(store: Session, profile: int) -> None:
    """Take every key of a profile out that does not derive from its fields."""
    store.run("DELETE FROM profile_key WHERE profile = ? AND origin <> 0", profile)


def remove_keys_of_object(store: Session, profile: int, object_seq: int) -> None:
    """Take the keys out that only this object contributed."""
    store.run("DELETE FROM profile_key WHERE profile = ? AND origin = ? AND origin <> 0", profile, object_seq)


def hits(store: Session, owner: tuple[int, int], name: str, values: Sequence[str]) -> set[str]:
    """Those of the values of a key that a profile is indexed under."""
    domain, profile = owner
    one_of, bound = any_of(values)
    rows = store.all(
        f"SELECT value FROM profile_key WHERE domain = ? AND name = ? AND value {one_of} AND profile = ?",
        *(domain, name, bound, profile),
    )
    return {row[0] for row in rows}


def key_content_types(store: Session, domain: int, name: str) -> list[str] | None:
    """The content types of the fields behind a key that an object type of the domain defines."""
    row = store.one("SELECT content_types FROM key_name WHERE domain = ? AND name = ?", domain, name)
    return json.loads(row[0]) if row else None


def key_names_of_others(store: Session, domain: int, object_type: str) -> dict[str, list[str]]:
    """Content types by key name, as the domain's other object types define them."""
    rows = store.all(
        "SELECT name, content_types FROM key_name WHERE domain = ? AND object_type <> ?", domain, object_type
    )
    return {name: json.loads(content_types) for name, content_types in rows}


def set_key_names(store: Session, domain: int, object_type: str, names: dict[str, list[str]]) -> None:
    """Replace the keys that an object type defines; a name that nobody defines any more goes with its values.

    Predefined names stay, whoever defines them.
    """
    rows = store.all("SELECT name FROM key_name WHERE domain = ? AND object_type = ?", domain, object_type)
    store.run("DELETE FROM key_name WHERE domain = ? AND object_type = ?", domain, object_type)
    store.many(
        "INSERT INTO key_name (domain, name, object_type, content_types) VALUES (?, ?, ?, ?)",
        [(domain, name, object_type, json.dumps(content_types)) for name, content_types in names.items()],
    )
    for name in {row[0] for row in rows} - names.keys():
        if not name.startswith("_") and key_content_types(store, domain, name) is None:
            store.run("DELETE FROM profile_key WHERE domain = ? AND name = ?", domain, name)


def keep_as_merged(store: Session, profile: int, object_seq: int, object_type: str) -> None:
    """Turn the keys that an object contributed into merged ones that go with its type, before it goes."""
    store.run(
        "UPDATE OR IGNORE profile_key SET origin = ?, types = ?"
        " WHERE profile = ? AND origin = ? AND origin <> 0",
        *(MERGED, json.dumps([object_type]), profile, object_seq),
    )
    remove_keys_of_object(store, profile, object_seq)
