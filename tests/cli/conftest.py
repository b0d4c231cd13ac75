"""The command line in this process, and runs that many tests go on from."""

from __future__ import annotations

import contextlib
import io
import shutil
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import pytest

from resolver.cli import main
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.local.server import running
from resolver.local.service import Service
from resolver.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVICE = "shop.sqlite"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """Runs the command line; gives (exit code, stdout, stderr)."""

    def _run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return _run


@pytest.fixture(scope="session")
def runs_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    """The folder of a run on a sample of that size and seed, made for the first test that asks."""
    return cache(lambda count, seed: conclude(tmp_path_factory.mktemp("run"), count, seed))


@pytest.fixture
def copied_run(runs_once: Callable[[int, int], Path], tmp_path: Path) -> Callable[[int, int], Path]:
    """A function of (profiles, seed): copies a run that merged nothing into ``tmp_path``.

    Copied are keys.csv, run (the run's directory), state (with its ledger) and the file of its service, with
    the sample in the domain ``shop``: the path that it returns, for ``kept_store``.
    """

    def copy(count: int, seed: int) -> Path:
        shutil.copytree(runs_once(count, seed), tmp_path, dirs_exist_ok=True)
        return tmp_path / SERVICE

    return copy


def conclude(place: Path, count: int, seed: int) -> Path:
    sample = make_sample(count, seed=seed)
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(place / "keys.csv")
    store = Store.open(place / SERVICE)
    load_profiles(store, "shop", sample.profiles)
    with contextlib.ExitStack() as stack:
        stack.callback(store.close)
        url = stack.enter_context(running(Service(store)))
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("XDG_STATE_HOME", str(place / "state"))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        left = stack.enter_context(pytest.raises(SystemExit))
        where = ("--domain", "shop", "--endpoint-url", url, "--calls-per-second", 0, "--quiet")
        main([str(a) for a in ("run", *where, "--keys", place / "keys.csv", "--out", place / "run")])
    assert not left.value.code
    return place
