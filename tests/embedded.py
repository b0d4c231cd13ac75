"""Domains on the embedded service, for tests of everything that meets it over the wire."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resolver.local.embed import attach
from resolver.local.loading import load_profiles
from resolver.local.server import running
from resolver.local.service import Service, Settings
from resolver.local.store import Store
from resolver.profiles.domain import Clients, ConnectionSettings, Domain, connect
from resolver.profiles.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME = "retail"


def no_sleep(seconds: float) -> None:
    """Waiting between attempts proves nothing here."""


def pid(number: int) -> str:
    """A profile id that reads as its number."""
    return f"{number:032x}"


@contextlib.contextmanager
def embedded(
    profiles: Iterable[dict[str, Any]], settings: Settings | None = None, transport: str = "in process"
) -> Iterator[tuple[Domain, Service]]:
    """The domain ``retail`` holding these profiles, reached in process or over HTTP, without pace."""
    store = Store.open(None)
    service = Service(store, settings=settings)
    load_profiles(store, NAME, profiles)
    try:
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(running(service)) if transport == "http" else None
            yield domain_at(url, service), service
    finally:
        store.close()


def domain_at(url: str | None, service: Service | None = None, **settings: Any) -> Domain:
    """A domain at a running endpoint, or attached to a service in this process."""
    unpaced = {"calls_per_second": None, "merges_per_second": None, "merge_read_timeout": 5.0}
    clients = connect(ConnectionSettings(endpoint_url=url, region="us-east-1", **(unpaced | settings)))
    if url is None:
        for client in (clients.read, clients.merge):
            attach(client, service)
    return Domain(NAME, hurried(clients), sleep=no_sleep)


def hurried(clients: Clients) -> Clients:
    """The same clients at a pace of their own that never waits, throttled or not."""
    read_pace, merge_pace = (Pace(None, sleep=no_sleep) for _ in range(2))
    return replace(clients, read_pace=read_pace, merge_pace=merge_pace)
