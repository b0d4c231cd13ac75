"""Which keys to ask next: breadth-first over every value found, none asked twice. Pure bookkeeping."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resolver.profiles.search_keys import SearchKey

#: One main key and four additional ones (service model, SearchProfiles).
KEYS_PER_SEARCH: Final = 5


def digest(key: SearchKey) -> bytes:
    """Eight bytes that stand for a normalised key: four million of them fit in memory, and hold no value.

    A collision would skip a key: about one chance in two million for four million keys.
    """
    name, value = key.normalised
    return blake2b(f"{name}\0{value}".encode(), digest_size=8).digest()


class Frontier:
    """Keys waiting to be asked, in the order found; a key known already, waiting or asked, is not added.

    Keys that can wait are asked when no other is left: those of profiles that are as an earlier export has
    them lead to news only where the news shares nothing with anything that is new itself.
    """

    def __init__(self, asked: Iterable[bytes] = ()) -> None:
        self._known = set(asked)
        self._waiting: deque[SearchKey] = deque()
        self._can_wait: deque[SearchKey] = deque()

    def add(self, keys: Iterable[SearchKey], *, can_wait: bool = False) -> None:
        """Let the keys wait, unless an equal one did."""
        queue = self._can_wait if can_wait else self._waiting
        for key in keys:
            mark = digest(key)
            if mark not in self._known:
                self._known.add(mark)
                queue.append(key)

    def take(self) -> tuple[SearchKey, ...]:
        """The next keys for one search, five at most; empty where none waits."""
        queue = self._waiting or self._can_wait
        size = min(KEYS_PER_SEARCH, len(queue))
        return tuple(queue.popleft() for _ in range(size))

    def __len__(self) -> int:
        return len(self._waiting) + len(self._can_wait)
