"""Finding profiles by key: one index walk per value, pages in order of creation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.local.store import Session

    Condition = tuple[str, tuple[object, ...]]  # what a WHERE clause goes on with, and its parameters


_WORTH_COUNTING: Final = 1000
_FEW: Final = 21  # a main profile and 20 to be merged; each number is a statement of its own


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One search key with its normalised values; any of the values will do."""

    name: str
    values: tuple[str, ...]

    def statement(self, domain: int, alias: str = "") -> Condition:
        """A SELECT of profile seqs, to be narrowed by more conditions, and its parameters."""
        one_of, values = any_of(self.values)
        if self.name == "_profileId":
            table, condition = f"profile {alias}", f"domain = ? AND profile_id {one_of}"
            return f"SELECT DISTINCT seq AS profile FROM {table} WHERE {condition}", (domain, values)
        table, condition = f"profile_key {alias}", f"domain = ? AND name = ? AND value {one_of}"
        return f"SELECT DISTINCT profile FROM {table} WHERE {condition}", (domain, self.name, values)

    @property
    def seq_column(self) -> str:
        """Where the statement finds a profile's seq."""
        return "seq" if self.name == "_profileId" else "profile"


@dataclass(frozen=True, slots=True)
class PageOf:
    """The part of an answer that is asked for: at most `limit` profiles beyond seq `after`."""

    after: int
    limit: int


def any_of(values: Sequence[str] | Sequence[int]) -> tuple[str, str | int]:
    """The condition that a column has one of the values, and its one parameter, however many they are.

    A single one is compared as such: only then does the index give what follows in its own order.
    """
    if len(values) == 1:
        return "= ?", values[0]
    return "IN (SELECT value FROM json_each(?))", json.dumps(list(values))


def asked_for(values: Sequence[str]) -> tuple[str, tuple[object, ...]]:
    """The beginning of a statement that has the values as rows of a table ``asked (value)``."""
    if len(values) <= _FEW:  # what one request asks for, and half the work of json_each
        rows = ", ".join(["(?)"] * len(values))
        return f"WITH asked (value) AS (VALUES {rows})", tuple(values)
    return "WITH asked (value) AS (SELECT value FROM json_each(?))", (json.dumps(values),)


def find_by_keys(
    store: Session, domain: int, keys: tuple[Sequence[KeyQuery], str], page: PageOf
) -> list[int]:
    """Seqs of the profiles that the keys find, joined by the operator ("AND" or "OR"), ascending."""
    queries, operator = keys
    condition: Condition = ("", ())
    if operator == "AND" and len(queries) > 1:
        # Walk the key that leads to the fewest profiles, and look each up under the others.
        rarest, *others = sorted(queries, key=lambda query: _count(store, domain, query, page))
        condition, queries = _found_by_all(domain, others, f"walked.{rarest.seq_column}"), [rarest]
    # The first of each value tell the first of all: a page costs the same, however many profiles share.
    found: set[int] = set()
    for query in queries:
        column = query.seq_column
        for value in query.values:
            sql, bound = KeyQuery(query.name, (value,)).statement(domain, "AS walked")
            narrowed = f"{sql}{condition[0]} AND {column} > ? ORDER BY {column} LIMIT ?"
            rows = store.all(narrowed, *bound, *condition[1], page.after, page.limit)
            found.update(row[0] for row in rows)
    return sorted(found)[: page.limit]


def _found_by_all(domain: int, queries: Sequence[KeyQuery], seq: str) -> Condition:
    """The condition that every one of the keys leads to the profile with this seq."""
    text, values = "", tuple[object, ...]()
    for query in queries:
        sql, bound = query.statement(domain)
        text += f" AND EXISTS ({sql} AND {query.seq_column} = {seq})"
        values += bound
    return text, values


def _count(store: Session, domain: int, query: KeyQuery, page: PageOf) -> int:
    """How many index rows the walk of a key would see, as far as it is worth counting."""
    sql, bound = query.statement(domain)
    limited = f"SELECT count(*) FROM ({sql} AND {query.seq_column} > ? LIMIT ?)"
    row = store.one(limited, *bound, page.after, _WORTH_COUNTING)
    return row[0] if row else 0
