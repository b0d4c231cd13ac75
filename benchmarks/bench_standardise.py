"""How long reading and standardising takes, tidy and dirty, each run in a process of its own.

usage: python benchmarks/bench_standardise.py TIDY.parquet [DIRTY.parquet] [--runs 3]

TIDY is a file of make_profiles.py with its ``row_id`` renamed to ``profile_id``; DIRTY is made by damage.py.
Prints medians: wall and CPU seconds of each stage, peak memory, and dirty ÷ tidy.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

RULES = Path(__file__).parents[1] / "rules" / "reference"


def measured(path: Path) -> dict[str, float]:
    """One run in this process: seconds of each stage and the peak in MiB."""
    start = time.perf_counter()
    from resolver.matching.standardisation import standardise  # noqa: PLC0415 - imports are part of the run
    from resolver.profile_file import read_profiles  # noqa: PLC0415
    from resolver.reference_file import load_reference  # noqa: PLC0415

    reference = load_reference(RULES)
    marks = [(start, 0.0), (time.perf_counter(), time.process_time())]
    profiles = read_profiles(path)
    marks.append((time.perf_counter(), time.process_time()))
    read_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    standardise(profiles, reference, None)
    marks.append((time.perf_counter(), time.process_time()))
    (_, _), (w0, c0), (w1, c1), (w2, c2) = marks
    return {
        "import s": w0 - start,
        "read s": w1 - w0,
        "read cpu": c1 - c0,
        "standardise s": w2 - w1,
        "standardise cpu": c2 - c1,
        "both s": w2 - w0,
        "both cpu": c2 - c0,
        "MiB after read": read_peak,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def medians(path: Path, runs: int) -> dict[str, float]:
    """Medians over runs in fresh processes."""
    command = [sys.executable, __file__, str(path), "--one"]
    rows = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(runs)]  # noqa: S603 - itself
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def main() -> None:
    """Read the arguments, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", action="store_true", help="one run, printed as JSON")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.files[0])))
        return
    columns = [medians(path, given.runs) for path in given.files]
    print(f"{'':18s}" + "".join(f"{path.stem:>12s}" for path in given.files))
    for key in columns[0]:
        ratio = f"   x {columns[1][key] / columns[0][key]:.2f}" if len(columns) > 1 else ""
        print(f"{key:18s}" + "".join(f"{column[key]:12.2f}" for column in columns) + ratio)


if __name__ == "__main__":
    main()
