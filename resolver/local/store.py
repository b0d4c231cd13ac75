"""The embedded service's memory: one SQLite file with one writer and readers that never wait.

A `Session` is one transaction. `Store.writing()` hands out one at a time and commits all of it or nothing;
`Store.reading()` gives a snapshot that no writer can hold up. The statements themselves are in `tables/`, one
module per resource; this module is the only one that knows which database they reach.

A connection belongs to one thread from the beginning of a transaction to its end, and whoever has it is the
only one that may close it. A few readers are kept for whoever comes next; no cursor outlives its session, so
nothing of one thread is left in a connection that another one takes.

An acknowledged write survives the death of the process at any moment (WAL, synchronous=NORMAL). Loss of power
may take the last transactions with it, never a part of one. `checkpoints` moves the log into the file.
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

from resolver.local.checkpoints import PAGES, Checkpoints
from resolver.local.limit import NO_LIMIT, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from resolver.local.limit import Limit

_SCHEMA_VERSION = 2
_MOST_PAGES_IN_LOG = 8 * PAGES  # only if a checkpoint fails: then a commit makes one
_CACHE_KIB = 65_536
_WRITERS_CACHE_KIB = 16_384  # SQLite may walk all of it at a commit
_BUSY_SECONDS = 30.0  # another process may load into the same file
_STEP_SECONDS = 0.01  # from one attempt to write to the next
_IDLE_READERS = 4  # more are closed when they are given back
_PRIMARY_CODE = 0xFF  # the rest of SQLite's error codes is detail


@dataclass(slots=True)
class Watch:
    """When the next thing in the file falls due (epoch seconds), never later than in truth."""

    earliest: float = math.inf


@dataclass(slots=True)
class Memo:
    """What was worked out from a state of the file and holds as long as nothing is written.

    ``writes`` counts this process's own; others write history records, at least.
    """

    writes: int = 0
    known: dict[Any, tuple[Any, Any]] = field(default_factory=dict)

    def of(self, name: Any, state: Any, work: Callable[[], Any]) -> Any:
        """The last result of that name, if it was worked out from this state, else a new one."""
        last = self.known.get(name)
        if last is None or last[0] != state:
            last = self.known[name] = (state, work())
        return last[1]


@dataclass(slots=True)
class Session:
    """One transaction: parameters are bound, rows come back as tuples."""

    connection: sqlite3.Connection
    token_secret: bytes
    watch: Watch
    memo: Memo
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

    def count(self, domain: int, delta: tuple[int, int, int]) -> None:
        """Add to a domain's profile count, object count and stored bytes; written once, at commit."""
        totals = self.stats.setdefault(domain, [0, 0, 0])
        for position, change in enumerate(delta):
            totals[position] += change

    @contextlib.contextmanager
    def in_bulk(self) -> Iterator[None]:
        """More memory for a write that touches pages all over the file, again and again."""
        self.connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        try:
            yield
        finally:
            self.connection.execute(f"PRAGMA cache_size = -{_WRITERS_CACHE_KIB}")

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
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._is_closed = False
        self._writer = self._connect()
        self._writer.execute(f"PRAGMA cache_size = -{_WRITERS_CACHE_KIB}")
        self._checkpoints = Checkpoints(self._connect, self._writer_lock)
        self.token_secret = self._prepare()
        self._writer.execute("PRAGMA busy_timeout = 0")  # from here on `_begin` does the waiting
        # Opening finds out what is due: the first request after it works off what fell due in the meantime.
        self.watch = Watch(-math.inf)
        self.memo = Memo()

    @classmethod
    def open(cls, path: Path | None) -> Store:
        """The memory in `path`, created if missing; None: a temporary one that goes with `close()`.

        Raises:
            OSError: it cannot be opened, or is not a database, or this SQLite is not made for threads.
        """
        if sqlite3.threadsafety == 0:
            raise OSError("this Python's SQLite is built for one thread only; the service needs several")
        if path is not None:
            try:
                return cls(path, None)
            except sqlite3.Error as error:
                raise OSError(f"{path} cannot be used as a database: {error}") from None
        folder = Path(tempfile.mkdtemp(prefix="resolver-local-"))
        return cls(folder / "domain.sqlite", folder)

    def close(self) -> None:
        """Close the file when the write under way is done; a read under way closes its own connection.

        A temporary file is removed.
        """
        self._checkpoints.close()
        with self._writer_lock, self._idle_lock:
            self._is_closed = True
            for connection in (self._writer, *self._idle):
                connection.close()
            self._idle.clear()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    @contextlib.contextmanager
    def writing(self, limit: Limit = NO_LIMIT) -> Iterator[Session]:
        """The one write transaction: committed whole when the block ends, undone whole when it raises.

        Raises:
            OSError: the file cannot be written, as on a full disk; nothing was.
            Unfinished: the limit was reached; nothing was written.
        """
        self._await_turn(limit)
        try:
            self._begin(limit)
            session = Session(self._writer, self.token_secret, self.watch, self.memo)
            try:
                _set_limit(self._writer, limit)
                yield session
                session.flush()
                _set_limit(self._writer, NO_LIMIT)
                self._writer.execute("COMMIT")
                self.memo.writes += 1
                self._checkpoints.after_commit(self._writer.total_changes)
            except BaseException as error:
                _set_limit(self._writer, NO_LIMIT)
                if self._writer.in_transaction:  # a full disk makes SQLite undo it by itself
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise self._meaning(error) from error
                raise
        finally:
            self._writer_lock.release()

    def is_free(self) -> bool:
        """Whether a write could begin at this moment."""
        try:
            with self.writing(NO_LIMIT.without_waiting()):
                return True
        except (Unfinished, OSError):
            return False

    @contextlib.contextmanager
    def reading(self, limit: Limit = NO_LIMIT) -> Iterator[Session]:
        """A consistent snapshot; never waits for a writer.

        Raises:
            Unfinished: the limit was reached.
        """
        connection = self._take_reader()
        try:
            _set_limit(connection, limit)
            connection.execute("BEGIN")
            yield Session(connection, self.token_secret, self.watch, self.memo)
        except sqlite3.OperationalError as error:
            if _is(error, sqlite3.SQLITE_INTERRUPT):
                raise Unfinished from error
            raise
        finally:
            _set_limit(connection, NO_LIMIT)
            if connection.in_transaction:
                connection.execute("COMMIT")
            self._give_back(connection)

    def _await_turn(self, limit: Limit) -> None:
        """Become the thread that writes."""
        if not self._writer_lock.acquire(blocking=limit is NO_LIMIT):
            deadline = time.monotonic() + limit.patience_seconds
            while not self._writer_lock.acquire(timeout=_STEP_SECONDS if limit.patience_seconds else 0):
                if limit.is_over() or time.monotonic() >= deadline:
                    raise Unfinished
        if self._is_closed:
            self._writer_lock.release()
            raise OSError(f"{self.path.name} is closed")

    def _begin(self, limit: Limit) -> None:
        """Begin a write transaction; waits for other processes."""
        begin = time.monotonic()
        while not self._try_begin():
            waited = time.monotonic() - begin
            if limit.is_over() or waited >= limit.patience_seconds:
                raise Unfinished
            if waited > _BUSY_SECONDS:
                raise TimeoutError(f"another process has been writing to {self.path.name} for too long")
            time.sleep(_STEP_SECONDS)

    def _try_begin(self) -> bool:
        """Begin a write transaction unless another process is in one."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is(error, sqlite3.SQLITE_BUSY):
                raise self._meaning(error) from error
            return False
        return True

    def _meaning(self, error: sqlite3.OperationalError) -> Exception:
        if _is(error, sqlite3.SQLITE_INTERRUPT):
            return Unfinished()
        return OSError(f"{self.path.name} cannot be written: {error}")

    def _take_reader(self) -> sqlite3.Connection:
        with self._idle_lock:
            if self._is_closed:
                raise OSError(f"{self.path.name} is closed")
            if self._idle:
                return self._idle.pop()  # the last one given back: it has seen the most
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._is_closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time, see above
            cached_statements=512,
        )
        synchronous = "NORMAL" if self._temporary is None else "OFF"  # nobody will open that file again
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            f"wal_autocheckpoint = {_MOST_PAGES_IN_LOG}",
            f"cache_size = -{_CACHE_KIB}",
            "temp_store = FILE",
        ):
            connection.execute(f"PRAGMA {pragma}")
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


def _set_limit(connection: sqlite3.Connection, limit: Limit) -> None:
    """Have SQLite ask now and then whether to go on: what it is told to leave ends with SQLITE_INTERRUPT."""
    connection.set_progress_handler(None if limit is NO_LIMIT else limit.is_over, limit.steps)


def _is(error: sqlite3.OperationalError, code: int) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE == code


def _statements(script: str) -> Iterator[str]:
    """Each statement of a script (executescript would commit the transaction it runs in)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
