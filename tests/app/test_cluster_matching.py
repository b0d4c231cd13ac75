"""Profiles that Spark reads: fetched, matched and put back as `match` would have on files here."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from resolver.app.matching import MatchOptions, match_profiles
from resolver.app.progress import Quiet, Stopwatch
from resolver.profile_file import read_profiles
from resolver.spark.session import java_there

ROOT = Path(__file__).parents[2]
MISSING = [name for name in ("pyspark", "pyarrow", "pandas") if importlib.util.find_spec(name) is None]
MISSING += [] if java_there() else ["java"]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the Spark engine needs {', '.join(MISSING)}")

PROFILES = pl.DataFrame(
    {
        "profile_id": [f"p{k}" for k in range(60)],
        "FirstName": [f"Given{chr(97 + k // 2 % 26)}" for k in range(60)],
        "LastName": [f"Family{chr(97 + k // 2 % 26)}{'x' * (k // 2)}" for k in range(60)],
        "EmailAddress": [f"m{k // 2}@example.com" for k in range(60)],
    }
)


def blocked_rules(directory: Path) -> Path:
    """The default rules, for which no file is too small to be blocked."""
    shutil.copytree(ROOT / "rules", directory)
    rules = directory / "default.toml"
    text, times = re.subn(r"(?m)^all_pairs_up_to = \d+", "all_pairs_up_to = 0", rules.read_text())
    assert times == 1
    rules.write_text(text)
    return rules


def test_the_job_reads_a_directory_and_writes_what_match_writes(tmp_path):
    parts, rules, out = tmp_path / "profiles in", blocked_rules(tmp_path / "rules"), tmp_path / "out"
    parts.mkdir()
    PROFILES.head(25).write_parquet(parts / "part-0.parquet")
    PROFILES.tail(35).write_parquet(parts / "part-1.parquet")
    (parts / "_SUCCESS").touch()
    PROFILES.write_parquet(tmp_path / "whole.parquet")
    whole = tmp_path / "whole.parquet"
    here = match_profiles(
        lambda: read_profiles(whole), MatchOptions(tmp_path / "here", rules), Stopwatch(Quiet())
    )
    script = [sys.executable, ROOT / "deploy/spark_job.py", "--JOB_NAME", "resolver-match"]
    given = ["--source", f"file://{parts}/", "--out", f"file://{out}", "--rules", rules]
    env = {**os.environ, "SPARK_CONF_DIR": str(tmp_path)}
    (tmp_path / "spark-defaults.conf").write_text("spark.master local[1]\nspark.sql.shuffle.partitions 2\n")
    done = subprocess.run([*script, *given], env=env, capture_output=True, text=True, check=False)  # noqa: S603 # our own
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pairs"] == here["pairs"]
    for name in ("clusters.parquet", "pairs.parquet"):
        assert pl.read_parquet(out / name).equals(pl.read_parquet(tmp_path / "here" / name))
    assert {"match.json", "parameters.json", "stages"} <= {file.name for file in out.iterdir()}
    assert (out / "stages/evidence.json").is_file()
