"""The Spark engine beside the Polars one: the same answer or not, stage times, shuffle, pairs, CPU seconds.

usage: python benchmarks/bench_spark.py [--data DIR] [--only NAME ...] [--file FILE ...] [--master URL]
                                        [--memory 4g] [--always-block] [--skew]

DIR (or the environment variable RESOLVER_DATA) as for bench_quality.py; each FILE is any that `match` takes.
Files of which all pairs are compared have nothing for a cluster to do: --always-block blocks them, too, on
both engines. --skew generates a file with a phone on 200,000 profiles and a name on 50,000. CPU seconds are
those of this process and of the Java machine with its Python workers, right on a local master only; Spark
starts before they are counted. Files of rising size print the growth of CPU seconds, an exponent (1 is
linear). Exit code 1 where the partition differs or a match weight by more than 1e-9.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from bench_quality import read

from resolver.app.progress import Quiet, Stopwatch
from resolver.matching.linkage import Linkage, link_profiles
from resolver.matching.work import HERE
from resolver.model.frames import DECISIONS, empty
from resolver.profile_file import read_profiles
from resolver.rule_file import load_rules
from resolver.spark.checkpoints import Checkpoints, identity_of
from resolver.spark.cluster import OnCluster
from resolver.spark.session import session
from resolver.spark.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from resolver.matching.work import Work
    from resolver.model.rule_set import RuleSet

SHARED_PHONE, SHARED_NAME = 200_000, 50_000
AGAIN = 3
WITHIN = 1e-9  # bits
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """What one engine concluded and took: CPU and wall seconds."""

    linkage: Linkage
    stages: list[dict[str, object]]
    cpu: float
    wall: float

    @property
    def told(self) -> str:
        """Seconds by stage."""
        return ", ".join(f"{one['stage']} {one['seconds']}" for one in self.stages)


class Processes(threading.Thread):
    """CPU seconds of all processes under this one, those that have ended included (Linux).

    Looked at four times a second: Spark's Python processes come and go, and nobody waits for them.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._seen: dict[tuple[int, str], float] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Look until the program ends."""
        while True:
            self.look()
            time.sleep(0.25)

    def look(self) -> float:
        """Seconds so far."""
        stats = {}
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = file.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            stats[int(file.parent.name)] = int(fields[1]), fields[19], sum(map(int, fields[11:13])) / _TICKS
        under = {os.getpid()}
        while grown := {pid for pid, (of, *_) in stats.items() if of in under} - under:
            under |= grown
        with self._lock:
            for pid in under - {os.getpid()}:
                self._seen[pid, stats[pid][1]] = stats[pid][2]
            return sum(self._seen.values())


PROCESSES = Processes()


def own_cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def shuffled(log: Path) -> int:
    """Bytes written to shuffles so far, by Spark's event log."""
    total = 0
    for file in log.iterdir():
        for line in file.read_text(errors="ignore").splitlines():
            if line.startswith('{"Event":"SparkListenerTaskEnd"'):
                metrics = json.loads(line).get("Task Metrics") or {}
                total += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return total


def with_event_log(master: str, memory: str, log: Path) -> SparkSession:
    """A session that writes its event log there; ``memory`` is the Java machine's."""
    settings = {"enabled": "true", "dir": log.as_uri(), "compress": "false", "rolling.enabled": "false"}
    given = " ".join(f"--conf spark.eventLog.{name}={value}" for name, value in settings.items())
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {memory} {given} pyspark-shell"
    return session(master)


def linked(profiles: pl.DataFrame, rules: RuleSet, work: Work) -> Run:
    """One run."""
    watch = Stopwatch(Quiet())
    begin, since = own_cpu() + PROCESSES.look(), time.perf_counter()
    linkage = link_profiles(profiles, rules, empty(DECISIONS), watch.stage, work)
    cpu, wall = own_cpu() + PROCESSES.look() - begin, time.perf_counter() - since
    return Run(replace(linkage, answer=None), watch.stages, cpu, wall)


def same(one: Linkage, other: Linkage) -> bool:
    """Whether partition, pairs and bands are equal and weights within 1e-9."""
    if not one.clusters.drop("weakest_link").equals(other.clusters.drop("weakest_link")):
        return False
    if one.pairs.select("left", "right", "band").equals(other.pairs.select("left", "right", "band")):
        apart = (one.pairs["match_weight"] - other.pairs["match_weight"]).abs().max()
        return apart is None or float(apart) <= WITHIN  # type: ignore[arg-type]
    return False


def skewed() -> pl.DataFrame:
    """Profiles of which many share a phone, and many others a name; every fourth has a second profile."""
    count = 300_000
    row = pl.int_range(count, eager=True).alias("row")
    person = (row - (row % 4 == AGAIN).cast(pl.Int64)).alias("person")  # every fourth is the one before again
    return pl.DataFrame([row, person]).select(
        pl.format("p{}", "row").alias("profile_id"),
        pl.when(pl.col("row") >= count - SHARED_NAME)
        .then(pl.lit("Maria"))
        .otherwise(pl.format("Given{}", pl.col("person").hash(1) % 5000))
        .alias("first_name"),
        pl.when(pl.col("row") >= count - SHARED_NAME)
        .then(pl.lit("Garcia"))
        .otherwise(pl.format("Family{}", pl.col("person").hash(2) % 20_000))
        .alias("last_name"),
        pl.when(pl.col("row") < SHARED_PHONE)
        .then(pl.lit("+12025550100"))
        .otherwise(pl.format("+1303{}", pl.col("person").hash(3) % 8_000_000 + 2_000_000))
        .alias("phone_number"),
        pl.format("m{}@example.com", pl.col("person").hash(4) % 10_000_000).alias("email_address"),
    )


def sets(options: argparse.Namespace) -> Iterator[tuple[str, pl.DataFrame]]:
    """What is to be measured, by name."""
    if options.skew:
        yield "skew", skewed()
    for file in options.file:
        yield file.stem, read_profiles(file)
    if options.data and not (options.skew or options.file):
        for file in sorted(Path(options.data).glob("*.parquet")):
            if not options.only or file.stem in options.only:
                yield file.stem, read(file).profiles


def measured(spark: SparkSession, profiles: pl.DataFrame, rules: RuleSet) -> tuple[Run, Run]:
    """Both engines' runs, Spark's on stages of its own."""
    here = linked(profiles, rules, HERE)
    with tempfile.TemporaryDirectory() as directory:
        stages = Checkpoints(Store(spark, directory), identity_of(profiles, rules))
        return here, linked(profiles, rules, OnCluster(spark, stages))


def main() -> int:
    """Measure, print, tell whether all were the same."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("RESOLVER_DATA"))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--file", type=Path, nargs="+", default=[])
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--memory", default="4g")
    parser.add_argument("--always-block", action="store_true")
    parser.add_argument("--skew", action="store_true")
    options = parser.parse_args()
    rules = load_rules(None)
    if options.always_block:
        rules = rules.model_copy(
            update={"blocking": rules.blocking.model_copy(update={"all_pairs_up_to": 0})}
        )
    log, failed = Path(tempfile.mkdtemp()), 0
    PROCESSES.start()
    spark = with_event_log(options.master, options.memory, log)
    print(f"pyspark {spark.version}, {options.master}, load {os.getloadavg()[0]:.1f}")
    print("set                       profiles       pairs  same  cpu polars  cpu spark  ratio  shuffle MiB")
    before: tuple[int, Run, Run] | None = None
    for name, profiles in sets(options):
        moved = shuffled(log)
        here, there = measured(spark, profiles, rules)
        moved, equal = shuffled(log) - moved, same(here.linkage, there.linkage)
        failed += not equal
        pairs = here.linkage.diagnostics.get("candidate_pairs", 0)
        print(
            f"{name:24} {profiles.height:9,} {pairs:11,}  {'yes' if equal else 'NO':4} {here.cpu:10.1f} "
            f"{there.cpu:10.1f} {there.cpu / max(here.cpu, 0.01):6.2f} {moved / 2**20:12.1f}"
        )
        for engine, run in (("polars", here), ("spark", there)):
            each = 1e6 / max(pairs, 1)
            print(f"    {engine}: {run.cpu * each:.1f} CPU s per million pairs, {run.wall:.1f} s: {run.told}")
        if options.file and before is not None and before[0] < profiles.height:
            for engine, one, other in (("polars", before[1], here), ("spark", before[2], there)):
                steep = math.log(other.cpu / one.cpu) / math.log(profiles.height / before[0])
                print(f"    {engine}: CPU seconds grow with the power {steep:.2f} of the profiles")
        before = profiles.height, here, there
        sys.stdout.flush()
    print(f"{failed} sets differ" if failed else "all sets are the same", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
