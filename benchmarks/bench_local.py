"""What the embedded service can bear: bulk load, search as the domain grows, calls a second through boto3.

Run `python benchmarks/bench_local.py [--profiles 1000000] [--seconds 1]`; every figure stands beside its bar.
The profiles come from a seeded generator; nothing leaves the machine and nothing stays on disk.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from local_rates import bench_in_process, bench_rates, percentile
from local_servers import client_of

from resolver.local import server
from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED = 0.1  # of the phones belong to an earlier profile too
GIVEN = "Ana Ben Carla Dmitri Elif Farid Greta Hana Ivo Jun Kemal Lucia Mats Nora Omar Paula".split()
FAMILY = "Ruiz Novak Okafor Larsen Tanaka Moreau Silva Kowalski Haddad Jansen Costa Weber".split()


def make_profiles(count: int) -> Iterator[dict[str, Any]]:
    """Seeded profiles with account, name, e-mail, phone and address."""
    random = Random(7)  # noqa: S311 - reproducible data is the point
    for number in range(count):
        given, family = random.choice(GIVEN), random.choice(FAMILY)
        owner = random.randrange(number + 1) if random.random() < SHARED else number
        yield {
            "ProfileId": f"{number:032x}",
            "AccountNumber": f"A{number:08d}",
            "FirstName": given,
            "LastName": f"{family}{number % 9973}",
            "EmailAddress": f"{given}.{family}.{number}@example.com",
            "PhoneNumber": f"+1 ({200 + owner % 700}) {200 + owner // 700 % 700}-{owner // 490000:04d}",
            "Address": {
                "Address1": f"{number % 900} Main Street",
                "City": "Springfield",
                "PostalCode": "62701",
            },
        }


def time_calls(call: Callable[[int], object], count: int) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for number in range(count):
        begin = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def bench_load(count: int, folder: Path) -> tuple[Store, float]:
    """Load a fresh file; prints the rate and the peak memory of this process."""
    store = Store.open(folder / f"{count}.sqlite")
    begin, work = time.perf_counter(), time.process_time()
    load_profiles(store, "bench", make_profiles(count))
    seconds, work = time.perf_counter() - begin, time.process_time() - work
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rates = f"{seconds:7.1f} s ({work:.1f} s of CPU)  {count / seconds:9,.0f}/s  peak {peak:6,.0f} MiB"
    print(f"bulk load  {count:>9,} profiles  {rates}", flush=True)
    return store, seconds


def bench_search(store: Store, count: int) -> float:
    """Search by e-mail, phone and account through boto3 on a port; returns p99 in milliseconds."""
    random = Random(11)  # noqa: S311 - reproducible data is the point
    wanted = [random.randrange(count) for _ in range(1500)]
    profiles = {n: profile for n, profile in enumerate(make_profiles(count)) if n in set(wanted)}
    with server.running(Service(store)) as endpoint_url:
        client = client_of(endpoint_url)
        keys = (("_email", "EmailAddress"), ("_phone", "PhoneNumber"), ("_account", "AccountNumber"))

        def search(number: int) -> None:
            key, field = keys[number % 3]
            value = profiles[wanted[number % len(wanted)]][field]
            client.search_profiles(DomainName="bench", KeyName=key, Values=[value])

        time_calls(search, 200)
        taken = time_calls(search, 1500)
    p50, p99 = percentile(taken, 50), percentile(taken, 99)
    print(f"search     {count:>9,} profiles  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms", flush=True)
    return p99


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        p99 = {}
        for count in sorted({1000, min(100_000, options.profiles), options.profiles}):
            store, _ = bench_load(count, folder)
            p99[count] = bench_search(store, count)
            store.close()
        largest, smallest = max(p99), min(p99)
        print(f"p99 at {largest:,} / p99 at {smallest:,} = {p99[largest] / p99[smallest]:.2f} (bar 3.00)")
        print("bars of the load: 90 s and 2,048 MiB for 1,000,000 profiles")
        middle = min(100_000, options.profiles)
        bench_rates(folder / f"{middle}.sqlite", middle, options.seconds)
        bench_in_process(folder / f"{middle}.sqlite", middle, options.seconds)


if __name__ == "__main__":
    main()
