"""The two sides of many pairs, as every test of a comparison sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resolver.matching.values import Array, Values


@dataclass(frozen=True, slots=True)
class Sides:
    """Two codes per pair for each field of a comparison. In a comparison of one field all codes are known.

    ``distinct`` says that no two pairs are of the same values. ``notes`` hold what one test found out about
    every pair and another can use.
    """

    values: tuple[Values, ...]
    a: tuple[Array, ...]
    b: tuple[Array, ...]
    distinct: bool = False
    notes: dict[str, tuple[Array, ...]] = field(default_factory=dict)

    def take(self, which: Array) -> Sides:
        """The same for some of the pairs."""
        notes = {name: tuple(x[which] for x in found) for name, found in self.notes.items()}
        a, b = (tuple(x[which] for x in side) for side in (self.a, self.b))
        return Sides(self.values, a, b, self.distinct, notes)

    def first(self, many: int) -> Sides:
        """So many of the first."""
        a, b = (tuple(x[:many] for x in side) for side in (self.a, self.b))
        return Sides(self.values, a, b, self.distinct)

    def __len__(self) -> int:
        return len(self.a[0])
