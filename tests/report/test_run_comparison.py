from __future__ import annotations

import polars as pl
import pytest

from resolver.errors import BadFile
from resolver.model.frames import Band
from resolver.report.comparison import compare_runs, render_comparison


def write(directory, groups, pairs):
    directory.mkdir()
    rows = [(p, min(group), len(group)) for group in groups for p in group]
    pl.DataFrame(rows, schema=["profile_id", "cluster_id", "size"], orient="row").write_parquet(
        directory / "clusters.parquet"
    )
    schema = {
        "profile_id_left": pl.String,
        "profile_id_right": pl.String,
        "band": Band,
        "blocking_rule": pl.String,
    }
    pl.DataFrame(pairs, schema=schema, orient="row").write_parquet(directory / "pairs.parquet")
    return directory


def test_joined_split_bands_and_rules_are_counted_whichever_side_a_pair_was_written(tmp_path):
    a = write(
        tmp_path / "a",
        ["ab", "cd", "ef", "g"],
        [("a", "b", "merge", "phone"), ("d", "c", "review", "phone"), ("e", "f", "merge", "email")],
    )
    b = write(
        tmp_path / "b",
        ["abcd", "e", "f", "gh"],
        [("b", "a", "merge", "phone"), ("c", "d", "merge", "name"), ("a", "c", "review", "name")],
    )
    told = compare_runs(a, b)
    assert told["profiles"] == {"before": 7, "after": 8}
    assert told["clusters"] == {"new": 1, "joined": 1, "split": 2, "grown": 0, "kept": 0, "gone": 0}
    assert told["examples"] == {"joined": ["a"], "split": ["e", "f"]}
    assert told["bands_moved"] == {"absent → review": 1, "merge → absent": 1, "review → merge": 1}
    assert told["pairs_by_blocking_rule"] == {
        "email": {"before": 1, "after": 0},
        "name": {"before": 0, "after": 2},
        "phone": {"before": 2, "after": 1},
    }
    assert "review → merge: 1" in render_comparison(told)


def test_a_run_does_not_differ_from_itself(tmp_path):
    a = write(tmp_path / "a", ["ab", "c"], [("a", "b", "merge", "phone")])
    told = compare_runs(a, a)
    assert told["bands_moved"] == {}
    assert told["clusters"] == {"new": 0, "joined": 0, "split": 0, "grown": 0, "kept": 1, "gone": 0}


def test_a_directory_without_a_run_is_named(tmp_path):
    with pytest.raises(BadFile, match=r"clusters\.parquet: no table of a run there"):
        compare_runs(tmp_path, tmp_path)
