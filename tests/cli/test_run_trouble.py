"""Trouble around a whole run: its ledger is locked, its rules change under it, its clock is set."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from sqlalchemy import insert

from resolver.app import running
from resolver.ledger import connection
from resolver.ledger.connection import connect, writing
from resolver.ledger.ledger import open_ledger
from resolver.ledger.tables import leases
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.local.service import Service
from resolver.rule_file import load_rules, rules_directory

DOMAIN = "shop"
PATIENCE = 3_000  # milliseconds, in place of half a minute
HOLDING = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
    "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture(scope="module")
def sample():
    return make_sample(120, seed=3)


@pytest.fixture
def ledger(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def impatient(monkeypatch):
    """Runs a job that does not wait long for a locked ledger."""

    def _impatient(job, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(connection, "BUSY_TIMEOUT", PATIENCE)
            return job(*arguments)

    return _impatient


@pytest.fixture
def shop(sample, endpoint, tmp_path):
    """The URL of an endpoint with the domain, and the file of keys to begin with."""
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    return endpoint.url, keys


@pytest.fixture
def job(run, shop, ledger, tmp_path):
    """Runs the job; gives (exit code, report or None, stderr)."""
    url, keys = shop
    paced = ("--merges-per-second", 0, "--json", "--quiet", "--ledger", ledger)
    where = ("--domain", DOMAIN, "--endpoint-url", url, *paced)

    def _job(name, *more, command=("run", "--keys", keys, "--calls-per-second", 0, "--out")):
        code, out, err = run(*command, tmp_path / name, *where, *more)
        return code, json.loads(out) if out else None, err

    _job.ledger, _job.out = ledger, tmp_path
    return _job


@pytest.fixture
def when(monkeypatch):
    """``when(operation, do)`` does something at the service once, as such a call comes; gives all calls."""
    waiting, calls = {}, []
    finish = Service.finish

    def finishing(service, call, *limit):
        calls.append(call.request.operation)
        if do := waiting.pop(call.request.operation, None):
            do()
        return finish(service, call, *limit)

    monkeypatch.setattr(Service, "finish", finishing)

    def _when(operation, do):
        waiting[operation] = do
        return calls

    return _when


@pytest.fixture
def clock(monkeypatch):
    """``clock.by`` sets this machine's clock off by so much, for all that a run reads it for."""

    class Clock(datetime):
        by = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + cls.by

    for module in ("resolver.cli.job", "resolver.app.running"):
        monkeypatch.setattr(f"{module}.datetime", Clock)
    return Clock


def hold(path):
    command = [sys.executable, "-c", HOLDING, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # our own
    assert process.stdout.readline() == b"held\n"
    return process


def let_go(process):
    process.communicate(timeout=60)


def test_a_ledger_that_is_locked_before_a_run_stops_it_and_nothing_is_sent(job, when, ledger, impatient):
    with open_ledger(str(ledger)):
        pass
    calls, holder = when("MergeProfiles", lambda: None), hold(ledger)
    try:
        code, report, err = impatient(job, "run", "--apply")
    finally:
        let_go(holder)
    assert (code, report) == (1, None)
    assert "another process has had it locked" in err
    assert "MergeProfiles" not in calls
    assert not (job.out / "run" / "report.json").exists()
    code, report, _ = job("run", "--apply")
    assert (code, report["apply"]["complete"]) == (0, True)


@pytest.mark.parametrize("operation", ["SearchProfiles", "MergeProfiles"])
def test_a_ledger_that_gets_locked_in_a_run_ends_it(operation, job, when, clock, impatient):  # noqa: PLR0913, PLR0917  # fixtures
    holder = []
    calls = when(operation, lambda: holder.append(hold(job.ledger)))
    try:
        code, report, err = impatient(job, "run", "--apply")
    finally:
        let_go(*holder)
    assert (code, report) == (1, None)
    assert "another process has had it locked" in err
    sent = calls.count("MergeProfiles")
    assert sent == 0 if operation == "SearchProfiles" else 1 <= sent <= 4, "no more than were under way"
    assert not (job.out / "run" / "report.json").exists()
    assert job("run", "--apply")[0] == 75, "the lease of a process that lives could not be let go"
    clock.by = timedelta(minutes=2)
    code, report, _ = job("run", "--apply")
    assert (code, report["apply"]["complete"]) == (0, True)
    with open_ledger(str(job.ledger)) as memory:
        assert len(memory.survivors(DOMAIN)) > 0
        assert memory.open_intents(DOMAIN) == []


def test_a_ledger_that_is_locked_for_a_moment_is_waited_for(job, when, ledger):
    def hold_for_a_moment():
        holder = hold(ledger)
        threading.Timer(2, lambda: let_go(holder)).start()

    calls = when("MergeProfiles", hold_for_a_moment)  # its result cannot be written down for two seconds
    code, report, _ = job("run", "--apply")
    assert (code, report["apply"]["complete"]) == (0, True)
    assert calls.count("MergeProfiles") == report["plans"]["merge"]


def test_a_clock_set_back_in_a_run_ends_nothing_and_leaves_no_lease(job, when, clock, ledger):
    when("MergeProfiles", lambda: setattr(clock, "by", timedelta(hours=-2)))
    code, report, _ = job("run", "--apply")
    assert (code, report["apply"]["complete"]) == (0, True)
    with open_ledger(str(ledger)) as memory:
        assert memory.lease_of(DOMAIN) is None
    assert job("next", "--apply")[0] == 0


def test_a_clock_put_forward_in_a_run_ends_its_lease_and_the_next_one_finishes(job, when, clock, ledger):
    calls = when("MergeProfiles", lambda: setattr(clock, "by", timedelta(hours=2)))
    code, report, err = job("run", "--apply")
    assert (code, report) == (75, None)
    assert "could not be renewed in time" in err
    assert 1 <= calls.count("MergeProfiles") <= 4, "no more than were under way"
    code, report, _ = job("run", "--apply")
    assert (code, report["apply"]["complete"]) == (0, True)


def test_rules_that_change_while_a_run_goes_on_are_the_next_runs(job, tmp_path, monkeypatch):
    rules, shipped = tmp_path / "rules.toml", rules_directory() / "default.toml"
    shutil.copy(shipped, rules)
    shutil.copytree(shipped.parent / "reference", tmp_path / "reference")
    first, publish = load_rules(rules).fingerprint, running.publish

    def edited_meanwhile(*arguments):
        text = rules.read_text()
        assert "match = 2.0 " in text
        rules.write_text(text.replace("match = 2.0 ", "match = 3.0 ", 1))
        return publish(*arguments)

    monkeypatch.setattr(running, "publish", edited_meanwhile)
    code, report, _ = job("run", "--rules", rules)
    assert (code, report["rule_set"]["fingerprint"]) == (0, first), "a run has the rules that it began with"
    apply = ("apply", "--rules", rules, "--run")
    code, _, err = job("run", command=apply)
    assert code == 2, "its plans are not carried out under others"
    assert "were made by other rules than" in err
    rules.write_text(shipped.read_text())
    assert job("run", command=apply)[0] == 0


def test_a_clock_set_back_between_two_runs_loses_and_doubles_nothing(job, clock, when):
    clock.by = timedelta(days=2)
    first = job("first", "--apply")[1]
    planned = job("planned")[1]
    clock.by = timedelta(0)
    assert first["at"] > (datetime.now(UTC) + timedelta(days=1)).isoformat()
    calls = when("MergeProfiles", lambda: None)
    calls.clear()
    code, second, err = job("second", "--apply")
    assert code == 0, err
    assert second["gate"]["compared_with"] == planned["run_id"], "the run before, whatever its clock said"
    assert [line["run_id"] for line in second["history"]][-1] == second["run_id"]
    assert (second["lineage"]["new"], second["lineage"]["gone"]) == (0, 0)
    ready = pl.read_parquet(job.out / "planned/plans.parquet").filter(pl.col("band") == "merge")
    away = [profile for plan in ready["merged_profile_ids"].to_list() for profile in plan]
    assert calls.count("MergeProfiles") == second["apply"]["profiles_merged_away"] == len(away)
    merged_before = pl.read_parquet(job.out / "first/plans.parquet").filter(pl.col("band") == "merge")
    assert merged_before.height > ready.height
    assert not set(away) & set(merged_before["merged_profile_ids"].explode()), "nobody is merged twice"
    code, _, err = job("planned", command=("apply", "--run"))
    assert code == 3
    assert "2.0 days from now by this clock" in err


def test_a_lease_from_before_the_clock_was_set_back_ends_within_a_minute(job, clock, ledger):
    with open_ledger(str(ledger)):
        pass
    until = datetime.now(UTC) + timedelta(days=2)
    elsewhere = json.dumps({"host": "another machine", "pid": 1, "started": "0"})
    with writing(connect(str(ledger))) as open_one:
        open_one.execute(
            insert(leases).values(
                domain=DOMAIN, holder="run of another host", expires_at=until, process=elsewhere
            )
        )
    assert job("run")[0] == 75
    clock.by = timedelta(seconds=61)
    assert job("run")[0] == 0
