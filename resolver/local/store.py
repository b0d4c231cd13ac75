"""The embedded service's memory: one SQLite file with one writer and readers that never wait.

A `Session` is one transaction. `Store.writing()` hands out one at a time and commits all of it or nothing;
`Store.reading()` gives each thread a snapshot of its own that no writer can hold up. The statements
themselves are in `tables/`, one module per resource; this module is the only one that knows which database
they reach.

An acknowledged write survives the death of the process at any moment (WAL, synchronous=NORMAL). Loss of power
may take the last transactions with it, never a part of one.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import shutil
import sqlite3
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SCHEMA_VERSION = 2
_CHECKPOINT_PAGES = 8_000  # 32 MiB: a page that is written again and again reaches the file once
_BUSY_SECONDS = 30.0  # another process may load into the same file
_BUSY_STEP_SECONDS = 0.01
_PRIMARY_CODE = 0xFF  # the rest of SQLite's error codes is detail


@dataclass(slots=True)
class Watch:
    """When the next thing in the file falls due (epoch seconds), never later than in truth."""

    earliest: float = math.inf


@dataclass(slots=True)
class Session:
    """One transaction: parameters are bound, rows come back as tuples."""

    connection: sqlite3.Connection
    token_secret: bytes
    watch: Watch
    stats: dict[int, list[int]] = field(default_factory=dict)

    def run(self, sql: str, *values: Any) -> int:
        """Execute one statement; returns the number of rows it changed."""
        return self.connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Insert one row; returns its seq."""
        seq = self.connection.execute(sql, values).lastrowid
        return seq or 0

    def many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute one statement for every row."""
        self.connection.executemany(sql, rows)

    def one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        row: tuple[Any, ...] | None = self.connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.connection.execute(sql, values).fetchall()

    def each(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Rows one by one, for tables that should not be held in memory."""
        return self.connection.execute(sql, values)

    def count(self, domain: int, delta: tuple[int, int, int]) -> None:
        """Add to a domain's profile count, object count and stored bytes; written once, at commit."""
        totals = self.stats.setdefault(domain, [0, 0, 0])
        for position, change in enumerate(delta):
            totals[position] += change

    def flush(self) -> None:
        """Write the counts gathered so far."""
        for domain, (profiles, objects, size) in self.stats.items():
            self.run(
                "UPDATE domain SET profile_count = profile_count + ?, object_count = object_count + ?,"
                " total_size = total_size + ? WHERE seq = ?",
                *(profiles, objects, size, domain),
            )
        self.stats.clear()


class Store:
    """Open with `Store.open`; close when done."""

    def __init__(self, path: Path, temporary: Path | None) -> None:
        self.path = path
        self._temporary = temporary
        self._writer_lock = threading.RLock()
        self._reserved = False  # whether the writer's transaction has begun for a `writing()` to come
        self._readers = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._writer = self._connect()
        if temporary is not None:
            self._writer.execute("PRAGMA synchronous = OFF")  # nobody will open this file again
        self.token_secret = self._prepare()
        self._writer.execute("PRAGMA busy_timeout = 0")  # from here on `_begin` does the waiting
        # Opening finds out what is due: the first request after it works off what fell due in the meantime.
        self.watch = Watch(-math.inf)

    @classmethod
    def open(cls, path: Path | None) -> Store:
        """The memory in `path`, created if missing; None: a temporary one that goes with `close()`.

        Raises:
            OSError: it cannot be opened, or is not a database.
        """
        if path is not None:
            try:
                return cls(path, None)
            except sqlite3.Error as error:
                raise OSError(f"{path} cannot be used as a database: {error}") from None
        folder = Path(tempfile.mkdtemp(prefix="resolver-local-"))
        return cls(folder / "domain.sqlite", folder)

    def close(self) -> None:
        """Close every connection; a temporary file is removed."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """The one write transaction: committed whole when the block ends, undone whole when it raises.

        Raises:
            OSError: the file cannot be written, as on a full disk; nothing was.
        """
        with self._writer_lock:
            self._begin()
            session = Session(self._writer, self.token_secret, self.watch)
            try:
                yield session
                session.flush()
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:  # a full disk makes SQLite undo it by itself
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise self._unwritable(error) from error
                raise

    @contextlib.contextmanager
    def reserved(self) -> Iterator[bool]:
        """Whether the next `writing()` inside the block, on this thread, need not wait for anybody."""
        if not self._writer_lock.acquire(blocking=False):
            yield False
            return
        try:
            with contextlib.suppress(OSError):  # `writing()` will tell
                self._reserved = self._try_begin()
            yield self._reserved
        finally:
            if self._reserved:  # and never used
                self._writer.execute("ROLLBACK")
                self._reserved = False
            self._writer_lock.release()

    def _begin(self) -> None:
        """Begin a write transaction, or go on with the reserved one; waits for other processes."""
        if self._reserved:
            self._reserved = False
            return
        deadline = time.monotonic() + _BUSY_SECONDS
        while not self._try_begin():
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process has been writing to {self.path.name} for too long")
            time.sleep(_BUSY_STEP_SECONDS)

    def _try_begin(self) -> bool:
        """Begin a write transaction unless another process is in one."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                raise self._unwritable(error) from error
            return False
        return True

    def _unwritable(self, error: sqlite3.OperationalError) -> OSError:
        return OSError(f"{self.path.name} cannot be written: {error}")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent snapshot; never waits for a writer."""
        connection = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._readers.connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        try:
            yield Session(connection, self.token_secret, self.watch)
        finally:
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
            "cache_size = -65536",
            "temp_store = FILE",
        ):
            connection.execute(f"PRAGMA {pragma}")
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _prepare(self) -> bytes:
        """Create the tables of a new file; returns the secret that signs this file's page tokens."""
        writer = self._writer
        writer.execute("BEGIN IMMEDIATE")
        version = writer.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            schema = (Path(__file__).with_name("schema.sql")).read_text(encoding="utf-8")
            for statement in _statements(schema):
                writer.execute(statement)
            writer.execute("INSERT INTO meta VALUES ('token_secret', ?)", (secrets.token_hex(32),))
            writer.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        writer.execute("COMMIT")
        if version not in (0, _SCHEMA_VERSION):
            raise OSError(
                f"{self.path.name} has schema version {version}; this program knows {_SCHEMA_VERSION}"
            )
        secret = writer.execute("SELECT value FROM meta WHERE name = 'token_secret'").fetchone()[0]
        return bytes.fromhex(secret)


def _statements(script: str) -> Iterator[str]:
    """Each statement of a script (executescript would commit the transaction it runs in)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
