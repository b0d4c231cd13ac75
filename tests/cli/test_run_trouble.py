"""A whole run whose ledger is locked, whose rules change under it, or whose clock was set back."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from importlib import resources

import polars as pl
import pytest
from sqlalchemy import insert

from resolver.ledger import connection
from resolver.ledger.connection import connect, writing
from resolver.ledger.ledger import open_ledger
from resolver.ledger.tables import leases
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample

DOMAIN = "shop"


@pytest.fixture
def where(endpoint, tmp_path):
    sample = make_sample(120, seed=3)
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    return ("--domain", DOMAIN, "--endpoint-url", endpoint.url)


@pytest.fixture
def job(where, tmp_path):
    paced = ("--calls-per-second", 0, "--quiet", "--json")
    return ("run", *where, *paced, "--keys", tmp_path / "keys.csv", "--ledger", ledger_of(tmp_path))


def ledger_of(tmp_path):
    return f"sqlite:///{tmp_path}/ledger.db"


def profiles_there(endpoint):
    with endpoint.store.reading() as session:
        return len(session.all("SELECT profile_id FROM profile"))


def test_a_ledger_that_another_process_locks_stops_the_run_and_nothing_is_sent(  # noqa: PLR0913, PLR0917 - fixtures
    run, job, endpoint, tmp_path, monkeypatch
):
    with open_ledger(ledger_of(tmp_path)):
        pass
    monkeypatch.setattr(connection, "BUSY_TIMEOUT", 200)  # milliseconds; 30 s otherwise
    before = profiles_there(endpoint)
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    code, _, err = run(*job, "--apply", "--out", tmp_path / "run")
    assert code == 1
    assert "ledger" in err
    assert "locked" in err
    assert "Traceback" not in err
    assert profiles_there(endpoint) == before
    assert not (tmp_path / "run" / "report.json").exists()
    other.rollback()
    other.close()
    code, out, _ = run(*job, "--apply", "--out", tmp_path / "run")
    assert (code, json.loads(out)["apply"]["complete"]) == (0, True)
    assert profiles_there(endpoint) < before


def test_rules_that_change_while_a_run_goes_on_are_the_next_runs(  # noqa: PLR0913, PLR0917 - fixtures
    run, job, where, tmp_path, monkeypatch
):
    rules = tmp_path / "rules.toml"
    with resources.as_file(resources.files("resolver")) as package:
        source = package.parent / "rules" / "default.toml"
    shutil.copy(source, rules)
    shutil.copytree(source.parent / "reference", tmp_path / "reference")
    first = json.loads(run("rules", "check", rules, "--json")[1])["fingerprint"]

    from resolver.app import running  # noqa: PLC0415 - the module whose step is the moment

    publish = running.publish

    def edited_meanwhile(*arguments):
        text = rules.read_text()
        assert "match = 2.0 " in text
        rules.write_text(text.replace("match = 2.0 ", "match = 3.0 ", 1))
        return publish(*arguments)

    monkeypatch.setattr(running, "publish", edited_meanwhile)
    code, out, _ = run(*job, "--rules", rules, "--out", tmp_path / "run")
    report = json.loads(out)
    assert (code, report["rule_set"]["fingerprint"]) == (0, first), "a run has the rules that it began with"
    apply = ("apply", *where, "--run", tmp_path / "run", "--ledger", ledger_of(tmp_path), "--quiet")
    code, _, err = run(*apply, "--rules", rules)
    assert code == 2, "its plans are not carried out under others"
    assert "were made by other rules than" in err
    rules.write_text(source.read_text())
    assert run(*apply, "--rules", rules, "--merges-per-second", 0)[0] == 0


def set_clocks(monkeypatch, ahead):
    """Every module of ours sees this machine's clock moved by ``ahead``."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + ahead

    for name, module in list(sys.modules.items()):
        if name.startswith("resolver") and "local" not in name and getattr(module, "datetime", None):
            monkeypatch.setattr(module, "datetime", Moved)


def test_a_clock_that_is_set_back_between_two_runs_loses_and_doubles_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    run, job, where, endpoint, tmp_path, monkeypatch
):
    with monkeypatch.context() as future:
        set_clocks(future, timedelta(days=2))
        first = json.loads(run(*job, "--out", tmp_path / "first", "--apply")[1])
        planned = json.loads(run(*job, "--out", tmp_path / "planned")[1])
    assert first["at"] > (datetime.now(UTC) + timedelta(days=1)).isoformat()
    left = profiles_there(endpoint)
    code, out, err = run(*job, "--out", tmp_path / "second", "--apply")
    second = json.loads(out)
    assert code == 0, err
    assert second["gate"]["compared_with"] == planned["run_id"], "the run before, whatever its clock said"
    assert [line["run_id"] for line in second["history"]][-1] == second["run_id"]
    assert (second["lineage"]["new"], second["lineage"]["gone"]) == (0, 0)
    assert second["apply"]["profiles_merged_away"] == left - profiles_there(endpoint) == 0
    code, _, err = run("apply", *where, "--run", tmp_path / "planned", "--ledger", ledger_of(tmp_path))
    assert code == 3
    assert "2.0 days from now by this clock" in err


def test_a_lease_from_before_the_clock_was_set_back_ends_within_a_minute(run, job, tmp_path, monkeypatch):
    with open_ledger(ledger_of(tmp_path)):
        pass
    engine = connect(ledger_of(tmp_path))
    until = datetime.now(UTC) + timedelta(days=2)
    elsewhere = json.dumps({"host": "another machine", "pid": 1, "started": "0"})
    with writing(engine) as open_one:
        open_one.execute(
            insert(leases).values(
                domain=DOMAIN, holder="run of another host", expires_at=until, process=elsewhere
            )
        )
    assert run(*job, "--out", tmp_path / "run")[0] == 75
    with monkeypatch.context() as later:
        set_clocks(later, timedelta(seconds=61))
        assert run(*job, "--out", tmp_path / "run")[0] == 0
