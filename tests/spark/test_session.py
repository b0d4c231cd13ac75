"""What is missing for Spark is said in one line, before anything is done."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from resolver.errors import BadInput
from resolver.matching.blocking import Limits, largest_allowed, stop_beyond
from resolver.spark.session import on_this_machine, session
from resolver.spark.store import address_of


def test_without_pyspark_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(BadInput, match=r"pip install 'resolver\[spark\]'"):
        session("local[1]")


def test_without_java_that_is_said(monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install -e '.[spark]'")
    sql = pytest.importorskip("pyspark.sql")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", lambda: None)  # other tests' may be there
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


@pytest.mark.parametrize(
    ("master", "settings", "here"),
    [
        (None, {}, True),
        ("local[2]", {"SPARK_HOME": "/usr/lib/spark"}, True),
        ("spark://head:7077", {}, False),
        (None, {"SPARK_HOME": "/usr/lib/spark"}, False),
        (None, {"PYSPARK_GATEWAY_PORT": "4040"}, False),
    ],
)
def test_only_this_machine_s_own_executors_are_kept_to_loopback(monkeypatch, master, settings, here):
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert on_this_machine(master) is here


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("s3a://bucket/matched/", "s3a://bucket/matched"),
        ("s3://bucket", "s3://bucket"),
        ("/srv/run 1/", "file:///srv/run 1"),
        ("file:///srv/run", "file:///srv/run"),
    ],
)
def test_a_path_is_an_address_of_this_machine_and_addresses_stay(place, address):
    assert address_of(place) == address
