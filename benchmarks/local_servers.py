"""The embedded service and an empty handler, each in a process of its own, and the calls that they are asked.

The empty handler is the least that a server can do: the service's own HTTP stack, answering every request
with the bytes that the service once answered such a request with, so that boto3 has the same work in both.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import multiprocessing
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import boto3
import uvicorn
from botocore.config import Config

from resolver.local import server
from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLIENTS: Final = (1, 4)  # processes
EMPTY: Final = "empty"
SERVICE: Final = "service"
RECORDER: Final = "recorder"
IN_PROCESS: Final = "in process"
BATCH: Final = 20  # ids of one BatchGetProfile: what the API takes at most


def client_of(endpoint_url: str | None) -> Any:
    """A boto3 client that sends once."""
    return boto3.client(
        "customer-profiles",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106 - any credentials will do
        config=Config(retries={"total_max_attempts": 1}),
    )


@dataclass(frozen=True)
class Lane:
    """What one client may touch: profiles numbered below `shared` to read, and numbers of its own to merge.

    A merge folds one profile into another, neither of them ever used before: those of the range `own`, and
    when they are used up more that are loaded, numbered from `spare`.
    """

    shared: int
    own: range
    spare: int


class Pairs:
    """The profiles that a client merges; `load` takes more of them, API-shaped, where they are needed."""

    def __init__(self, lane: Lane, load: Callable[[list[dict[str, Any]]], object]) -> None:
        self._left = collections.deque(lane.own)
        self._spare = lane.spare
        self._load = load

    def provide(self, count: int) -> None:
        """Have at least so many pairs."""
        missing = max(0, count - len(self._left))
        first, self._spare = self._spare, self._spare + 2 * missing
        if missing:
            self._load([_spare_profile(number) for number in range(first, self._spare)])
            self._left.extend(range(first, self._spare, 2))

    def take(self) -> int:
        """The number of the next main profile; the profile after it is merged into it."""
        return self._left.popleft()


def _spare_profile(number: int) -> dict[str, Any]:
    area, office, line = number % 700, number // 700 % 700, number // 490_000 % 10_000
    return {
        "ProfileId": f"{number:032x}",
        "AccountNumber": f"S{number:010d}",
        "FirstName": "Ana",
        "LastName": f"Ruiz{number % 9973}",
        "EmailAddress": f"ana.ruiz.{number}@example.com",
        "PhoneNumber": f"+1 ({200 + area}) {200 + office}-{line:04d}",
    }


def lanes(profiles: int) -> dict[int | str, list[Lane]]:
    """Lanes for each number of clients, for the recorder and for the in-process client."""
    users = {RECORDER: 1, IN_PROCESS: 1, **{clients: clients for clients in CLIENTS}}
    shared = max(1, profiles // 10)  # what is searched for; the rest are merged, each once
    width = (profiles - shared) // sum(users.values()) // 2 * 2
    numbers = itertools.count()

    def lane() -> Lane:
        number = next(numbers)
        first = shared + number * width
        return Lane(shared, range(first, first + width, 2), (number + 1) * 10**9)

    return {user: [lane() for _ in range(count)] for user, count in users.items()}


def calls_of(client: Any, lane: Lane, pairs: Pairs) -> dict[str, Callable[[], object]]:
    """One call of each kind, as a client of that lane makes it."""
    random = Random(lane.spare)  # noqa: S311 - reproducible data is the point

    def merge() -> object:
        main = pairs.take()
        merged = [f"{main + 1:032x}"]
        return client.merge_profiles(
            DomainName="bench", MainProfileId=f"{main:032x}", ProfileIdsToBeMerged=merged
        )

    return {
        "create": lambda: client.create_profile(
            DomainName="bench",
            FirstName="Ana",
            LastName="Ruiz",
            PhoneNumber="2065550100",
            EmailAddress="ana.ruiz@example.com",
        ),
        "search": lambda: client.search_profiles(
            DomainName="bench", KeyName="_account", Values=[f"A{random.randrange(lane.shared):08d}"]
        ),
        "batch-get": lambda: client.batch_get_profile(
            DomainName="bench", ProfileIds=[f"{random.randrange(lane.shared):032x}" for _ in range(BATCH)]
        ),
        "merge": merge,
    }


class _Recorded:
    """An empty handler: per path the bytes that the service answered such a path with."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self._answers = answers

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        body = self._answers[scope["path"]]
        headers = [
            (b"content-type", b"application/json"),
            (b"x-amzn-requestid", b"00000000-0000-0000-0000-000000000000"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class _Recorder(Service):
    """A service that remembers its last answer to each path."""

    answers: dict[str, bytes]

    def handle(self, request: Any) -> Any:
        response = super().handle(request)
        self.answers[request.path] = response.body
        return response


def record(path: Path, lane: Lane) -> dict[str, bytes]:
    """One answer of each kind."""
    with contextlib.closing(Store.open(path)) as store:
        service = _Recorder(store)
        service.answers = {}
        client = client_of(None)
        attach(client, service)
        pairs = Pairs(lane, lambda profiles: load_profiles(store, "bench", profiles))
        pairs.provide(1)
        for call in calls_of(client, lane, pairs).values():
            call()
        return service.answers


def serve_service(path: str, port: int) -> None:
    """The process of the service."""
    with contextlib.closing(Store.open(Path(path))) as store:
        server.serve(Service(store), port)


def serve_empty(answers: dict[str, bytes], port: int) -> None:
    """The process of the empty handler."""
    with server.listen(port) as listener:
        uvicorn.Server(server.config(_Recorded(answers))).run(sockets=[listener])


@dataclass(frozen=True)
class Server:
    """A running server process."""

    endpoint_url: str
    pid: int


@contextlib.contextmanager
def both_servers(path: Path, lane: Lane) -> Iterator[dict[str, Server]]:
    """The empty handler and the service on a file, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answers = record(path, lane)
    with server.listen(0) as one, server.listen(0) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    processes = [
        context.Process(target=serve_empty, args=(answers, ports[0])),
        context.Process(target=serve_service, args=(str(path), ports[1])),
    ]
    for process in processes:
        process.start()
    try:
        for port in ports:
            _await(port)
        yield {
            name: Server(f"http://127.0.0.1:{port}", process.pid or 0)
            for name, port, process in zip((EMPTY, SERVICE), ports, processes, strict=True)
        }
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _await(port: int) -> None:
    """Return when something listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
