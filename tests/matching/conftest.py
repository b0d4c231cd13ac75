"""Small files as columns, for tests of everything behind standardising."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from resolver.matching.columns import columns_of
from resolver.matching.standardisation import standardise
from resolver.model.frames import PROFILES
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from resolver.matching.columns import Column
    from resolver.model.rule_set import RuleSet


@pytest.fixture(scope="session")
def rules() -> RuleSet:
    return load_rules()


@pytest.fixture(scope="session")
def frame() -> Callable[[Sequence[dict]], pl.DataFrame]:
    """Rows to a PROFILES frame; ids p0, p1, … where none are given."""

    def build(rows: Sequence[dict]) -> pl.DataFrame:
        known = {name: PROFILES.columns[name] for row in rows for name in row if name in PROFILES.columns}
        named = [{"profile_id": f"p{i}", **row} for i, row in enumerate(rows)]
        return pl.DataFrame(named, schema={"profile_id": pl.String, **known})

    return build


@pytest.fixture(scope="session")
def columns(rules, frame) -> Callable[[Sequence[dict]], tuple[Column, ...]]:
    """Rows to the columns of the default rules, in the order of the rows."""

    def build(rows: Sequence[dict]) -> tuple[Column, ...]:
        return columns_of(rules, standardise(frame(rows), rules.reference, "US"))

    return build
