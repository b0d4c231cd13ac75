"""What matching reads: who shares a value, those profiles, or all of a domain."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from resolver.local.store import Session

_BATCH: Final = 10_000


def sharers(store: Session, domain: int, key_name: str, most: int) -> list[tuple[int, ...]]:
    """Profile seqs (ascending) behind each value of a key that between 2 and `most` profiles share."""
    rows = store.all(
        "SELECT group_concat(profile) FROM"
        " (SELECT DISTINCT value, profile FROM profile_key WHERE domain = ? AND name = ?"
        " ORDER BY value, profile)"
        " GROUP BY value HAVING count(*) BETWEEN 2 AND ? ORDER BY min(profile)",
        *(domain, key_name, most),
    )
    return [tuple(sorted(int(seq) for seq in row[0].split(","))) for row in rows]


def read(store: Session, wanted: Collection[int]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(seq, profile id, fields) of the wanted profiles."""
    for seq in sorted(wanted):
        row = store.one("SELECT profile_id, fields FROM profile WHERE seq = ?", seq)
        if row is not None:
            yield seq, row[0], json.loads(row[1])


def everybody(store: Session, domain: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(seq, profile id, fields) of all profiles of a domain, in order of seq."""
    last = 0
    while rows := store.all(
        "SELECT seq, profile_id, fields FROM profile WHERE domain = ? AND seq > ? ORDER BY seq LIMIT ?",
        *(domain, last, _BATCH),
    ):
        for seq, profile_id, fields in rows:
            yield seq, profile_id, json.loads(fields)
        last = rows[-1][0]
