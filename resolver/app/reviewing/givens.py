"""What a desk is given: a clock, a reader of profiles, lots that nobody chooses; and the piles it makes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.app.reviewing.patterns import Pattern
    from resolver.model.profile import Profile


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Now, in UTC."""
        ...


class Reader(Protocol):
    """Reads profiles as they are now; those that are gone are absent."""

    def __call__(self, profile_ids: Sequence[str], /) -> Mapping[str, Profile]:
        """The profiles that are there under exactly these ids."""
        ...


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pile:
    """One pattern of the queue with its clusters in the order of work."""

    pattern: Pattern
    cluster_ids: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def done(self) -> int:
        """How many are judged."""
        return len(self.cluster_ids) - len(self.left)


def drawn(*parts: str) -> float:
    """A number in [0, 1) that the same parts always draw."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
