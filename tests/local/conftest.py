"""A service and an unmodified boto3 client, once in process and once over HTTP."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from checked_service import CheckedService

from resolver.local.embed import attach
from resolver.local.server import listen, running
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.service import Service


def client_of(endpoint_url: str | None = None, *, validating: bool = True) -> Any:
    """A boto3 client that sends once and never reads the developer's settings.

    One that does not validate sends what boto3 would refuse by itself.
    """
    config = Config(
        retries={"total_max_attempts": 1}, max_pool_connections=20, parameter_validation=validating
    )
    return boto3.session.Session("test", "test").client(
        "customer-profiles", region_name="us-east-1", endpoint_url=endpoint_url, config=config
    )


@contextlib.contextmanager
def connected_twice(service: Service, transport: str) -> Iterator[tuple[Any, Any]]:
    """Two clients of the service over one transport: the second one does not validate."""
    both = (True, False)
    if transport == "embedded":
        clients = [client_of(validating=validating) for validating in both]
        for client in clients:
            attach(client, service)
        yield clients[0], clients[1]
    else:
        with running(service) as endpoint_url:
            clients = [client_of(endpoint_url, validating=validating) for validating in both]
            yield clients[0], clients[1]
            for client in clients:
                client.close()


@contextlib.contextmanager
def connected(service: Service, transport: str) -> Iterator[Any]:
    """A client of the service over one transport."""
    with connected_twice(service, transport) as (client, _):
        yield client


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.open(None)
    yield opened
    opened.close()


@pytest.fixture
def service(store: Store) -> Service:
    return CheckedService(store)


@pytest.fixture(params=["embedded", "http"])
def client(request: pytest.FixtureRequest, service: Service) -> Iterator[Any]:
    """The service through boto3, on both transports."""
    with connected(service, request.param) as made:
        yield made


@pytest.fixture
def domain(client: Any) -> str:
    """A domain with matching enabled."""
    client.create_domain(DomainName="shop", DefaultExpirationDays=30, Matching={"Enabled": True})
    return "shop"


@pytest.fixture
def unused_tcp_port() -> int:
    """A port that was free a moment ago."""
    with listen(0) as listener:
        port: int = listener.getsockname()[1]
        return port
