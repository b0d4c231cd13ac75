"""The embedded service and an empty handler, each in a process of its own, and the calls that they are asked.

The empty handler is the least that a server can do: the service's own HTTP stack, answering every request
with the bytes that the service once answered such a request with, so that boto3 has the same work in both.
"""

from __future__ import annotations

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
    """What one client may touch: profiles numbered below `shared` to read, and a range of its own to merge.

    A merge folds one profile into another, neither of them ever used before.
    """

    shared: int
    own: range


def lanes(profiles: int) -> dict[int | str, list[Lane]]:
    """Lanes for each number of clients, for the recorder and for the in-process client."""
    users = {RECORDER: 1, IN_PROCESS: 1, **{clients: clients for clients in CLIENTS}}
    shared = profiles // 10  # what is searched for; the rest are merged, each once
    width = (profiles - shared) // sum(users.values()) // 2 * 2
    firsts = itertools.count(shared, width)
    return {
        user: [Lane(shared, range(first, first + width, 2)) for first in itertools.islice(firsts, count)]
        for user, count in users.items()
    }


def calls_of(client: Any, lane: Lane) -> dict[str, Callable[[], object]]:
    """One call of each kind, as a client of that lane makes it."""
    random = Random(lane.own.start)  # noqa: S311 - reproducible data is the point
    fresh = itertools.cycle(lane.own)  # a second round is a 404 of the service: more profiles are needed then

    def merge() -> object:
        main = next(fresh)
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
        for call in calls_of(client, lane).values():
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
