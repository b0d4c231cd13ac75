"""Planning time and memory: `python benchmarks/bench_plans.py [CLUSTERS]`.

With `FILE DIR [CLUSTERS]` after `resolver match FILE --out DIR`, this plans the clusters that the match wrote
(the first CLUSTERS of them) by the shipped rules. With `--match` it runs that match again first, in a process
of its own, and sets the wall and the CPU time of both side by side: ratios of one run, on one machine.

Synthetic clusters have 2 to 5 profiles (2.3 on average) with nine filled fields, of which some differ as
typing does; as many single profiles stand beside them. No match groups, no objects: what a file run has.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import Band
from resolver.model.section import Section
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
from resolver.planning import plan_columns, plans
from resolver.profile_file import read_profiles
from resolver.rule_file import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.planning.group_plan import PlanningRules

MISSING = 0.12
DIFFERENT = MISSING + 0.08


class Rules(Section):
    """The planning part of a rule set, as shipped."""

    survivorship: Survivorship = Survivorship(
        protected=("BirthDate",), fields={"BirthDate": "most_frequent", "PhoneNumber": "valid_first"}
    )
    merging: Merging = Merging()
    second_opinion: SecondOpinion = SecondOpinion()
    preservation: Preservation = Preservation()
    default_region: str | None = "US"
    fingerprint: str = "bench"


def synthetic(clusters: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """PROFILES and CLUSTERS frames of that many clusters of several, and as many single profiles."""
    rng = random.Random(seed)  # noqa: S311 - seeded on purpose
    rows: list[dict[str, Any]] = []
    groups: list[tuple[str, str, int]] = []
    for number in range(2 * clusters):
        size = 1 if number % 2 else rng.choices((2, 3, 4, 5), (78, 15, 5, 2))[0]
        person = {
            "first_name": f"Name{rng.randrange(3000)}",
            "last_name": f"Family{rng.randrange(50_000)}",
            "birth_date": f"19{rng.randrange(40, 99)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
            "phone_number": f"+1206{rng.randrange(10**7):07d}",
            "mobile_phone_number": f"+1425{rng.randrange(10**7):07d}",
            "email_address": f"mail{rng.randrange(10**7)}@example.io",
            "account_number": f"A{rng.randrange(10**8)}",
            "gender": rng.choice(("MALE", "FEMALE")),
        }
        home = {
            "address1": f"{rng.randrange(999)} Main St",
            "city": f"Town{rng.randrange(900)}",
            "postal_code": "98101",
        }
        ids = [f"{rng.getrandbits(128):032x}" for _ in range(size)]
        for profile_id in ids:
            row: dict[str, Any] = {"profile_id": profile_id, "address": dict(home)}
            for name, value in person.items():
                luck = rng.random()
                row[name] = None if luck < MISSING else value + "x" if luck < DIFFERENT else value
            rows.append(row)
            groups.append((ids[0], profile_id, size))
    frame = pl.DataFrame(groups, schema=["cluster_id", "profile_id", "size"], orient="row").with_columns(
        pl.col("size").cast(pl.UInt32),
        core_id="cluster_id",
        weakest_link=pl.lit(9.0),
        contested=pl.lit(value=False),
        band=pl.when(pl.col("size") > 1).then(pl.lit("merge")).otherwise(pl.lit("distinct")).cast(Band),
    )
    return pl.DataFrame(rows), frame


def matched(file: Path, directory: Path, first: int | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """PROFILES and CLUSTERS frames of a file and its match, of the first clusters of several."""
    profiles, clusters = read_profiles(file), pl.read_parquet(directory / "clusters.parquet")
    if first is not None:
        chosen = clusters.filter(pl.col("size") > 1)["cluster_id"].unique().sort().head(first)
        clusters = clusters.filter(pl.col("cluster_id").is_in(chosen.implode()))
        profiles = profiles.join(clusters.select("profile_id"), on="profile_id", how="semi")
    return profiles, clusters


#: What is timed: module, function, how the table calls it. A stage's time is without that of stages in it.
STAGES = (
    (plans, "check_ids", "check the frames"),
    (plans, "group_clusters", "clusters to groups"),
    (plans, "_rows_of", "find the members"),
    (plan_columns, "make_sheet", "values, fingerprints, dates"),
    (plan_columns, "columns_of", "which fields conflict"),
    (plan_columns, "choose_mains", "main profiles"),
    (plan_columns, "cells_of", "values that conflict"),
    (plan_columns, "choose_all", "choices"),
    (plan_columns, "dispose_all", "where values go"),
    (plan_columns, "write_texts", "texts and ids"),
    (plan_columns, "_table", "table"),
    (plan_columns, "_field_choices", "field choices"),
    (plans, "plan_group", "one by one"),
)


def timed_stages() -> dict[str, float]:
    """Seconds by stage, counted from now on."""
    seconds = dict.fromkeys((label for *_, label in STAGES), 0.0)

    def wrap(function: Callable[..., Any], label: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            result = function(*arguments, **named)
            seconds[label] += time.perf_counter() - start
            return result

        return timed

    for module, name, label in STAGES:
        setattr(module, name, wrap(getattr(module, name), label))
    return seconds


def match_again(file: Path, directory: Path) -> tuple[float, float]:
    """Wall and CPU seconds of `resolver match` on the file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "resolver", "match", str(file), "--out", str(directory), "--quiet"]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    arguments = [a for a in sys.argv[1:] if a != "--match"]
    rules: PlanningRules = Rules()
    match = None
    if len(arguments) > 1:
        file, directory = map(Path, arguments[:2])
        match = match_again(file, directory) if "--match" in sys.argv else None
        profiles, clusters = matched(file, directory, int(arguments[2]) if arguments[2:] else None)
        rules = load_rules(None)
    else:
        profiles, clusters = synthetic(int(arguments[0]) if arguments else 150_000, seed=11)
    count = clusters.filter(pl.col("size") > 1)["cluster_id"].n_unique()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stages = timed_stages()
    started, busy = time.perf_counter(), time.process_time()
    concluded = plans.plan_merges(profiles, clusters, rules, DomainFacts())
    wall, busy = time.perf_counter() - started, time.process_time() - busy
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = concluded.table
    print(f"{profiles.height:>9,} profiles  {count:,} clusters  {table.height:,} plans", end="  ")
    print(f"({table.estimated_size('mb'):.0f} MB)  {concluded.field_choices.height:,} field choices")
    for label, seconds in stages.items():
        print(f"{seconds:>9.2f} s  {label}")
    print(f"{wall - sum(stages.values()):>9.2f} s  all else")
    print(f"{wall:>9.2f} s  planning   {1e6 * wall / count:.0f} µs a cluster, {busy:.1f} s of CPU")
    if match is not None:
        print(f"{match[0]:>9.2f} s  match      {match[1]:.1f} s of CPU")
        print(f"planning takes {wall / match[0]:.0%} of match's wall, {busy / match[1]:.0%} of its CPU time")
    print(f"{(after - before) / 1024:>9.0f} MiB more at the peak")


if __name__ == "__main__":
    main()
