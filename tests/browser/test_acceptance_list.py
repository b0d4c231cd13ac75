"""Every numbered acceptance check of the specification has its test."""

from __future__ import annotations

import re
from pathlib import Path

CHECKS = range(1, 36)


def test_no_acceptance_check_is_without_a_test():
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for numbers in re.findall(
            r"^@pytest\.mark\.acceptance\(([\d, ]+)\)$", path.read_text(), re.MULTILINE
        ):
            found.update(map(int, numbers.split(",")))
    assert sorted(found) == list(CHECKS)
