"""What the embedded service can bear: bulk load, search as the domain grows, calls a second through boto3.

Run `python benchmarks/bench_local.py [--profiles 1000000] [--seconds 3]`; every figure stands beside its bar.
The profiles come from a seeded generator; nothing leaves the machine and nothing stays on disk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import uvicorn
from botocore.config import Config

from resolver.local import server
from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED = 0.1  # of the phones belong to an earlier profile too
GIVEN = (
    "Ana",
    "Ben",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Greta",
    "Hana",
    "Ivo",
    "Jun",
    "Kemal",
    "Lucia",
    "Mats",
    "Nora",
    "Omar",
    "Paula",
)
FAMILY = (
    "Ruiz",
    "Novak",
    "Okafor",
    "Larsen",
    "Tanaka",
    "Moreau",
    "Silva",
    "Kowalski",
    "Haddad",
    "Jansen",
    "Costa",
    "Weber",
)


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


def client_of(endpoint_url: str) -> Any:
    """A boto3 client that sends once."""
    return boto3.client(
        "customer-profiles",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106 - any credentials will do
        config=Config(retries={"total_max_attempts": 1}),
    )


def time_calls(call: Callable[[int], object], count: int) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for number in range(count):
        begin = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - begin) * 1000)
    return taken


def percentile(values: list[float], percent: int) -> float:
    """The value that this share of values does not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def bench_load(count: int, folder: Path) -> tuple[Store, float]:
    """Load a fresh file; prints the rate and the peak memory of this process."""
    store = Store.open(folder / f"{count}.sqlite")
    begin = time.perf_counter()
    load_profiles(store, "bench", make_profiles(count))
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rates = f"{seconds:7.1f} s  {count / seconds:9,.0f}/s  peak {peak:6,.0f} MiB"
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


async def empty_handler(_scope: Any, receive: Any, send: Any) -> None:
    """The least that a server can do: what the service's call rate is measured against."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


def serve_in_process(path: str | None, port: int) -> None:
    """The server process of the call-rate measurements; without a path the empty handler."""
    if path is not None:
        server.serve(Service(Store.open(Path(path))), port)
        return
    listener = server.listen(port)
    config = uvicorn.Config(
        empty_handler, lifespan="off", log_level="warning", http="httptools", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def calls_for(seconds: float, endpoint_url: str, kind: str) -> int:
    """How many calls one client process gets answered."""
    client = client_of(endpoint_url)
    random = Random(f"{kind}{time.time_ns()}")  # noqa: S311 - distinct per process is the point
    profiles = [client.create_profile(DomainName="bench", FirstName="Ana").get("ProfileId") for _ in range(2)]
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: client.create_profile(
            DomainName="bench", FirstName="Ana", PhoneNumber="2065550100"
        ),
        "search": lambda: client.search_profiles(
            DomainName="bench", KeyName="_account", Values=[f"A{random.randrange(1000):08d}"]
        ),
        "batch-get": lambda: client.batch_get_profile(
            DomainName="bench", ProfileIds=[f"{random.randrange(1000):032x}" for _ in range(20)]
        ),
        "merge": lambda: _merge(client, profiles[0]),
    }
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        calls[kind]()
        count += 2 if kind == "merge" else 1
    return count


def _merge(client: Any, main: str) -> None:
    """One create and one merge: two calls."""
    merged = client.create_profile(DomainName="bench", FirstName="Ana")["ProfileId"]
    client.merge_profiles(DomainName="bench", MainProfileId=main, ProfileIdsToBeMerged=[merged])


def rate(context: Any, target: tuple[str, str], clients: int, seconds: float) -> float:
    """Calls a second of some client processes together; `target` is (endpoint, kind of call)."""
    with context.Pool(clients) as pool:
        counts = pool.starmap(calls_for, [(seconds, *target)] * clients)
    return sum(counts) / seconds


def bench_rates(path: Path, seconds: float) -> None:
    """Calls a second by kind, one client and four, with the service in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with server.listen(0) as probe, server.listen(0) as other:
        ports = probe.getsockname()[1], other.getsockname()[1]
    servers = [
        context.Process(target=serve_in_process, args=(str(path), ports[0])),
        context.Process(target=serve_in_process, args=(None, ports[1])),
    ]
    for process in servers:
        process.start()
    time.sleep(4)
    try:
        service, empty = (f"http://127.0.0.1:{port}" for port in ports)
        floor = rate(context, (empty, "search"), 1, seconds)
        print(f"empty handler, 1 client: {floor:6,.0f} calls/s", flush=True)
        for kind in ("search", "batch-get", "create", "merge"):
            one, four = (rate(context, (service, kind), clients, seconds) for clients in (1, 4))
            print(
                f"{kind:<10} 1 client {one:6,.0f} calls/s  4 {four:6,.0f}  ratio to empty {one / floor:4.2f}",
                flush=True,
            )
    finally:
        for process in servers:
            process.terminate()
            process.join()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3.0)
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
        bench_rates(folder / "1000.sqlite", options.seconds)


if __name__ == "__main__":
    main()
