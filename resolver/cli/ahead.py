"""Work that begins before its result is asked for."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Ahead(Generic[T]):
    """A call that a thread of its own makes at once; ``take`` waits for it and gives its result, once.

    Unlike a future it holds the result no longer than until then: a file of profiles is large.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._thread = Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], T]) -> None:
        try:
            self._results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised where the result is taken
            self._errors.append(error)

    def take(self) -> T:
        """The result; raises what the call raised."""
        self._thread.join()
        if self._errors:
            raise self._errors.pop()
        return self._results.pop()
