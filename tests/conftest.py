"""Fixtures that every test may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.loaders import JSONFileLoader, Loader
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


#: The files that take longest, in seconds; more or less is enough. Measured with `--durations=0`.
LONGEST: Final = {
    "cli/test_killed_runs.py": 261,
    "browser": 230,
    "cli/test_run_trouble.py": 126,
    "cli/test_gates.py": 84,
    "cli/test_run_alone.py": 83,
    "app/test_drilling.py": 83,
    "planning/test_plan_columns.py": 79,
    "test_snapshot_file.py": 58,
    "cli/test_review_command.py": 57,
    "test_documented_commands.py": 55,
    "cli/test_commands.py": 54,
    "test_notebooks.py": 54,
    "app/test_applying.py": 44,
    "clients": 42,
    "spark": 40,
    "local/test_server.py": 39,
    "matching/test_incremental.py": 30,
    "cli/test_approved.py": 29,
    "local/tables/test_lookup.py": 29,
    "cli/test_going_on.py": 24,
    "cli/test_drill_command.py": 23,
    "app/test_cluster_matching.py": 21,
}
#: One worker's: what mostly waits (for a lease to end, for the next merge), while the others are at work; and
#: what needs a Java machine, which is started once for each worker that needs one.
TOGETHER: Final = (
    ("cli/test_killed_runs.py", "cli/test_run_trouble.py", "app/test_drilling.py"),
    ("spark", "app/test_cluster_matching.py"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, spread evenly over the workers.

    With ``--dist worksteal`` each worker begins with a stretch of the list, as long as those of the others,
    and one that has nothing left takes from another's end.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    here = Path(__file__).parent
    begun: dict[str, list[pytest.Item]] = {}
    others = []
    for item in items:
        path = item.path.relative_to(here).as_posix()
        long = next((name for name in LONGEST if path.startswith(name)), None)
        (others if long is None else begun.setdefault(long, [])).append(item)
    stretches: list[list[pytest.Item]] = [[] for _ in range(workers)]
    seconds = [0] * workers
    together = [[name for name in names if name in begun] for names in TOGETHER]
    alone = [[name] for name in begun if not any(name in names for names in together)]
    taking = {names[0]: sum(LONGEST[name] for name in names) for names in together + alone if names}
    for names in sorted(filter(None, together + alone), key=lambda names: -taking[names[0]]):
        least = seconds.index(min(seconds))
        seconds[least] += taking[names[0]]
        stretches[least] += [item for name in names for item in begun[name]]
    size = -(-len(items) // workers)
    for stretch in stretches:
        room = max(size - len(stretch), 0)
        stretch.extend(others[:room])
        del others[:room]
    items[:] = [item for stretch in stretches for item in stretch] + others


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the passed and the failed tests tell, and how many requests those made that count them."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for told in (value for report in reports for name, value in report.user_properties if name == "told"):
        terminalreporter.write_line(told)
    made = [value for report in reports for name, value in report.user_properties if name == "requests"]
    if made:
        terminalreporter.write_line(f"{sum(made):,} requests were made by {len(made)} tests that count them")


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws_are_read_once() -> Iterator[None]:
    """Botocore reads its models once for each session, of which nearly every test here makes one.

    What it reads is shared as it is among the clients of one session: so it may be among sessions.
    """
    files: dict[str, Any] = {}
    services: dict[tuple[str, ...], list[str]] = {}
    load_file, list_services = JSONFileLoader.load_file, Loader.list_available_services

    def load_once(loader: JSONFileLoader, file_path: str) -> Any:
        if file_path not in files:
            files[file_path] = load_file(loader, file_path)
        return files[file_path]

    def list_once(loader: Loader, type_name: str) -> list[str]:
        key = (type_name, *loader.search_paths)
        if key not in services:
            services[key] = list_services(loader, type_name)
        return services[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load_once)
        patch.setattr(Loader, "list_available_services", list_once)
        yield


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
def kept_store() -> Path | None:
    """The file that ``endpoint`` serves; None: a store of its own, empty."""
    return None


@pytest.fixture
def endpoint(kept_store: Path | None) -> Iterator[Endpoint]:
    """The embedded service on a loopback port."""
    store = Store.open(kept_store)
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
