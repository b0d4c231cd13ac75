"""Customers' data in the ledger: JSON in, sealed text at rest, JSON out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from resolver.errors import LedgerFailed
from resolver.ledger.sealing import is_sealed
from resolver.ledger.tables import images, plans, readings, restores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column, Connection, Table

    from resolver.ledger.sealing import Seal

#: Every column that holds customers' data.
CONTENTS: Final[tuple[tuple[Table, Column[Any]], ...]] = (
    (images, images.c.before),
    (images, images.c.expected),
    (plans, plans.c.content),
    (readings, readings.c.actual),
    (restores, restores.c.content),
)


def sealed(seal: Seal, value: Mapping[str, Any]) -> str:
    """The value as it is put at rest."""
    return seal.seal(text_of(value))


def opened(seal: Seal, text: str | None) -> dict[str, Any] | None:
    """The value that was put at rest; null where it is gone.

    Raises:
        LedgerFailed: its key is not at hand.
    """
    return None if text is None else json.loads(seal.open(text))


def text_of(value: Mapping[str, Any]) -> str:
    """JSON, as the ledger writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def check_key(connection: Connection, seal: Seal) -> None:
    """See that the latest before-image opens, so that one ledger is not sealed with keys nobody has together.

    Raises:
        LedgerFailed: it does not.
    """
    query = select(images.c.before).where(images.c.before.is_not(None)).order_by(images.c.entry_id.desc())
    if text := connection.execute(query.limit(1)).scalar():
        try:
            seal.open(text)
        except LedgerFailed as error:
            raise LedgerFailed(
                f"{error}. Nothing is added under another key: give the one of before, too "
                "(`resolver ledger-key --help`); --abandon gives up what it sealed"
            ) from None


def abandon(connection: Connection, seal: Seal) -> int:
    """Empty what no key at hand opens; how many texts."""
    count = 0
    for table, column in CONTENTS:
        keys = list(table.primary_key)
        for row in connection.execute(select(*keys).where(column.is_not(None))).all():
            this = [key == value for key, value in zip(keys, row, strict=True)]
            try:
                seal.open(connection.execute(select(column).where(*this)).scalar_one())
            except LedgerFailed:
                why = {"gone": "its key was lost"} if table is images else {}
                connection.execute(update(table).where(*this).values({column.name: None, **why}))
                count += 1
    return count


def reseal(connection: Connection, seal: Seal, *, all_of_it: bool) -> int:
    """Seal what an earlier version left legible (or ``all_of_it``, with the first key); how many texts."""
    count = 0
    for table, column in CONTENTS:
        keys = list(table.primary_key)
        wanted = select(*keys).where(column.is_not(None))
        rows = connection.execute(wanted if all_of_it else wanted.where(column.like("{%"))).all()
        for row in rows:
            this = [key == value for key, value in zip(keys, row, strict=True)]
            text = connection.execute(select(column).where(*this)).scalar_one()
            if all_of_it or not is_sealed(text):
                connection.execute(
                    update(table).where(*this).values({column.name: seal.seal(seal.open(text))})
                )
                count += 1
    return count
