"""Calls a second through boto3: the embedded service beside an empty handler.

They are called in short turns, so that whatever else the machine does meets both; what a call costs of CPU is
told beside, because on a busy machine the clock tells little.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from local_servers import (
    CLIENTS,
    EMPTY,
    IN_PROCESS,
    RECORDER,
    SERVICE,
    Lane,
    Pairs,
    Server,
    both_servers,
    calls_of,
    client_of,
    lanes,
)

from resolver.local.admin import load_over_http
from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS: Final = ("create", "search", "batch-get", "merge")
TURNS: Final = 6  # of each server, alternating
_WARM_UP: Final = 50
_MOST_PER_SECOND: Final = 4000  # merges of one client: more than any machine makes


@dataclass
class Turn:
    """What one client got answered."""

    taken: list[float]  # milliseconds of each call
    client_work: float  # seconds of CPU
    server_work: float  # for all clients together


@dataclass
class Rate:
    """What some clients together got answered."""

    clients: int
    turns: list[Turn] = field(default_factory=list)

    @property
    def taken(self) -> list[float]:
        """Milliseconds of each call."""
        return [call for turn in self.turns for call in turn.taken]

    @property
    def per_second(self) -> float:
        """Calls a second of all clients together."""
        return len(self.taken) / (sum(self.taken) / 1000) * self.clients

    @property
    def work(self) -> tuple[float, float]:
        """Microseconds of CPU that a call takes of its client and of the server."""
        calls = len(self.taken) / 1e6
        server = sum(turn.server_work for turn in self.turns) / self.clients  # each client saw all of it
        return sum(turn.client_work for turn in self.turns) / calls, server / calls

    def __str__(self) -> str:
        p50, p99 = percentile(self.taken, 50), percentile(self.taken, 99)
        return f"{self.per_second:6,.0f} calls/s  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms"


def percentile(values: list[float], percent: int) -> float:
    """The value that this share of values does not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def cpu_seconds(pid: int) -> float:
    """What a process has worked so far; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) gives for a process


def take_turn(call: Callable[[], object], seconds: float, server_pid: int) -> Turn:
    """Make calls for so long."""
    taken = []
    server_work, client_work = cpu_seconds(server_pid), time.process_time()
    begin = moment = time.perf_counter()
    while moment - begin < seconds:
        call()
        before, moment = moment, time.perf_counter()
        taken.append((moment - before) * 1000)
    client_work = time.process_time() - client_work
    return Turn(taken, client_work, cpu_seconds(server_pid) - server_work)


def work(lane: Lane, servers: dict[str, Server], meeting: _Meeting) -> None:
    """One client process: every kind of call in turns against each server, in step with the other clients.

    What goes wrong in one of them ends them all and is the result.
    """
    try:
        _work(lane, servers, meeting)
    except threading.BrokenBarrierError:
        pass  # another one told what went wrong
    except Exception as problem:
        meeting.barrier.abort()
        meeting.results.put(problem)
        raise


def _work(lane: Lane, servers: dict[str, Server], meeting: _Meeting) -> None:
    loads = {
        SERVICE: functools.partial(load_over_http, servers[SERVICE].endpoint_url, "bench"),
        EMPTY: lambda _profiles: None,
    }
    pairs = {name: Pairs(lane, loads[name]) for name in servers}
    calls = {
        name: calls_of(client_of(found.endpoint_url), lane, pairs[name]) for name, found in servers.items()
    }
    for kind in KINDS:
        for name, made in calls.items():
            pairs[name].provide(_WARM_UP)
            for _ in range(_WARM_UP):
                made[kind]()
        for _ in range(TURNS):
            for name, made in calls.items():
                if kind == "merge":
                    pairs[name].provide(int(_MOST_PER_SECOND * meeting.seconds))
                meeting.barrier.wait()
                turn = take_turn(made[kind], meeting.seconds, servers[name].pid)
                meeting.results.put((kind, name, turn))


@dataclass(frozen=True)
class _Meeting:
    """Where client processes wait for each other and leave what they measured."""

    barrier: Any
    results: Any
    seconds: float


def measure(lanes: list[Lane], servers: dict[str, Server], seconds: float) -> dict[str, dict[str, Rate]]:
    """Rates by kind and server of a client process in each lane at once."""
    clients = len(lanes)
    context = multiprocessing.get_context("spawn")
    meeting = _Meeting(context.Barrier(clients), context.Queue(), seconds)
    workers = [context.Process(target=work, args=(lane, servers, meeting)) for lane in lanes]
    for worker in workers:
        worker.start()
    rates = {kind: {name: Rate(clients) for name in servers} for kind in KINDS}
    for _ in range(clients * len(KINDS) * TURNS * len(servers)):
        result = meeting.results.get(timeout=600)
        if isinstance(result, Exception):
            raise result
        kind, name, turn = result
        rates[kind][name].turns.append(turn)
    for worker in workers:
        worker.join()
    return rates


def bench_rates(path: Path, profiles: int, seconds: float) -> None:
    """Print calls a second by kind, one client and four, and the ratio to the empty handler."""
    given = lanes(profiles)
    with both_servers(path, given[RECORDER][0]) as servers:
        for clients in CLIENTS:
            for kind, rates in measure(given[clients], servers, seconds).items():
                empty, service = rates[EMPTY], rates[SERVICE]
                ratio = service.per_second / empty.per_second
                print(f"{kind:<10} {clients} over HTTP   {service}  {_cpu(service)}", flush=True)
                print(f"{'':<6} empty handler   {empty}  {_cpu(empty)}", flush=True)
                work_ratio = sum(empty.work) / sum(service.work)
                print(f"{'':<6} ratio to the empty handler {ratio:4.2f}, of the CPU work {work_ratio:4.2f}")
    print("bar: 1,000 calls/s of one client on a quiet machine of 2 cores, else a ratio of 0.60")


def _cpu(rate: Rate) -> str:
    client, server = rate.work
    return f"CPU of a call: client {client:5,.0f} µs, server {server:4,.0f} µs"


def bench_in_process(path: Path, profiles: int, seconds: float) -> None:
    """Print calls a second of a client that the service is attached to, without a port."""
    with contextlib.closing(Store.open(path)) as store:
        client = client_of(None)
        attach(client, Service(store))
        lane = lanes(profiles)[IN_PROCESS][0]
        pairs = Pairs(lane, lambda profiles: load_profiles(store, "bench", profiles))
        for kind, call in calls_of(client, lane, pairs).items():
            pairs.provide(_WARM_UP + int(_MOST_PER_SECOND * seconds))
            for _ in range(_WARM_UP):
                call()
            rate = Rate(1, [take_turn(call, seconds, os.getpid())])
            print(f"{kind:<10} 1 in process  {rate}", flush=True)
