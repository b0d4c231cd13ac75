"""Fixtures that every test may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["databases"]

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the passed and the failed tests tell, and how many requests those made that count them."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for told in (value for report in reports for name, value in report.user_properties if name == "told"):
        terminalreporter.write_line(told)
    made = [value for report in reports for name, value in report.user_properties if name == "requests"]
    if made:
        terminalreporter.write_line(f"{sum(made):,} requests were made by {len(made)} tests that count them")


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may read the developer's AWS settings or ledgers, or reach a real endpoint by accident."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("RESOLVER_LEDGER", "RESOLVER_LEDGER_KEY", "RESOLVER_LEDGER_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@dataclass(frozen=True)
class Endpoint:
    """A running embedded service."""

    url: str
    service: Service
    store: Store


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """The embedded service on a loopback port, with an empty store."""
    store = Store.open(None)
    service = Service(store)
    try:
        with running(service) as url:
            yield Endpoint(url, service, store)
    finally:
        store.close()


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """The labelled dev sets, which are not ours to ship: beside the checkout, or where RESOLVER_DATA says."""
    folder = Path(os.environ.get("RESOLVER_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"labelled dev sets are not at {folder} (set RESOLVER_DATA)")
    return folder
