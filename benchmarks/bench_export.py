"""What an export reaches, costs and survives, on the embedded service over HTTP; how fast snapshots are read.

    python benchmarks/bench_export.py [--profiles 100000] [--share 0.01] [--kills 0] [--seed 7]
    python benchmarks/bench_export.py --snapshot [--profiles 1000000]

The first exports a made-up domain from the account numbers of a share of its profiles, in a process of its
own, and compares what came out with what hangs together by any searchable value, computed here from the file
with neither the exporter's nor the service's code. With --kills it exports once more, killed so often at
random moments, and compares the bytes. The second reads one snapshot as CSV and as JSON lines. Nothing leaves
the machine; files go to a temporary directory.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import phonenumbers
import polars as pl

from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DOMAIN = "bench"
PHONES = ("PhoneNumber", "MobilePhoneNumber", "HomePhoneNumber", "BusinessPhoneNumber")
EMAILS = ("EmailAddress", "PersonalEmailAddress", "BusinessEmailAddress")
ROUNDING = 1e-12
LONGEST = 255  # characters of a value that SearchProfiles takes
RESOLVER = (sys.executable, "-m", "resolver")
Value = tuple[str, str]


def values_of(profile: dict[str, Any]) -> Iterator[Value]:
    """Everything by which a profile can be found, equal where AWS documents it to be."""
    if "AccountNumber" in profile:
        yield "account", profile["AccountNumber"]
    for field in EMAILS:
        if field in profile:
            yield "email", profile[field].strip().casefold()
    for field in PHONES:
        if field in profile:
            yield "phone", phone(profile[field])
    name = " ".join(profile[part] for part in ("FirstName", "MiddleName", "LastName") if part in profile)
    if name and len(name) <= LONGEST:
        yield "name", " ".join(name.casefold().split())


def phone(text: str) -> str:
    """E.164 as a number of the United States where it can be one, else its digits, else the text."""
    digits = "".join(c for c in text if c.isdigit())
    if not digits:
        return text.strip().casefold()
    try:
        number = phonenumbers.parse(("+" if text.lstrip().startswith("+") else "") + digits, "US")
    except phonenumbers.NumberParseException:
        return digits
    return (
        f"+{number.country_code}{number.national_number}"
        if phonenumbers.is_possible_number(number)
        else digits
    )


def connected(profiles: Sequence[dict[str, Any]], accounts: Sequence[str]) -> tuple[set[str], int]:
    """The ids of profiles that hang together with the accounts, and how many distinct values those have."""
    values = {p["ProfileId"]: set(values_of(p)) for p in profiles}
    holders: defaultdict[Value, list[str]] = defaultdict(list)
    for profile_id, held in values.items():
        for value in held:
            holders[value].append(profile_id)
    waiting: list[Value] = [("account", account) for account in accounts]
    asked = set(waiting)
    reached: set[str] = set()
    while waiting:
        for profile_id in holders.get(waiting.pop(), ()):
            if profile_id not in reached:
                reached.add(profile_id)
                waiting += values[profile_id] - asked
                asked |= values[profile_id]
    return reached, len(asked)


@contextmanager
def serving(data: Path) -> Iterator[str]:
    """The service in a process of its own; gives its URL."""
    command = [*RESOLVER, "local", "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            yield (process.stdout.readline() if process.stdout else "").split()[-1]
        finally:
            process.terminate()


def start_export(url: str, keys: Path, out: Path) -> subprocess.Popen[bytes]:
    """`resolver export` under way."""
    command = [
        *RESOLVER, "export", "--domain", DOMAIN, "--endpoint-url", url, "--keys", str(keys),
        "--out", str(out), "--calls-per-second", "0", "--json", "--quiet",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def finish(process: subprocess.Popen[bytes]) -> float:
    """Wait for its end; its peak memory in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"an export ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def bench_export(folder: Path, options: argparse.Namespace) -> None:
    """Export, check against the graph, and with --kills export again."""
    profiles = make_sample(options.profiles, options.seed).profiles
    store = Store.open(folder / "service.sqlite")
    load_profiles(store, DOMAIN, profiles)
    store.close()
    accounts = [p["AccountNumber"] for p in profiles if "AccountNumber" in p]
    seeds = Random(options.seed).sample(accounts, max(1, int(len(accounts) * options.share)))  # noqa: S311 - seeded
    keys = folder / "keys.csv"
    with keys.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("key_name", "value"), *(("_account", seed) for seed in seeds)])
    reachable, values = connected(profiles, seeds)
    print(f"Domain: {len(profiles):,} profiles, {len(accounts):,} with an account; {len(seeds):,} seeds")
    with serving(folder / "service.sqlite") as url:
        out = folder / "whole" / "profiles.parquet"
        out.parent.mkdir()
        begin = time.perf_counter()
        peak = finish(start_export(url, keys, out))
        seconds = time.perf_counter() - begin
        judge(out, reachable, values, len(profiles))
        print(f"  {'peak memory':<28}{peak:,.0f} MiB (bar: 500)")
        print(f"  {'seconds':<28}{seconds:,.0f}")
        if options.kills:
            kill_often(url, keys, (folder, out, seconds), options)


def judge(out: Path, reachable: set[str], values: int, there: int) -> None:
    """Print what came out beside what should have."""
    report = json.loads(out.with_name("profiles.export.json").read_text(encoding="utf-8"))
    ids = pl.read_parquet(out)["profile_id"].to_list()
    missing, beyond = len(reachable - set(ids)), len(set(ids) - reachable)
    verdict = "exact" if abs(report["completeness"] - len(set(ids)) / there) < ROUNDING else "WRONG"
    twice = sum(count > 1 for count in Counter(ids).values())
    calls = sum(report["calls"].values())
    rows = {
        "found": f"{len(ids):,} of {len(reachable):,} connected to a seed (bar: all)",
        "missing, beyond, twice": f"{missing}, {beyond}, {twice} (bar: 0)",
        "completeness reported": f"{report['completeness']:.6f}; {verdict} (bar: exact)",
        "calls": f"{calls:,} = {calls / len(ids):.3f} a profile found (bar: 0.8)",
        "  what bounds it": f"{values:,} distinct values ÷ 5 a call ÷ profiles = {values / 5 / len(ids):.3f}",
        "  by operation": ", ".join(f"{name} {count:,}" for name, count in report["calls"].items()),
    }
    for name, text in rows.items():
        print(f"  {name:<28}{text}")
    if set(ids) != reachable or twice or verdict == "WRONG":
        raise SystemExit("the export is not what hangs together with the seeds")


def kill_often(url: str, keys: Path, whole: tuple[Path, Path, float], options: argparse.Namespace) -> None:
    """Export again, killed at random moments, until it is through; the bytes must be those of the first."""
    folder, first, seconds = whole
    out = folder / "killed" / "profiles.parquet"
    out.parent.mkdir()
    random = Random(options.seed)  # noqa: S311 - seeded
    killed = 0
    while killed < options.kills:
        process = start_export(url, keys, out)
        try:
            process.wait(1.5 + random.random() * seconds / options.kills)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        if out.exists():
            break
    finish(start_export(url, keys, out))
    same = out.read_bytes() == first.read_bytes()
    print(f"Killed {killed} times: {'byte-identical' if same else 'DIFFERENT'} (bar: identical)")
    if not same or killed < options.kills:
        raise SystemExit("the export was not killed often enough, or ended otherwise")


def write_snapshots(folder: Path, count: int) -> None:
    """The same profiles as CSV, nested members as JSON in their cells, and as JSON lines."""
    random = Random(7)  # noqa: S311 - seeded
    names = (
        "ProfileId",
        "AccountNumber",
        "FirstName",
        "LastName",
        "EmailAddress",
        "PhoneNumber",
        "BirthDate",
    )
    nested = ("Address", "ShippingAddress", "Attributes")
    with (
        (folder / "snapshot.jsonl").open("w", encoding="utf-8") as lines,
        (folder / "snapshot.csv").open("w", encoding="utf-8", newline="") as table,
    ):
        rows = csv.writer(table)
        rows.writerow([*names, *nested])
        for n in range(count):
            given, family = random.choice(("Ana", "Bén", "Ünal", "奈緒")), f"Ruiz{n % 9973}"
            texts = (
                f"{n:032x}",
                f"A{n}",
                given,
                family,
                f"{given}.{n}@example.com",
                f"+1 206 {n % 10**7:07}",
            )
            profile: dict[str, Any] = dict(zip(names, (*texts, f"{n % 90 + 1910}-01-02"), strict=True))
            street = f'{n % 900} "Old" Main St' if n % 50 == 0 else f"{n % 900} Main St"
            profile["Address"] = {"Address1": street, "City": "Springfield", "PostalCode": "62701"}
            if n % 10 == 0:
                profile["ShippingAddress"] = {"City": "Oslo", "Country": "NO"}
            profile["Attributes"] = {
                "tier": random.choice(("gold", "silver")),
                "loyalty": f"L{n}",
                f"k{n % 40}": "x",
            }
            lines.write(json.dumps(profile, ensure_ascii=False) + "\n")
            cells = [json.dumps(profile[m], ensure_ascii=False) if m in profile else "" for m in nested]
            rows.writerow([*(profile[name] for name in names), *cells])


READING = """
import json, resource, sys, time
from resolver.snapshot_file import SnapshotSource, read_snapshot
begin = time.perf_counter()
frame = read_snapshot(SnapshotSource(sys.argv[1]))
seconds = time.perf_counter() - begin
usage = resource.getrusage(resource.RUSAGE_SELF)
frame.write_parquet(sys.argv[2])
print(json.dumps([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""


def bench_snapshots(folder: Path, count: int) -> None:
    """Read both, each in a process of its own."""
    write_snapshots(folder, count)
    frames = []
    for kind in ("csv", "jsonl"):
        path, out = folder / f"snapshot.{kind}", folder / f"{kind}.parquet"
        size = path.stat().st_size / 2**20
        command = [sys.executable, "-c", READING, str(path), str(out)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own
        seconds, work, peak = json.loads(told)
        frames.append(pl.read_parquet(out))
        print(
            f"{kind:<6} {frames[-1].height:,} profiles, {size:,.0f} MiB: {seconds:.1f} s (bar: 20), "
            f"{work:.1f} s of processor, {peak:,.0f} MiB; {os.getloadavg()[0]:.1f} busy on {os.cpu_count()}"
        )
    same = frames[0].equals(frames[1]) and frames[0].height == count
    print(f"both give the same PROFILES frame: {'yes' if same else 'NO'}")
    if not same:
        raise SystemExit("the two snapshots differ")


def main() -> None:
    """Parse, make a temporary directory, run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", type=int)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--snapshot", action="store_true")
    options = parser.parse_args()
    options.profiles = options.profiles or (1_000_000 if options.snapshot else 100_000)
    with tempfile.TemporaryDirectory() as name:
        if options.snapshot:
            bench_snapshots(Path(name), options.profiles)
        else:
            bench_export(Path(name), options)


if __name__ == "__main__":
    main()
