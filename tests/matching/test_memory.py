from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import numpy as np

from resolver.matching import memory
from resolver.matching.comparison import compare
from resolver.matching.frequency import first_counts
from resolver.matching.memory import give_back, worth_giving_back

if TYPE_CHECKING:
    import pytest


def test_only_large_files_leave_something_worth_giving_back(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(memory, "_trim", lambda: lambda kept: told.append(kept) or 1)
    assert not worth_giving_back(10)
    assert not give_back(10)
    assert not told
    assert give_back(10_000_000)
    assert told == [0]


def test_glibc_is_asked_and_others_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (memory._trim() is not None) is (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(memory, "_trim", lambda: None)
    assert not give_back(10_000_000)


def test_tables_that_were_forgotten_are_made_again(columns) -> None:
    names = ["Anna", "Ana", "Robert", "Bob", "Catherine", "Katherine"]
    rows = [{"first_name": name, "email_address": f"{name}.roe@example.com"} for name in names]
    made = columns(rows)
    bins = [np.minimum(first_counts(column), 5).astype(np.uint8) for column in made]
    left, right = np.triu_indices(len(rows), 1)
    before = compare(made, bins, (left, right))
    assert any("_spelled" in values.__dict__ for column in made for values in column.values)
    for column in made:
        column.forget_tables()
    assert not any("_spelled" in values.__dict__ for column in made for values in column.values)
    assert np.array_equal(compare(made, bins, (left, right)), before)
