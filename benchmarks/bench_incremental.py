"""How long an incremental run takes, against a full one: whole processes in turn, ratios of medians.

usage: python benchmarks/bench_incremental.py FILE [FILE ...] [--share 0.01] [--runs 3]

Each FILE is read as `resolver match` reads it: a file of make_profiles.py with its ``row_id`` renamed to
``profile_id``. A share of its profiles changes (seeded): a third is deleted, a third gets another's phone
number and birth date, and as many are new as were deleted (under new ids, with another's last name). The
changed file is resolved in full (`resolver match`), in full by the model of the first run (`--model`) and
incrementally (`--incremental`); the clusters and pairs of the last two must be the same.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from bench_pipeline import Cost, timed

_SEED = 20_261_127


def changed(profiles: pl.DataFrame, share: float) -> pl.DataFrame:
    """The file a while later."""
    draw = np.random.default_rng(_SEED)
    count = max(int(profiles.height * share / 3), 1)
    rows = draw.permutation(profiles.height)
    gone, edited = rows[:count], rows[count : 2 * count]
    source = np.arange(profiles.height)
    source[edited] = draw.integers(0, profiles.height, count)
    mixed = profiles.with_columns(
        profiles[name].gather(source) for name in ("PhoneNumber", "BirthDate") if name in profiles.columns
    )
    new = profiles[gone].with_columns(
        pl.Series("profile_id", [f"new-{k}" for k in range(count)]),
        profiles["LastName"].gather(draw.integers(0, profiles.height, count)),
    )
    kept = np.ones(profiles.height, bool)
    kept[gone] = False
    return pl.concat([mixed.filter(pl.Series(kept)), new])


def command(file: Path, out: Path, *options: str) -> list[str]:
    """`resolver match` of this environment."""
    return [sys.executable, "-m", "resolver", "match", str(file), "--out", str(out), "--quiet", *options]


def same(one: Path, other: Path) -> bool:
    """Whether two runs concluded the same."""
    return all(
        pl.read_parquet(one / name).equals(pl.read_parquet(other / name))
        for name in ("clusters.parquet", "pairs.parquet")
    )


def measure(file: Path, share: float, runs: int) -> bool:
    """Print the figures of one file; whether the answers were the same."""
    profiles = pl.read_parquet(file)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        later = work / "later.parquet"
        changed(profiles, share).write_parquet(later)
        height = profiles.height
        del profiles
        timed(command(file, work / "first", "--keep-state"))
        ways: dict[str, tuple[str, ...]] = {
            "full": (),
            "model": ("--model", str(work / "first")),
            "incremental": ("--incremental", str(work / "first")),
        }
        costs: dict[str, list[Cost]] = {way: [] for way in ways}
        for _ in range(runs):
            for way, options in ways.items():
                costs[way].append(timed(command(later, work / way, *options)))
        equal = same(work / "model", work / "incremental")
    wall = {way: statistics.median(cost.wall for cost in own) for way, own in costs.items()}
    cpu = {way: statistics.median(cost.cpu for cost in own) for way, own in costs.items()}
    print(
        f"{height:>10,}  {share:6.2%}  {wall['full']:8.2f}  {wall['model']:8.2f}  {wall['incremental']:8.2f}"
        f"  {wall['incremental'] / wall['full']:6.1%}  {cpu['incremental'] / cpu['full']:6.1%}  {equal}",
        flush=True,
    )
    return equal


def main() -> int:
    """Measure every file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    print("  profiles  changed   full, s  model, s   incr., s   ratio  of CPU  same answer")
    return 0 if min([measure(file, asked.share, asked.runs) for file in asked.files]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
