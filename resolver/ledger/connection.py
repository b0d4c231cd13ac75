"""The door to the database: how a ledger is opened, and what is said when it fails."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from resolver.errors import LedgerFailed
from resolver.ledger.contents import reseal
from resolver.ledger.schema import HEAD, migrate, version_of
from resolver.ledger.sealing import Seal, seal_for
from resolver.ledger.tables import schema_version

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How long a writer waits for another one, in milliseconds.
BUSY_TIMEOUT: Final = 30_000
#: What can be migrated; null is an empty database.
_EARLIER: Final = (None, "1", "2")
#: Any number that nobody else locks: guards the creation of the tables on PostgreSQL.
_CREATION_LOCK: Final = 5_022_014


def connect(url: str) -> Engine:
    """An engine for the URL (or a plain path: SQLite), its tables there and of today's version.

    A ledger is checked when it is opened, and written to once, so that a run finds out before it sends
    anything. An earlier version is migrated, all of it or not at all.

    Raises:
        LedgerFailed: no such place, not a ledger, damaged, not writable, of a newer version.
    """
    try:
        parsed = make_url(url) if "://" in url else URL.create("sqlite", database=url)
        engine = create_engine(parsed, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise LedgerFailed(f"ledger: cannot use this URL ({type(error).__name__})") from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    try:
        _check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def place(engine: Engine) -> str:
    """Where the ledger is, without a password."""
    if engine.dialect.name == "sqlite":
        return engine.url.database or "in memory"
    return engine.url.render_as_string(hide_password=True)


def seal_of(engine: Engine) -> Seal:
    """The seal of a ledger's customers' data, by the environment or the key file beside it.

    Raises:
        BadInput: a key or a key file that cannot be used.
    """
    if engine.dialect.name != "sqlite":
        return seal_for(None, os.environ)
    database = engine.url.database or ""
    return seal_for("" if database == ":memory:" else database.removeprefix("file:"), os.environ)


def _prepare_sqlite(engine: Engine) -> None:
    """Durable at every commit, and one writer at a time from its first statement on."""

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours
        cursor = connection.cursor()
        for setting in (
            f"busy_timeout={BUSY_TIMEOUT}",
            "journal_mode=wal",
            "synchronous=full",
            "foreign_keys=on",
            "secure_delete=on",  # what is erased is overwritten, not only unlinked
        ):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes: all of it on disk on leaving, or nothing.

    Raises:
        LedgerFailed: what the database said, without any value.
    """
    with _failing_as_ledger(engine, "write"), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that only reads; a writer does not block it.

    Raises:
        LedgerFailed: what the database said, without any value.
    """
    with (
        _failing_as_ledger(engine, "read"),
        engine.connect().execution_options(reading=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _failing_as_ledger(engine: Engine, doing: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or type(error).__name__).strip()
        reason = (
            said.splitlines()[0] if said else type(error).__name__
        )  # PostgreSQL's next lines quote values
        if reason == "database is locked":
            reason = (
                f"another process has had it locked for {BUSY_TIMEOUT / 1000:g} s; nothing was sent since"
            )
        raise LedgerFailed(f"ledger {place(engine)}: cannot {doing}: {reason}") from None


def _check(engine: Engine) -> None:
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            verdict = connection.execute(text("PRAGMA quick_check(1)")).scalar()
            if verdict != "ok":
                raise LedgerFailed(f"ledger {place(engine)}: the file is damaged; restore it from a backup")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CREATION_LOCK})
        version = version_of(connection)
        if version == "":
            raise LedgerFailed(
                f"ledger {place(engine)}: this database is not a ledger (it holds other tables)"
            )
        if version in _EARLIER:
            migrate(connection)
            seal = seal_of(engine)
            if version is not None and seal.usable:
                reseal(connection, seal, all_of_it=False)
        elif version != HEAD:
            raise LedgerFailed(
                f"ledger {place(engine)}: its tables have version {version}; this program knows up to {HEAD}"
            )
        connection.execute(schema_version.update().values(version=int(HEAD)))  # proves that it can be written
