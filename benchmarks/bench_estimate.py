"""What `resolver estimate` says, against what `resolver match` then takes.

usage: python benchmarks/bench_estimate.py FILE [FILE ...] [--sample N]

Each FILE is read as `resolver match` reads it. Prints candidate pairs, wall seconds of the whole process and
peak memory, estimated and actual, and what the estimate itself took. Other work on the machine makes the
actual wall time longer than estimated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_pipeline import Cost, match_command, timed


def estimated(file: Path, sample: int) -> tuple[dict[str, Any], float]:
    """What the command says, and how long it takes to say it."""
    command = [
        sys.executable,
        "-m",
        "resolver",
        "estimate",
        str(file),
        "--sample",
        str(sample),
        "--json",
        "-q",
    ]
    begin = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - given by us
    return json.loads(told.stdout), time.perf_counter() - begin


def actual(file: Path) -> tuple[dict[str, Any], Cost]:
    """The content of match.json and what the process took."""
    with tempfile.TemporaryDirectory() as folder:
        cost = timed(match_command(file, Path(folder), None))
        return json.loads((Path(folder) / "match.json").read_text(encoding="utf-8")), cost


def main() -> None:
    """One line per file and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=100_000)
    asked = parser.parse_args()
    print("  profiles  figure            estimated        actual  estimated / actual")
    for file in asked.files:
        told, took = estimated(file, asked.sample)
        report, cost = actual(file)
        pairs = report["blocking"]["candidate_pairs"]
        figures = (
            ("candidate pairs", told["candidate_pairs"], pairs),
            ("seconds", told["seconds"], cost.wall),
            ("peak MiB", told["peak_mib"], cost.peak),
        )
        for name, one, other in figures:
            print(f"{told['profiles']:>10,}  {name:<16}{one:>12,.1f}  {other:>12,.1f}  {one / other:>18.2f}")
        print(f"{'':>10}  the estimate took {took:.1f} s", flush=True)


if __name__ == "__main__":
    main()
