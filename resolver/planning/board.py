"""What the steps of planning by columns share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
