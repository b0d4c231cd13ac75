"""Planning time and memory: `python benchmarks/bench_planning.py [CLUSTERS]`.

With `FILE DIR [CLUSTERS]` after `resolver match FILE --out DIR`, this plans the clusters that the match wrote
(the first CLUSTERS of them) by the shipped rules, and sets the time beside match's own stages in
DIR/match.json; times of one machine and one hour only.

Synthetic clusters have 2 to 5 profiles (2.3 on average) with nine filled fields, of which some differ as
typing does; as many single profiles stand beside them. No match groups, no objects: what a file run has.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import Band
from resolver.model.section import Section
from resolver.model.survivorship_policy import Merging, Preservation, SecondOpinion, Survivorship
from resolver.planning.plan_table import plans_to_frame
from resolver.planning.plans import plan_merges
from resolver.profile_file import read_profiles
from resolver.rule_file import load_rules

if TYPE_CHECKING:
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


def main() -> None:
    """Print one line a stage."""
    arguments = sys.argv[1:]
    rules: PlanningRules = Rules()
    match_seconds = None
    if len(arguments) > 1:
        file, directory = map(Path, arguments[:2])
        first = int(arguments[2]) if arguments[2:] else None
        profiles, clusters = matched(file, directory, first)
        stages = json.loads((directory / "match.json").read_text())["stages"]
        match_seconds = None if first else sum(stage["seconds"] for stage in stages)
        rules = load_rules(None)
    else:
        profiles, clusters = synthetic(int(arguments[0]) if arguments else 150_000, seed=11)
    count = clusters.filter(pl.col("size") > 1)["cluster_id"].n_unique()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, busy = time.perf_counter(), time.thread_time()
    concluded = plan_merges(profiles, clusters, rules, DomainFacts())
    planned, busy = time.perf_counter(), time.thread_time() - busy
    frame = plans_to_frame(concluded.plans)
    framed = time.perf_counter()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    values = sum(len(plan.disposals) for plan in concluded.plans)
    print(
        f"{profiles.height:>9,} profiles  {count:,} clusters  {len(concluded.plans):,} plans  "
        f"{values:,} disposals"
    )
    print(
        f"{planned - started:>9.2f} s  plan_merges   {1e6 * (planned - started) / count:.0f} µs a cluster",
        end="",
    )
    print(f" ({1e6 * busy / count:.0f} of them busy)")
    print(f"{framed - planned:>9.2f} s  plans_to_frame ({frame.estimated_size('mb'):.0f} MB)")
    if match_seconds is not None:
        print(f"{match_seconds:>9.2f} s  match   planning is {(framed - started) / match_seconds:.0%} of it")
    print(f"{(after - before) / 1024:>9.0f} MiB more at the peak")


if __name__ == "__main__":
    main()
