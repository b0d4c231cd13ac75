"""Checkpoints: what is committed moves from SQLite's log into the file, beside the writer, not in its way.

SQLite by itself does it within the commit that finds the log full, which then waits for the disk: 50 ms and
more, every few hundred writes. Here a thread does nearly all of it while others write, and takes the writer's
turn only for the little that they added meanwhile: the log begins anew when all of it has been moved.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG: Final = logging.getLogger(__name__)
PAGES: Final = 8_000  # 32 MiB: a page that is written again and again reaches the file once
_FEW_PAGES: Final = 200  # moved in a millisecond or two
_ROUNDS: Final = 4  # of moving what was added during the round before


class _Connection(Protocol):
    """What the store's connections can do, as far as it is needed here."""

    def execute(self, sql: str, /) -> Any: ...

    def close(self) -> None: ...


class Checkpoints:
    """The checkpoints of one store; close them before its connections.

    Only a checkpoint tells how long the log is. Between them the rows that were written are counted, and the
    last one tells how many of them fill the log.
    """

    def __init__(self, connect: Callable[[], _Connection], turn: threading.RLock) -> None:
        self._connect = connect
        self._turn = turn  # to write; whoever has it is the only writer of this process
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._rows = 0  # written when the last one began
        self._enough = PAGES  # rows that fill the log: a page each, until better is known

    def after_commit(self, rows: int) -> None:
        """Begin one if it is time; ``rows`` were written since the store was opened.

        Called by the thread whose turn it is.
        """
        written = rows - self._rows
        if written < self._enough or self._is_closed or (self._thread and self._thread.is_alive()):
            return
        self._rows = rows
        self._thread = threading.Thread(target=self._run, args=(written,), name="resolver-local-checkpoint")
        self._thread.start()

    def close(self) -> None:
        """Begin none any more, and return when the one under way has ended."""
        with self._turn:
            self._is_closed = True
        if self._thread is not None:
            self._thread.join()

    def _run(self, written: int) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                in_log = self._move_all(connection)
        except Exception as problem:  # noqa: BLE001 - a full disk: SQLite does it at a later commit, or says so
            _LOG.warning("a checkpoint has to wait: %s", problem)
        else:
            self._enough = max(1, written * PAGES // max(in_log, 1))

    def _move_all(self, connection: _Connection) -> int:
        """Move all of the log, unless a reader still needs it; gives how many pages it had at first."""
        in_log = moved = _move(connection)
        for _ in range(_ROUNDS):
            before, moved = moved, _move(connection)
            if moved - before < _FEW_PAGES:
                break
        with self._turn:
            _move(connection)
        return in_log


def _move(connection: _Connection) -> int:
    """Move what no reader needs in the log; gives the log's pages, -1 while another process moves them."""
    _, in_log, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return in_log  # type: ignore[no-any-return]
