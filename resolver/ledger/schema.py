"""Which version a ledger's tables have, and how an earlier one is brought to today's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: The newest revision under ``migrations/versions``; a ledger of a newer program is refused, not guessed at.
HEAD: Final = "3"
#: The version table of ledgers older than the migrations; they all are revision 1.
_OLD: Final = "schema_version"
_VERSIONS: Final = "alembic_version"


def version_of(connection: Connection) -> str | None:
    """The revision of the ledger there; null in an empty database, "" in one that is no ledger."""
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if _VERSIONS in tables and _OLD in tables:
        return str(connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar())  # noqa: S608  # a constant
    if _OLD in tables:
        return str(connection.execute(text(f"SELECT version FROM {_OLD}")).scalar())  # noqa: S608  # a constant
    return ""


def migrate(connection: Connection) -> None:
    """Bring an empty database, or an earlier ledger, to HEAD within the connection's transaction."""
    from alembic import command  # noqa: PLC0415  # half a second that only a ledger's first opening costs
    from alembic.config import Config  # noqa: PLC0415  # same

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    if version_of(connection) == "1":
        command.stamp(config, "1")
    command.upgrade(config, HEAD)
