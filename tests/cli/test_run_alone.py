"""`resolver run` keeps its domain to itself, and a killed one is followed by one that finishes the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import boto3
import polars as pl
import pytest

from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample

DOMAIN = "shop"
SOAK = bool(os.environ.get("RESOLVER_SOAK"))
#: A run is killed right after the line that tells the end of this stage; "merges" is in the middle of apply.
STAGES = (
    "export",
    "standardise",
    "cluster",
    "conclude",
    "objects",
    "plan",
    "publish",
    "gates",
    "merges",
    "apply",
)


@pytest.fixture(scope="module")
def sample():
    return make_sample(120, seed=3)


@pytest.fixture
def where(sample, endpoint, tmp_path):
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    return ("--domain", DOMAIN, "--endpoint-url", endpoint.url, "--keys", keys, "--calls-per-second", 0)


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shared.db"
    return request.getfixturevalue("postgres_url")


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "resolver", *map(str, arguments), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))  # noqa: S603  # our own


def finish(*arguments: object) -> tuple[int, dict]:
    process = start(*arguments)
    out, err = process.communicate(timeout=240)
    assert out, err.decode()
    return process.returncode, json.loads(out)


def content(endpoint) -> dict[str, dict]:
    """Every profile of the domain as the store holds it."""
    with endpoint.store.reading() as session:
        rows = session.all("SELECT profile_id, fields FROM profile")
    return {profile_id: json.loads(fields) for profile_id, fields in rows}


def test_of_two_runs_at_once_one_goes_on_and_one_exits_with_75(where, ledger_url, tmp_path):
    slow = [*where[:-1], 6]  # calls a second: the first is still exporting when the second comes
    first = start("run", *slow, "--ledger", ledger_url, "--out", tmp_path / "first")
    try:
        wait_for_the_lease(where, ledger_url, tmp_path)
        second = start("run", *where, "--ledger", ledger_url, "--out", tmp_path / "second")
        _, said = second.communicate(timeout=240)
        assert (second.returncode, b"is at work there" in said) == (75, True)
        assert not (tmp_path / "second" / "report.json").exists()
    finally:
        out, err = first.communicate(timeout=240)
    assert (first.returncode, json.loads(out)["gate"]["state"]) == (0, "passed"), err
    assert finish("run", *where, "--ledger", ledger_url, "--out", tmp_path / "second")[0] == 0


def wait_for_the_lease(where, ledger_url, tmp_path):
    for _ in range(600):
        status = start("status", *where[:4], "--ledger", ledger_url)
        out, _ = status.communicate(timeout=240)
        if out and json.loads(out).get("lease"):
            return
        time.sleep(0.05)
    raise TimeoutError("no run took the lease")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("stage", STAGES if SOAK else ("cluster", "publish"))
def test_after_a_kill_at_any_stage_the_next_run_does_what_was_left(stage, where, endpoint, tmp_path):
    out, ledger_file = tmp_path / "run", f"sqlite:///{tmp_path}/ledger.db"
    job = ("run", *where, "--apply", "--ledger", ledger_file, "--out", out)
    before = len(content(endpoint))
    kill_after(stage, start(*job, "--merges-per-second", 4 if stage == "merges" else 0), endpoint)
    if not (out / "gate.json").exists():
        assert not (out / "report.json").exists()
        refused = start("apply", *where[:4], "--ledger", ledger_file, "--run", out)
        refused.communicate(timeout=240)
        assert refused.returncode == 2, "what nobody audited is not carried out"
    merged_at_the_kill = before - len(content(endpoint))

    code, report = finish(*job, "--merges-per-second", 0)
    assert (code, report["apply"]["complete"]) == (0, True)
    assert (out / "report.html").exists()
    with open_ledger(ledger_file) as ledger:
        assert ledger.open_intents(DOMAIN) == []
        merged = ledger.survivors(DOMAIN)
    after = content(endpoint)
    assert before - len(after) == len(merged) > 0, "each merge once, and the ledger knows it"
    assert not merged.keys() & after.keys()
    if merged_at_the_kill == 0:
        assert after == undisturbed(endpoint, where, tmp_path)


def kill_after(stage: str, job: subprocess.Popen[bytes], endpoint) -> None:
    """SIGKILL once a stage is told to have ended; "merges": once a few merges are done."""
    assert job.stderr is not None
    before = len(content(endpoint))
    if stage == "merges":
        while job.poll() is None and len(content(endpoint)) > before - 3:
            time.sleep(0.02)
    else:
        for line in job.stderr:
            if json.loads(line).get("stage") == stage:
                break
    job.send_signal(signal.SIGKILL)
    job.communicate(timeout=60)


def undisturbed(endpoint, where, tmp_path) -> dict[str, dict]:
    """The domain's content after one run that nobody killed, of the same profiles."""
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    client.delete_domain(DomainName=DOMAIN)
    load_profiles(endpoint.store, DOMAIN, make_sample(120, seed=3).profiles)
    calm = ("run", *where, "--apply", "--merges-per-second", 0, "--ledger", f"sqlite:///{tmp_path}/calm.db")
    code, report = finish(*calm, "--out", tmp_path / "calm")
    assert (code, report["apply"]["complete"]) == (0, True)
    return content(endpoint)
