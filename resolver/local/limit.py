"""How far a transaction of the store may go."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Item = TypeVar("_Item")


class Unfinished(Exception):
    """A transaction reached its limit and was undone, or never began; nothing of it is there."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Limit:
    """When a transaction gives up: `is_over` is asked as it waits for the writer and now and then at work.

    `patience_seconds` is how long it waits for the writer at most, `steps` how much SQLite does (instructions
    of its machine, some 20 to 50 ns each) from one question to the next.
    """

    is_over: Callable[[], bool]
    patience_seconds: float = math.inf
    steps: int = 100_000

    def without_waiting(self) -> Limit:
        """The same limit for one that takes the writer only if it is free."""
        return replace(self, patience_seconds=0.0)

    def through(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """The items, as long as the limit is not reached: for loops that do not ask the store.

        Raises:
            Unfinished: it is.
        """
        for item in items:
            if self.is_over():
                raise Unfinished
            yield item


NO_LIMIT: Final = Limit(_never)
