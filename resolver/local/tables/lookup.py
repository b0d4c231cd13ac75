"""Finding profiles by key: one index walk per key, pages in order of creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session


_WORTH_COUNTING: Final = 1000


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One search key with its normalised values; any of the values will do."""

    name: str
    values: tuple[str, ...]

    def statement(self, domain: int) -> tuple[str, tuple[object, ...]]:
        """A SELECT of profile seqs, to be narrowed by more conditions, and its parameters."""
        marks = ",".join("?" * len(self.values))
        if self.name == "_profileId":
            return (
                f"SELECT DISTINCT seq AS profile FROM profile WHERE domain = ? AND profile_id IN ({marks})",
                (domain, *self.values),
            )
        return (
            f"SELECT DISTINCT profile FROM profile_key WHERE domain = ? AND name = ? AND value IN ({marks})",
            (domain, self.name, *self.values),
        )

    @property
    def seq_column(self) -> str:
        """Where the statement finds a profile's seq."""
        return "seq" if self.name == "_profileId" else "profile"


@dataclass(frozen=True, slots=True)
class PageOf:
    """The part of an answer that is asked for: at most `limit` profiles beyond seq `after`."""

    after: int
    limit: int


def find_by_keys(
    store: Session, domain: int, keys: tuple[Sequence[KeyQuery], str], page: PageOf
) -> list[int]:
    """Seqs of the profiles that the keys find, joined by the operator ("AND" or "OR"), ascending."""
    queries, operator = keys
    if operator == "AND" and len(queries) > 1:
        return _find_all_of(store, domain, queries, page)
    return _find_any_of(store, domain, queries, page)


def _find_any_of(store: Session, domain: int, queries: Sequence[KeyQuery], page: PageOf) -> list[int]:
    """The first of each value tell the first of all: a page costs the same, however many profiles share."""
    found: set[int] = set()
    for query in queries:
        for value in query.values:
            sql, bound = KeyQuery(query.name, (value,)).statement(domain)
            column = query.seq_column
            narrowed = f"{sql} AND {column} > ? ORDER BY {column} LIMIT ?"
            found.update(row[0] for row in store.all(narrowed, *bound, page.after, page.limit))
    return sorted(found)[: page.limit]


def _find_all_of(store: Session, domain: int, queries: Sequence[KeyQuery], page: PageOf) -> list[int]:
    """Walk the key that leads to the fewest profiles, and look each up under the others."""
    rarest, *others = sorted(queries, key=lambda query: _count(store, domain, query, page))
    sql, bound = rarest.statement(domain)
    conditions = []
    for query in others:
        other_sql, other_bound = query.statement(domain)
        conditions.append(f"EXISTS ({other_sql} AND {query.seq_column} = found.profile)")
        bound += other_bound
    walk = (
        f"SELECT DISTINCT profile FROM ({sql}) AS found"
        f" WHERE {' AND '.join(conditions)} AND profile > ? ORDER BY profile LIMIT ?"
    )
    return [row[0] for row in store.all(walk, *bound, page.after, page.limit)]


def _count(store: Session, domain: int, query: KeyQuery, page: PageOf) -> int:
    """How many index rows the walk of a key would see, as far as it is worth counting."""
    sql, bound = query.statement(domain)
    limited = f"SELECT count(*) FROM ({sql} AND {query.seq_column} > ? LIMIT ?)"
    row = store.one(limited, *bound, page.after, _WORTH_COUNTING)
    return row[0] if row else 0
