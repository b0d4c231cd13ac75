"""Threads for what the event loop must not wait for, in kinds: no read waits for a write."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Literal

from resolver.local.limit import Limit, Unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from resolver.local.wire import HttpResponse

Kind = Literal["read", "write", "job"]
#: There is one writer; jobs compute long and write at the end.
_THREADS: Final[Mapping[Kind, int]] = {"read": 4, "write": 1, "job": 1}


class Workers:
    """The threads of one server; close them when it has stopped."""

    def __init__(self) -> None:
        self._pools = {
            kind: ThreadPoolExecutor(threads, thread_name_prefix=f"resolver-local-{kind}")
            for kind, threads in _THREADS.items()
        }
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._limit = Limit(self._over.is_set)

    async def run(self, kind: Kind, work: Callable[[Limit], HttpResponse]) -> HttpResponse:
        """Have a thread do it, once it is free.

        Raises:
            Unfinished: the server stopped before it was begun, or gave up on it; nothing was done.
        """

        def begun() -> HttpResponse:
            if self._stopping.is_set():
                raise Unfinished
            return work(self._limit)

        return await asyncio.get_running_loop().run_in_executor(self._pools[kind], begun)

    def stop(self) -> None:
        """Begin nothing any more; what is under way goes on."""
        self._stopping.set()

    def give_up(self) -> None:
        """Undo what is under way, as soon as it asks."""
        self._over.set()

    def close(self) -> None:
        """Give up and return when the threads are gone: they need the store."""
        self.stop()
        self.give_up()
        for pool in self._pools.values():
            pool.shutdown()
