"""`restore`, `history`, `forget`, `ledger-key` and the brakes of `apply`, as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime

import boto3
import polars as pl
import pytest

from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.faults import Fault, Faults
from resolver.local.service import Settings
from resolver.profiles.domain import ConnectionSettings, Domain, connect

DOMAIN = "shop"


@pytest.fixture
def kept_store(copied_run):
    return copied_run(120, 3)


@pytest.fixture
def concluded(endpoint, tmp_path):
    """A run on a sample, not applied; gives (where, run directory, count of profiles there)."""
    where, out = ("--domain", DOMAIN, "--endpoint-url", endpoint.url), tmp_path / "run"
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    return where, out, lambda: client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"]


def apply_to(out, *more):
    return ("apply", "--run", out, "--quiet", "--merges-per-second", 0, "--json", *more)


def ledger_of(where):
    """The URL of the ledger that commands with these options use."""
    return default_ledger(Domain(DOMAIN, connect(ConnectionSettings(where[3], "us-east-1"))), None)


def plans_of(out):
    return pl.read_parquet(out / "plans.parquet").filter(pl.col("band") == "merge")


def test_a_merge_is_looked_up_restored_and_forgotten(run, concluded):
    where, out, profiles = concluded
    assert run(*apply_to(out), *where)[0] == 0
    after = profiles()

    code, text, _ = run("history", *where, "--json")
    merges = json.loads(text)["merges"]
    assert code == 0
    assert len(merges) == plans_of(out).height
    assert merges[0]["state"] == "done"
    assert merges[0]["approved_by"].startswith("rule set ")
    merge_id = merges[0]["merge_id"]
    code, text, _ = run("history", merge_id[:10], *where)
    assert code == 0
    for words in ("approved by rule set", "merge_profiles of", "read back as predicted", "1 MERGED", "kept"):
        assert words in text

    code, text, _ = run("restore", merge_id[:10], *where)
    assert code == 0
    assert "Would restore" in text
    assert "cannot return: Connect Cases" in text
    assert profiles() == after
    code, text, _ = run("restore", merge_id[:10], *where, "--apply", "--json")
    report = json.loads(text)
    assert (code, report["state"], report["differences"]) == (0, "restored", [])
    assert profiles() == after + merges[0]["merged"]
    assert run("restore", merge_id[:10], *where, "--apply")[0] == 2
    assert json.loads(run("history", *where, "--json")[1])["merges"][0]["state"] == "restored"

    code, text, _ = run("restore", "--check", *where, "--json")
    assert (code, json.loads(text)["unreadable"]) == (0, [])
    person = merges[1]["survivor"]
    with open_ledger(ledger_of(where)) as ledger:
        ledger.acquire_lease(DOMAIN, "a run", datetime.now(UTC))
        assert run("forget", person, *where)[0] == 75, "while another run merges, nothing is erased"
        ledger.release_lease(DOMAIN, "a run")
    code, text, _ = run("forget", person, *where)
    assert code == 0
    assert person in text
    code, text, _ = run("forget", person, *where)
    assert (code, "holds nothing of this person" in text) == (0, True)
    assert run("forget", person[:12], *where)[0] == 2
    code, _, err = run("restore", merges[1]["merge_id"], *where)
    assert code == 1
    assert "erased" in err


def test_a_merge_whose_plan_is_damaged_is_named_by_the_check(run, concluded):
    where, out, _ = concluded
    assert run(*apply_to(out), *where)[0] == 0
    raw = sqlite3.connect(ledger_of(where).removeprefix("sqlite:///"))
    (damaged,) = raw.execute(
        "SELECT plan_id FROM plans WHERE content IS NOT NULL AND band = 'merge'"
    ).fetchmany(1)[0]
    raw.execute("UPDATE plans SET content = substr(content, 1, 40) WHERE plan_id = ?", (damaged,))
    raw.commit()
    raw.close()
    code, text, _ = run("restore", "--check", *where, "--json")
    told = json.loads(text)
    assert (code, set(told["unreadable"])) == (1, {damaged})
    assert told["readable"] > 0


def test_the_key_of_the_before_images_is_told_of_once(run, concluded):
    where, out, _ = concluded
    assert "new key" not in run(*apply_to(out), *where)[2]  # the run made it, and said so
    key = next((out.parent / "state" / "resolver").glob("*.key"))
    key.rename(key.with_suffix(".lost"))
    code, text, _ = run("restore", "--check", *where, "--json")
    assert code == 1
    assert json.loads(text)["readable"] == 0


def test_a_stop_file_and_a_closed_window_keep_merges_from_beginning(run, concluded, tmp_path):
    where, out, profiles = concluded
    before = profiles()
    (out / "STOP").touch()
    code, _, err = run(*apply_to(out), *where)
    assert code == 3
    assert "STOP" in err
    (out / "STOP").unlink()
    code, _, err = run(*apply_to(out, "--until", "25:99"), *where)
    assert code == 2
    assert "25:99" in err
    assert profiles() == before


def test_a_canary_that_meets_a_surprise_ends_the_run(run, concluded, endpoint, monkeypatch):
    where, out, profiles = concluded
    before = profiles()
    faults = Faults()
    monkeypatch.setattr(endpoint.service, "settings", Settings(faults=faults))
    faults.plan("MergeProfiles", Fault("fail_before"))
    code, text, _ = run(*apply_to(out, "--canary", 2), *where)
    report = json.loads(text)
    assert code == 4
    assert report["by_result"]["failed"] == 1
    assert report["by_result"]["not reached"] == plans_of(out).height - 1
    assert "canary" in report["stopped"]
    assert profiles() == before
    code, text, _ = run(*apply_to(out, "--canary", 2), *where)
    assert (code, json.loads(text)["complete"]) == (0, True)


def test_ledger_key_prints_a_key_that_works(run, tmp_path, monkeypatch):
    code, key, _ = run("ledger-key")
    assert code == 0
    monkeypatch.setenv("RESOLVER_LEDGER_KEY", key.strip())
    code, text, _ = run("ledger-key", "--reseal", "--ledger", tmp_path / "l.db", "--json")
    assert (code, json.loads(text)) == (0, {"resealed": 0})
    assert run("ledger-key", "--reseal")[0] == 2


@pytest.fixture(params=["sqlite", "postgres"])
def ledger_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shared.db"
    return request.getfixturevalue("postgres_url")


def start(arguments, ledger_url):
    command = [sys.executable, "-m", "resolver", *map(str, arguments), "--ledger", ledger_url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))  # noqa: S603  # our own


def wait_for_a_merge(profiles, before):
    for _ in range(2400):
        if profiles() < before:
            return
        time.sleep(0.1)
    raise TimeoutError("no merge in four minutes")


@pytest.mark.timeout(1200)
def test_of_two_executors_one_works_and_a_killed_one_is_succeeded(concluded, ledger_url):
    where, out, profiles = concluded
    before = profiles()
    slow = ("apply", "--run", out, "--quiet", "--json", "--merges-per-second", 0.02, *where)
    first = start(slow, ledger_url)
    try:
        wait_for_a_merge(profiles, before)
        second = start(slow, ledger_url)
        _, said = second.communicate(timeout=240)
        assert second.returncode == 75
        assert b"is at work there" in said
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
    third = start(apply_to(out, *where), ledger_url)
    answer, _ = third.communicate(timeout=240)
    report = json.loads(answer)
    assert (third.returncode, report["complete"]) == (0, True)
    assert profiles() == before - plans_of(out)["merged_profile_ids"].list.len().sum()


@pytest.mark.timeout(600)
def test_sigterm_ends_merging_after_the_call_in_hand_and_the_next_run_does_the_rest(run, concluded):
    where, out, profiles = concluded
    before = profiles()
    ledger = ledger_of(where)
    process = start(("apply", "--run", out, "--quiet", "--json", "--merges-per-second", 0.2, *where), ledger)
    try:
        wait_for_a_merge(profiles, before)
        process.send_signal(signal.SIGTERM)
        answer, said = process.communicate(timeout=120)
    finally:
        process.kill()
    report = json.loads(answer)
    assert (process.returncode, report["stopped"].startswith("stopped"), said) == (4, True, b"")
    assert report["profiles_merged_away"], "the call in hand was finished; its plan may have calls left"
    assert report["by_result"].get("applied", 0) < plans_of(out).height
    assert profiles() == before - report["profiles_merged_away"]
    with open_ledger(ledger) as memory:
        assert memory.open_intents(DOMAIN) == memory.unclear(DOMAIN) == []
        assert len(memory.survivors(DOMAIN)) == report["profiles_merged_away"]
    code, text, _ = run(*apply_to(out), *where)
    assert (code, json.loads(text)["complete"]) == (0, True)
    assert profiles() == before - plans_of(out)["merged_profile_ids"].list.len().sum()
