"""A year of the scheduled job on a made-up domain that grows, changes and is merged, one bad week included.

    python benchmarks/bench_weeks.py [--weeks 52] [--profiles 300] [--seed 11] [--json]

Every week new profiles arrive (some of customers who are there already), some change, and the job runs with
merging on; a reviewer who knows the truth answers everything it asks. In one week an import has emptied the
last names of two thirds of the profiles: the job runs, the import is mended, and it runs again. The embedded
service answers in this process; nothing leaves the machine.

A verdict a bar is printed at the end, and the exit code is 1 where one is missed: the bad week is held and
merges nothing, no other week is held, there are questions and none is asked twice while its profiles are
unchanged, there are clusters with a past and none loses its id without a cause, and the ledger grows in a
straight line (it explains 95 % of the sizes' variance at least, and no quarter grows at twice its slope).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl
from year_bars import bars_of

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.results import read_plans
from resolver.app.running import RunOptions, run_job
from resolver.ledger.ledger import open_ledger
from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.local.service import Service
from resolver.local.store import Store
from resolver.model.decision import Decision, Verdict
from resolver.profiles.domain import ConnectionSettings, Domain, connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.ledger.ledger import Ledger
    from resolver.local.sample.generator import Sample
    from resolver.model.merge_plan import MergePlan

DOMAIN = "weeks"
START = datetime(2026, 1, 5, 3, tzinfo=UTC)
CHANGES, BAD_WEEK, EMPTIED = 3, 20, 2 / 3
Question = frozenset[tuple[str, str]]


class Silent:
    """Progress goes nowhere."""

    def stage(self, name: str, facts: Mapping[str, object]) -> None:
        """Nothing."""

    def step(self, name: str, done: int, total: int | None) -> None:
        """Nothing."""


@dataclass
class Year:
    """The domain, who its profiles really are, and what has been seen so far."""

    domain: Domain
    store: Store
    sample: Sample
    random: Random
    out: Path
    ledger_url: str
    arriving: list[dict[str, Any]] = field(default_factory=list)
    here: list[str] = field(default_factory=list)
    asked: set[Question] = field(default_factory=set)
    asked_again: int = 0
    ids_lost: int = 0

    def arrive(self, count: int) -> None:
        """The next profiles come in."""
        news, self.arriving = self.arriving[:count], self.arriving[count:]
        load_profiles(self.store, DOMAIN, news)
        self.here += [profile["ProfileId"] for profile in news]

    def alive(self, ledger: Ledger) -> list[str]:
        """Profiles that no merge has taken away."""
        into = ledger.survivors(DOMAIN)
        return [profile_id for profile_id in self.here if profile_id not in into]

    def change(self, profile_ids: list[str], week: int) -> None:
        """Customers move."""
        for number, profile_id in enumerate(profile_ids):
            line = f"{week * 10 + number} Removal Road"
            self.update(profile_id, Address={"Address1": line, "City": "Springfield", "PostalCode": "62701"})

    def update(self, profile_id: str, **values: Any) -> None:
        """Write a profile as its source would."""
        self.domain.clients.read.update_profile(DomainName=DOMAIN, ProfileId=profile_id, **values)

    def last_names(self) -> dict[str, str]:
        """Profile id → last name, of those that have one now."""
        pages: dict[str, str] = {}
        ids = self.here
        for start in range(0, len(ids), 20):
            found = self.domain.clients.read.batch_get_profile(
                DomainName=DOMAIN, ProfileIds=ids[start : start + 20]
            )
            pages |= {p["ProfileId"]: p["LastName"] for p in found.get("Profiles", ()) if p.get("LastName")}
        return pages


def run_week(year: Year, name: str, at: datetime) -> dict[str, Any]:
    """One run of the job and its reviewer; the row of the table."""
    keys = year.out / "keys.csv"
    options = RunOptions(name, at, "job", year.out / name, keys, apply=True, objects="none")
    started = time.perf_counter()
    with open_ledger(year.ledger_url) as ledger:
        before = ledger.cluster_members(DOMAIN)
        report = run_job(year.domain, options, ledger, Silent())
        held = report["gate"]["state"] == "held"
        questions = [] if held else [p for p in read_plans(options.out) if p.band == "review"]
        again = note_questions(year, questions)
        approved = answer(year, ledger, questions, at)
        lost = 0 if held else count_lost(before, options.out)
        year.ids_lost += lost
    return {
        "week": name,
        "state": report["gate"]["state"],
        "profiles": report["profiles"]["found"],
        "ready": report["plans"]["merge"],
        "merged": (report["apply"] or {}).get("profiles_merged_away", 0),
        "asked": len(questions),
        "again": again,
        "approved": approved,
        **{change: report["lineage"][change] for change in ("new", "grown", "joined", "split", "kept")},
        "ids lost": lost,
        "ledger KiB": Path(year.ledger_url.removeprefix("sqlite:///")).stat().st_size // 1024,
        "seconds": round(time.perf_counter() - started, 1),
        "figures": sorted(breach["figure"] for breach in report["gate"]["breaches"]),
    }


def note_questions(year: Year, plans: list[MergePlan]) -> int:
    """Remember what was asked; how many of them had been asked before about the same unchanged profiles."""
    questions = [frozenset(plan.fingerprints.items()) for plan in plans]
    again = sum(question in year.asked for question in questions)
    year.asked.update(questions)
    year.asked_again += again
    return again


def answer(year: Year, ledger: Ledger, plans: list[MergePlan], at: datetime) -> int:
    """The reviewer's verdicts on every pair of every plan; plans of one customer are merged. How many."""
    truth = year.sample.truth
    made = [
        Decision(left, right, _verdict(truth[left] == truth[right]), "Ana", "", "", at)
        for plan in plans
        for left, right in combinations(sorted(plan.profile_ids), 2)
    ]
    ledger.record_decisions(DOMAIN, made)
    approved = [
        replace(plan, band="merge")
        for plan in plans
        if plan.steps and len({truth[i] for i in plan.profile_ids}) == 1
    ]
    if approved:
        run_id = f"approved-{at:%Y%m%d%H%M}"
        apply_plans(approved, year.domain, ledger, ApplyOptions(run_id, "Ana", lambda: datetime.now(UTC)))
    return len(approved)


def _verdict(same: bool) -> Verdict:  # noqa: FBT001 - a fact, not a flag
    return Verdict.MATCH if same else Verdict.NON_MATCH


def count_lost(before: pl.DataFrame, out: Path) -> int:
    """Clusters that hold the whole of their largest former clusters, and have none of their ids."""
    lineage = pl.read_parquet(out / "lineage.parquet").drop_nulls("cluster_id")
    names = dict(lineage.select("cluster_id", "persistent_id").iter_rows())
    cluster = dict(pl.read_parquet(out / "clusters.parquet").select("profile_id", "cluster_id").iter_rows())
    votes: dict[str, dict[str, int]] = {}
    for _, today, name, _ in before.iter_rows():
        if today in cluster:
            counted = votes.setdefault(cluster[today], {})
            counted[name] = counted.get(name, 0) + 1
    whole = {name for name in before["persistent_id"].unique() if sum(name in v for v in votes.values()) == 1}
    lost = 0
    for cluster_id, counted in votes.items():
        most = max(counted.values())
        best = {name for name, count in counted.items() if count == most}
        lost += best <= whole and names[cluster_id] not in best
    return lost


def simulate(weeks: int, profiles: int, seed: int) -> tuple[list[dict[str, Any]], Year]:
    """The rows of the table, week by week, and what was seen."""
    random = Random(seed)  # noqa: S311 - reproducible data is the point
    weekly = max(profiles // 60, 2)
    sample = make_sample(profiles + weekly * weeks, seed)
    folder = Path(tempfile.mkdtemp(prefix="weeks-"))
    store = Store.open(None)
    clients = connect(ConnectionSettings(region="us-east-1", calls_per_second=None, merges_per_second=None))
    for client in (clients.read, clients.merge):
        attach(client, Service(store))
    year = Year(
        Domain(DOMAIN, clients), store, sample, random, folder, f"sqlite:///{folder / 'ledger.sqlite'}"
    )
    year.arriving = random.sample(sample.profiles, len(sample.profiles))
    keys = pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row")
    keys.write_csv(folder / "keys.csv")
    year.arrive(profiles)
    rows = []
    for week in range(1, weeks + 1):
        at = START + timedelta(weeks=week)
        if week > 1:
            year.arrive(weekly)
            with open_ledger(year.ledger_url) as ledger:
                year.change(random.sample(year.alive(ledger), CHANGES), week)
        if week == min(BAD_WEEK, weeks):
            names = year.last_names()
            broken = random.sample(sorted(names), int(len(names) * EMPTIED))
            for profile_id in broken:
                year.update(profile_id, LastName="")
            rows.append(run_week(year, f"{week:02d}-bad", at))
            show(rows[-1])
            for profile_id in broken:
                year.update(profile_id, LastName=names[profile_id])
            at += timedelta(hours=6)
        rows.append(run_week(year, f"{week:02d}", at))
        show(rows[-1])
    store.close()
    return rows, year


def show(row: Mapping[str, Any]) -> None:
    """One line of the table; the header before the first week."""
    shown = {name: value for name, value in row.items() if name != "figures"}
    if row["week"] == "01":
        print("  ".join(f"{name:>{max(len(name), 6)}}" for name in shown), flush=True)
    text = "  ".join(f"{value!s:>{max(len(name), 6)}}" for name, value in shown.items())
    print(text + (f"  {', '.join(row['figures'])}" if row["figures"] else ""), flush=True)


def main() -> int:
    """Run the year and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--weeks", type=int, default=52, choices=range(2, 500), metavar="N")
    parser.add_argument("--profiles", type=int, default=300)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--json", action="store_true", help="the rows as JSON at the end")
    arguments = parser.parse_args()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ.setdefault(name, "none")  # requests are signed, and never leave this process
    rows, year = simulate(arguments.weeks, arguments.profiles, arguments.seed)
    bars = bars_of(rows, year.asked_again, year.ids_lost)
    print()
    for bar in bars:
        print(f"{'met' if bar.kept else 'MISSED':6}  {bar.name:36}{bar.seen}")
    if arguments.json:
        print(json.dumps(rows))
    return 0 if all(bar.kept for bar in bars) else 1


if __name__ == "__main__":
    raise SystemExit(main())
