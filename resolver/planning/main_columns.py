"""``choose_main`` for many groups at once, where members dispute nothing that cannot be steered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.model.profile import UNSTEERABLE
from resolver.planning.json_columns import spell
from resolver.planning.sheet import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.survivorship_policy import Survivorship
    from resolver.planning.cells import Column
    from resolver.planning.sheet import Ints, Seats, Sheet

_EQUAL: Final = 4


def choose_mains(
    columns: Sequence[Column], sheet: Sheet, seats: Seats, rules: Survivorship
) -> tuple[Ints, pl.Series]:
    """By group: the seat of the main profile, and the reason in words."""
    seen = np.where(sheet.seen_at == NEVER, 0, sheet.seen_at)[seats.row]
    standing = np.stack(
        [_lacking(columns, seats, rules), -sheet.objects[seats.row], -sheet.filled[seats.row], -seen]
    )
    ranked = np.lexsort((*standing[::-1], seats.group))
    best, second = ranked[seats.start], ranked[seats.start + 1]
    last = ranked[seats.start + seats.size - 1]
    criterion, text = _reasons(standing, best, second)
    other_criterion, other_text = _reasons(standing, best, last)
    both = pl.DataFrame(
        {
            "text": text,
            "other": other_text,
            "one": pl.Series((seats.size == 2) | (criterion == other_criterion)),  # noqa: PLR2004 - a pair
        }
    )
    told = pl.when("one").then("text").otherwise(pl.concat_str("other", pl.lit("; then "), "text"))
    return best, both.select(told).to_series()


def _lacking(columns: Sequence[Column], seats: Seats, rules: Survivorship) -> Ints:
    """By seat: disputed fields whose strategy is the main profile's value, and it has none."""
    lacking = np.zeros(len(seats.row), np.int64)
    for column in columns:
        if rules.strategy_of(column.field) in ("main", "never") and column.field not in UNSTEERABLE:
            lacking += column.disputed[seats.group]
            lacking[column.seat] -= column.disputed[seats.group[column.seat]]
    return lacking


def _reasons(standing: Ints, best: Ints, rest: Ints) -> tuple[Ints, pl.Series]:
    """The first criterion in which two seats differ, and the words for it."""
    one, other = standing[:, best], standing[:, rest]
    differs = one != other
    criterion = np.where(differs.any(axis=0), differs.argmax(axis=0), _EQUAL)
    groups = len(best)
    objects, filled = ((pl.Series(-one[n]), pl.Series(-other[n])) for n in (1, 2))
    days = pl.Series(-one[3]).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d")
    words = (
        "it fills the fields in which the main profile is trusted",
        ("it has more objects (", _text(objects[0]), " against ", _text(objects[1]), ")"),
        ("it fills more fields (", _text(filled[0]), " against ", _text(filled[1]), ")"),
        ("its data are newer (", days, ")"),
        "all else equal, its profile id is the smallest",
    )
    frame = pl.DataFrame(
        {"criterion": criterion}
        | {str(n): spell(w, groups) for n, w in enumerate(words) if not isinstance(w, str)}
    )
    criteria = pl.col("criterion")
    text = (
        pl.when(criteria == 0)
        .then(pl.lit(words[0]))
        .when(criteria == 1)
        .then(pl.col("1"))
        .when(criteria == 2)  # noqa: PLR2004 - the places of ``words``
        .then(pl.col("2"))
        .when(criteria == 3)  # noqa: PLR2004
        .then(pl.col("3"))
        .otherwise(pl.lit(words[_EQUAL]))
    )
    return criterion, frame.select(text).to_series()


def _text(numbers: pl.Series) -> pl.Series:
    return numbers.cast(pl.String)
