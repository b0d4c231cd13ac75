"""The comparison with other tools: what they are given, what is made of their answers, and a small run."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import polars as pl
import pytest

from resolver.local.sample.generator import make_sample

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
RIVALS = ROOT / ".venv" / "rivals" / "bin" / "python"
FEW = 600


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("bench_rivals")


@pytest.fixture
def records(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS / "rivals"))
    return importlib.import_module("records")


@pytest.fixture
def labelled(tmp_path):
    sample = make_sample(FEW, 20)
    rows = [
        {
            "profile_id": one["ProfileId"],
            **{
                name: one.get(name)
                for name in ("FirstName", "LastName", "PhoneNumber", "EmailAddress", "BirthDate")
            },
            "PostalCode": one.get("Address", {}).get("PostalCode"),
            "entity_id": sample.truth[one["ProfileId"]],
        }
        for one in sample.profiles
    ]
    file = tmp_path / "sample.parquet"
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(file)
    return file


def asked(python, limit=120.0):
    return argparse.Namespace(python=str(python), limit=limit)


def made_up(bench, monkeypatch, tmp_path, body):
    """A rival that is a script of ours."""
    (tmp_path / "rivals").mkdir()
    (tmp_path / "rivals" / "made_up.py").write_text(
        f"import sys, time\nimport polars as pl\n{body}\n", encoding="utf-8"
    )
    monkeypatch.setattr(bench, "HERE", tmp_path)
    monkeypatch.setitem(bench.RIVALS, "made up", "made_up")


def test_records_are_cleaned_and_columns_that_hardly_anyone_has_are_left_out(records):
    flat = pl.DataFrame(
        {
            "profile_id": [str(number) for number in range(100)],
            "FirstName": ["  ANA  maria "] * 99 + [""],
            "MiddleName": ["b"] * 4 + [None] * 96,
            "PhoneNumber": [None] * 50 + ["+1 (206) 555-0100"] * 50,
            "MobilePhoneNumber": ["2065550199"] * 100,
        }
    )
    clean = records.cleaned(flat)
    assert clean.columns == ["profile_id", "first", "phone"]
    assert clean["first"].to_list() == ["ana maria"] * 99 + [None]
    assert clean["phone"].to_list() == ["2065550199"] * 50 + ["12065550100"] * 50


def test_pairs_become_clusters_and_who_is_in_no_pair_stays_alone(records):
    found = records.components(["a", "b", "c", "d", "e"], [("a", "b"), ("c", "b")])
    groups = found.group_by("cluster_id").agg(pl.col("profile_id").sort())["profile_id"].to_list()
    assert sorted(groups) == [["a", "b", "c"], ["d"], ["e"]]


def test_a_rival_is_scored_against_the_truth(bench, monkeypatch, tmp_path, labelled):
    perfect = (
        "pl.read_parquet(sys.argv[1]).select('profile_id', cluster_id='entity_id').write_parquet(sys.argv[2])"
    )
    made_up(bench, monkeypatch, tmp_path, perfect)
    found = bench.theirs("made up", labelled, tmp_path, asked(sys.executable))
    assert (found.f1, found.problem) == (1.0, "")
    assert found.cost.wall > 0
    assert found.cost.peak > 1


def test_a_rival_that_fails_is_printed_with_its_reason_and_counts_as_nothing(
    bench, monkeypatch, tmp_path, labelled
):
    made_up(bench, monkeypatch, tmp_path, "raise ValueError('no such luck')")
    failed = bench.theirs("made up", labelled, tmp_path, asked(sys.executable))
    fine = bench.Outcome("resolver", "sample", bench.Cost(1.0, 1.0, 100.0), f1=0.9)
    text = bench.tables([fine, failed])
    assert "| sample | 0.900 | – |" in text
    assert "| **mean** | 0.900 | 0.000 |" in text
    assert "- made up on sample: ValueError: no such luck" in text


def test_beside_the_sets_that_have_one_stands_what_splink_made_by_hand_reaches(bench):
    known = bench.Outcome("resolver", "restaurants", bench.Cost(1.0, 1.0, 100.0), f1=0.9)
    text = bench.tables([known, bench.Outcome("resolver", "sample", bench.Cost(1.0, 1.0, 100.0), f1=0.8)])
    assert "| restaurants | 0.900 | 0.925 |" in text
    assert "| sample | 0.800 |  |" in text
    assert "| **mean** | 0.850 | 0.925 |" in text
    assert text.count("Splink by hand") == 1


def test_a_rival_that_does_not_end_is_stopped_and_printed_so(bench, monkeypatch, tmp_path, labelled):
    made_up(bench, monkeypatch, tmp_path, "time.sleep(60)")
    found = bench.theirs("made up", labelled, tmp_path, asked(sys.executable, limit=1.0))
    assert found.problem == "> 1 s"
    assert found.cost.wall < 30


def test_tables_stand_between_their_markers_and_nothing_else_changes(bench):
    readme = f"before\n{bench.BEGIN}\nold\n{bench.END}\nafter\n"
    assert bench.written(readme, "new") == f"before\n{bench.BEGIN}\nnew\n{bench.END}\nafter\n"
    for broken in ("nothing", f"{bench.END} {bench.BEGIN}", bench.BEGIN):
        with pytest.raises(ValueError, match="must stand there"):
            bench.written(broken, "new")


def test_the_readme_has_a_place_for_the_tables_and_every_rival_has_its_file(bench):
    assert bench.written(bench.README.read_text(encoding="utf-8"), "x")
    files = {file.stem for file in (BENCHMARKS / "rivals").glob("*.py")} - {"records"}
    assert files == set(bench.RIVALS.values())


def test_on_the_sample_resolver_is_at_least_as_right_as_splink(bench, tmp_path, labelled, record_property):
    if not RIVALS.exists():
        pytest.skip("the rivals are not installed (`make rivals`)")
    own = bench.ours(labelled, tmp_path, asked(RIVALS))
    other = bench.theirs("Splink", labelled, tmp_path, asked(RIVALS))
    wall, peak = own.cost.wall / other.cost.wall, own.cost.peak / other.cost.peak
    scores = f"F1 {own.f1:.3f} / {other.f1:.3f}"
    told = f"resolver / Splink on {FEW} profiles: {scores}, ratio of wall {wall:.2f}, of memory {peak:.2f}"
    record_property("told", told)
    assert not own.problem
    assert not other.problem
    assert own.f1 >= other.f1
