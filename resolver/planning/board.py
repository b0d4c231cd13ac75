"""What the steps of planning by columns share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from resolver.model.profile import SCALARS
from resolver.planning.likeness_columns import likenesses

if TYPE_CHECKING:
    import polars as pl

    from resolver.model.survivorship_policy import Survivorship
    from resolver.planning.cells import Column
    from resolver.planning.sheet import Ints, Seats, Sheet


@dataclass(frozen=True)
class Board:
    """Groups with their main profiles chosen: ``main`` is each group's main seat.

    ``search_keys``: whether displaced phones, e-mails and account numbers get a search key of their own.
    """

    sheet: Sheet
    seats: Seats
    columns: list[Column]
    main: Ints
    rules: Survivorship
    search_keys: bool
    _likenesses: dict[str, pl.Series] = field(default_factory=dict)

    def likenesses_of(self, name: str) -> pl.Series:
        """What each profile's value of a scalar member is like; made once, for groups share profiles."""
        if name not in self._likenesses:
            self._likenesses[name] = likenesses(name, self.sheet.profiles[SCALARS[name]])
        return self._likenesses[name]
