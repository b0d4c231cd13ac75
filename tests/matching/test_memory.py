from __future__ import annotations

import platform

import numpy as np

from resolver.matching.comparison import compare
from resolver.matching.frequency import first_counts
from resolver.matching.memory import give_back, worth_giving_back


def test_only_large_files_leave_something_worth_giving_back() -> None:
    assert not worth_giving_back(10)
    assert not give_back(10)
    if platform.libc_ver()[0] == "glibc":
        assert isinstance(give_back(10_000_000), bool)


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
