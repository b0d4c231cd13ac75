"""A service and an unmodified boto3 client, once in process and once over HTTP."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from checked_service import CheckedService

from resolver.local.embed import attach
from resolver.local.server import running
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.service import Service


def client_of(endpoint_url: str | None = None) -> Any:
    """A boto3 client that sends once and never reads the developer's settings."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
    return boto3.session.Session().client(
        "customer-profiles", region_name="us-east-1", endpoint_url=endpoint_url, config=config
    )


@contextlib.contextmanager
def connected(service: Service, transport: str) -> Iterator[Any]:
    """A client of the service over one transport."""
    if transport == "embedded":
        client = client_of()
        attach(client, service)
        yield client
    else:
        with running(service) as endpoint_url:
            client = client_of(endpoint_url)
            yield client
            client.close()


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
