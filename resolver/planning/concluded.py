"""What columns conclude about a batch of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from resolver.planning.board import Board
    from resolver.planning.cells import Cells
    from resolver.planning.choice_columns import Choices
    from resolver.planning.fates import Fates, Survivor


@dataclass(frozen=True)
class Concluded:
    """All about the groups of one batch (rows of a GROUPS frame)."""

    groups: pl.DataFrame
    board: Board
    main_reason: pl.Series
    cells: Cells
    choices: Choices
    survivor: Survivor
    fates: Fates
