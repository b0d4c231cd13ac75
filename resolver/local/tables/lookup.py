"""Finding profiles by key: one index walk per key, pages in order of creation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One search key with its normalised values; any of the values will do."""

    name: str
    values: tuple[str, ...]

    def statement(self, domain: int, after: int) -> tuple[str, tuple[object, ...]]:
        """A SELECT of the seqs beyond `after`, and its parameters."""
        marks = ",".join("?" * len(self.values))
        if self.name == "_profileId":
            return (
                (
                    f"SELECT seq AS profile FROM profile WHERE domain = ? AND profile_id IN ({marks})"
                    " AND seq > ?"
                ),
                (domain, *self.values, after),
            )
        return (
            (
                f"SELECT profile FROM profile_key WHERE domain = ? AND name = ? AND value IN ({marks})"
                " AND profile > ?"
            ),
            (domain, self.name, *self.values, after),
        )


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
    statements = [query.statement(domain, page.after) for query in queries]
    joined = (" INTERSECT " if operator == "AND" else " UNION ").join(sql for sql, _ in statements)
    values = [value for _, bound in statements for value in bound]
    distinct = f"SELECT DISTINCT profile FROM ({joined}) ORDER BY profile LIMIT ?"
    return [row[0] for row in store.all(distinct, *values, page.limit)]
