"""Time, memory and growth of `resolver match`, whole processes, medians.

usage: python benchmarks/bench_pipeline.py FILE [FILE ...] [--runs 3] [--rules FILE]

Each FILE is read as `resolver match` reads it: a file of make_profiles.py with its ``row_id`` renamed to
``profile_id``, or the same made dirty by damage.py. Files of rising size print the growth of the wall time as
an exponent (1 is linear). A column ``entity`` or ``entity_id`` is the truth: the engine never sees it,
only the scorer, which prints the pairwise F1 at the default threshold.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from resolver.matching.evaluation import score_clusters

TRUTH = ("entity_id", "entity")


@dataclass(frozen=True)
class Cost:
    """What one process took: wall and CPU seconds, peak resident MiB."""

    wall: float
    cpu: float
    peak: float


def timed(command: list[str]) -> Cost:
    """Run a command to its end, its output thrown away; it must succeed."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - given by us
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode} of {' '.join(command)}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        *(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "peak"))
    )


def match_command(file: Path, out: Path, rules: Path | None) -> list[str]:
    """`resolver match` of this environment."""
    command = [sys.executable, "-m", "resolver", "match", str(file), "--out", str(out), "--quiet"]
    return command + (["--rules", str(rules)] if rules else [])


def measured(file: Path, rules: Path | None, runs: int) -> tuple[Cost, dict[str, float], int, float]:
    """Medians over runs: the process, seconds by stage; profiles, and F1 (NaN without a truth)."""
    costs, stages = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        for _ in range(runs):
            costs.append(timed(match_command(file, out, rules)))
            report = json.loads((out / "match.json").read_text(encoding="utf-8"))
            seconds: dict[str, float] = {}
            for stage in report["stages"]:
                seconds[stage["stage"]] = seconds.get(stage["stage"], 0.0) + stage["seconds"]
            stages.append(seconds)
        f1 = truth_f1(file, pl.read_parquet(out / "clusters.parquet", columns=["profile_id", "cluster_id"]))
    by_stage = {name: statistics.median(run[name] for run in stages) for name in stages[0]}
    return median(costs), by_stage, report["profiles"], f1


def truth_f1(file: Path, clusters: pl.DataFrame) -> float:
    """Pairwise F1 where the file is Parquet and carries its truth."""
    there = [name for name in TRUTH if file.suffix == ".parquet" and name in pl.read_parquet_schema(file)]
    if not there:
        return math.nan
    truth = pl.read_parquet(file, columns=["profile_id", there[0]]).rename({there[0]: "entity_id"})
    return score_clusters(clusters, truth).f1


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rules", type=Path)
    given = parser.parse_args()
    print(
        f"{'file':24s} {'profiles':>10s} {'wall s':>7s} {'CPU s':>7s} {'MiB':>6s} {'F1':>7s} {'growth':>7s}"
    )
    table: list[tuple[str, dict[str, float]]] = []
    before: tuple[int, float] | None = None
    for file in given.files:
        cost, stages, profiles, f1 = measured(file, given.rules, given.runs)
        growth = math.nan
        if before and profiles > before[0]:
            growth = math.log(cost.wall / before[1]) / math.log(profiles / before[0])
        before = profiles, cost.wall
        print(f"{file.stem:24s} {profiles:10,d} {cost.wall:7.1f} {cost.cpu:7.1f} {cost.peak:6.0f} {f1:7.4f} "
              f"{growth:7.2f}", flush=True)  # fmt: skip
        stages["outside the stages"] = cost.wall - sum(stages.values())
        table.append((file.stem, stages))
    print(f"\n{'seconds by stage':24s}" + "".join(f"{name[:14]:>15s}" for name, _ in table))
    for stage in table[0][1]:
        print(f"{stage:24s}" + "".join(f"{stages.get(stage, math.nan):15.2f}" for _, stages in table))


if __name__ == "__main__":
    main()
