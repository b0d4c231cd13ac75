"""What is missing for Spark is said in one line, before anything is done."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from resolver.errors import BadInput
from resolver.matching.blocking import Limits, largest_allowed, stop_beyond
from resolver.spark.session import session


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(BadInput, match=r"pip install 'resolver\[spark\]'"):
        session("local[1]")


def test_without_java_that_is_said(monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e '.[spark]'")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(BadInput, match="no Java runtime"):
        session("local[1]")


@pytest.mark.parametrize("budget", [0.0, 3.0, 50.0, float("inf")])
def test_counted_sizes_are_capped_as_the_blocks_themselves(budget):
    sizes = np.random.default_rng(3).integers(1, 12, 200)
    each, times = np.unique(sizes, return_counts=True)
    limits = Limits(9, budget, 40)
    allowed = largest_allowed(sizes, limits)
    assert largest_allowed(each, limits, times) == allowed
    said = []
    for known in ((sizes, "k", None), (each, "k", times)):
        try:
            stop_beyond(limits, *known)
        except BadInput as error:
            said.append(str(error))
    assert len(said) in {0, 2}
    assert len(set(said)) <= 1
    brought = sum(int(size) * (int(size) - 1) // 2 for size in sizes if size <= allowed)
    assert bool(said) == (brought > limits.most)
