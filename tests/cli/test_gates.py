"""A bad week is held, by whatever command, until a person lets it pass."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import polars as pl
import pytest

from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.profiles.domain import ConnectionSettings, Domain, connect
from resolver.rule_file import rules_directory

DOMAIN = "shop"


@pytest.fixture
def kept_store(request, copied_run):
    return copied_run(300, 3) if "first_week" in request.fixturenames else None


@pytest.fixture
def first_week(kept_store, tmp_path):
    """The job has run once, into ``first``, and merged nothing."""
    (tmp_path / "run").rename(tmp_path / "first")


@pytest.fixture
def shop(kept_store, endpoint, tmp_path):
    """A domain of 300 profiles; (the service's URL, its sample)."""
    sample = make_sample(300, seed=3)
    if kept_store is None:
        load_profiles(endpoint.store, DOMAIN, sample.profiles)
        keys = pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row")
        keys.write_csv(tmp_path / "keys.csv")
    return endpoint.url, sample


@pytest.fixture
def weeks(run, shop, tmp_path):
    """A job on the domain; ``bad_week`` empties a field there."""
    url, sample = shop
    keys, where = tmp_path / "keys.csv", ("--domain", DOMAIN, "--endpoint-url", url)

    def job(name: str, *more: object):
        paced = ("--calls-per-second", 0, "--merges-per-second", 0)
        code, out, _ = run(
            "run", *where, *paced, "--keys", keys, "--out", tmp_path / name, "--json", "--quiet", *more
        )
        return code, json.loads(out)

    def bad_week() -> list[str]:
        client = connect(ConnectionSettings(url, "us-east-1")).read
        ids = [p["ProfileId"] for p in sample.profiles if "LastName" in p]
        profiles = pl.read_parquet(tmp_path / "first" / "profiles.parquet")
        there = set(profiles["profile_id"]) & set(ids)
        for profile_id in sorted(there)[: len(there) // 2]:
            client.update_profile(DomainName=DOMAIN, ProfileId=profile_id, LastName="")
        return sorted(there)[: len(there) // 2]

    return where, job, bad_week


@pytest.mark.usefixtures("first_week")
def test_a_run_that_lost_a_field_is_held_says_so_and_merges_nothing(run, weeks, endpoint, tmp_path):
    where, job, bad_week = weeks
    first = json.loads((tmp_path / "first" / "report.json").read_text())
    assert (first["gate"]["state"], first["gate"]["compared_with"]) == ("passed", None)
    emptied = bad_week()
    code, second = job("second", "--apply")
    assert code == 3
    assert second["apply"] is None
    assert second["gate"]["compared_with"] == first["run_id"]
    (breach,) = [b for b in second["gate"]["breaches"] if b["figure"] == "fill_rate.last_name"]
    assert breach["now"] < 0.6 < breach["before"]
    assert breach["limit"] == "a fall of at most 20%, or 0.1"
    assert breach["examples"]
    profiles = pl.read_parquet(tmp_path / "second" / "profiles.parquet")
    lacking = set(profiles.filter(pl.col("last_name").is_null())["profile_id"])
    assert set(breach["examples"]) <= lacking
    assert lacking & set(emptied)
    assert second["plans"]["merge"] > 0

    apply = ("apply", *where, "--run", tmp_path / "second", "--quiet")
    for more in ((), ("--dry-run",)):
        code, _, err = run(*apply, *more)
        assert code == 3
        assert second["run_id"] in err
    client = connect(ConnectionSettings(endpoint.url, "us-east-1")).read
    assert client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"] == 300

    release = ("release", *where, "--by", "Ana")
    assert run(*release, second["run_id"], "--reason", " ")[0] == 2
    assert run(*release, first["run_id"], "--reason", "why not")[0] == 2
    code, out, _ = run(*release, second["run_id"], "--reason", "the source stopped sending names", "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["released_by"]) == (0, "released", "Ana")
    assert run(*apply)[0] in {0, 4}
    code, third = job("third")
    assert (code, third["gate"]["compared_with"]) == (0, second["run_id"])


def test_clusters_keep_their_ids_through_merges_and_held_runs_leave_them_alone(weeks, endpoint, tmp_path):
    _, job, _ = weeks
    _, first = job("first", "--apply")
    assert first["lineage"]["new"] == first["clusters"]["of_two_or_more"]
    _, second = job("second")
    assert second["gate"]["state"] == "passed"
    assert second["lineage"]["kept"] > 0
    assert second["lineage"]["new"] == second["lineage"]["gone"] == 0
    url = default_ledger(Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1"))), None)
    with open_ledger(url) as ledger:
        ids = dict(ledger.cluster_members(DOMAIN).select("profile_id", "persistent_id").iter_rows())
        into = ledger.survivors(DOMAIN)
    assert into
    assert all(ids[gone] == ids[survivor] for gone, survivor in into.items())
    lineage = [pl.read_parquet(tmp_path / name / "lineage.parquet") for name in ("first", "second")]
    assert set(lineage[0]["persistent_id"]) <= set(lineage[1]["persistent_id"])
    others = lineage[1].filter(~pl.col("persistent_id").is_in(lineage[0]["persistent_id"].implode()))
    assert set(others["change"]) <= {"split"}


@pytest.mark.usefixtures("first_week")
def test_plans_of_a_held_run_stay_held_where_the_ledger_does_not_know_the_run(run, weeks, tmp_path):
    where, job, bad_week = weeks
    bad_week()
    assert job("second", "--apply")[0] == 3
    code, _, err = run("apply", *where, "--run", tmp_path / "second", "--ledger", tmp_path / "other.sqlite")
    assert code == 3
    assert "another ledger" in err


@pytest.mark.usefixtures("first_week")
def test_a_plan_of_a_held_run_that_a_good_run_concludes_too_is_free(weeks, endpoint, tmp_path):
    _, job, bad_week = weeks
    emptied = bad_week()
    code, second = job("second", "--apply")
    assert code == 3
    assert second["plans"]["review"] > 0
    names = dict(
        pl.read_parquet(tmp_path / "first" / "profiles.parquet").select("profile_id", "last_name").iter_rows()
    )
    client = connect(ConnectionSettings(endpoint.url, "us-east-1")).read
    for profile_id in emptied:
        client.update_profile(DomainName=DOMAIN, ProfileId=profile_id, LastName=names[profile_id])
    code, third = job("third", "--apply")
    assert third["gate"]["state"] == "passed"
    plans = [pl.read_parquet(tmp_path / name / "plans.parquet") for name in ("second", "third")]
    both = set(plans[0]["plan_id"]) & set(plans[1].filter(pl.col("band") == "review")["plan_id"])
    assert both, "a review plan that the bad week did not touch"
    url = default_ledger(Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1"))), None)
    with open_ledger(url) as ledger:
        held = ledger.held_plans(DOMAIN)
    assert not both & held.keys()
    assert set(plans[0]["plan_id"]) - set(plans[1]["plan_id"]) <= held.keys()


@pytest.mark.usefixtures("first_week")
def test_plans_of_a_run_that_died_before_its_audit_are_not_carried_out(run, weeks, tmp_path, monkeypatch):
    where, job, _ = weeks
    assert json.loads((tmp_path / "first" / "gate.json").read_text())["state"] == "passed"

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("resolver.app.running.audit", die)
        with pytest.raises((KeyboardInterrupt, json.JSONDecodeError)):
            job("first")
    left = {path.name for path in (tmp_path / "first").iterdir()}
    assert "plans.parquet" in left
    assert not left & {"gate.json", "report.json", "report.html"}, "no verdict or report of another run"
    code, _, err = run("apply", *where, "--run", tmp_path / "first")
    assert (code, "before its plans were audited" in err) == (2, True)

    assert job("first")[0] == 0
    code, out, _ = run("apply", *where, "--run", tmp_path / "first", "--json", "--quiet")
    assert (code, json.loads(out)["by_result"].keys()) == (0, {"applied"})


@pytest.mark.usefixtures("first_week")
def test_a_verdict_that_is_none_or_of_another_domain_is_refused(run, weeks, tmp_path):
    where, _, _ = weeks
    verdicts = {
        json.dumps(
            {"run_id": "r", "domain": "other", "state": "passed", "at": "2026-03-01T12:00:00+00:00"}
        ): "the audit was of domain other",
        '{"run_id": "r"': "not the verdict of a run",
        '["passed"]': "not the verdict of a run",
    }
    for verdict, named in verdicts.items():
        (tmp_path / "first" / "gate.json").write_text(verdict)
        code, _, err = run("apply", *where, "--run", tmp_path / "first")
        assert (code, named in err) == (2, True)


@pytest.mark.usefixtures("first_week")
def test_plans_older_than_the_rule_set_allows_are_held(run, weeks, tmp_path):
    where, _, _ = weeks
    verdict = tmp_path / "first" / "gate.json"
    written = json.loads(verdict.read_text())
    begun = datetime.fromisoformat(written["at"])
    verdict.write_text(json.dumps({**written, "at": (begun - timedelta(days=8)).isoformat()}))
    for more in ((), ("--dry-run",)):
        code, _, err = run("apply", *where, "--run", tmp_path / "first", *more)
        assert (code, "8.0 days old" in err, "run it again" in err) == (3, True, True)

    verdict.write_text(json.dumps(written))
    assert run("apply", *where, "--run", tmp_path / "first", "--quiet")[0] == 0


def test_a_rule_set_may_say_which_role_merges(run, weeks, tmp_path, monkeypatch):
    where, job, _ = weeks
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)  # requests to the embedded service go unsigned
    rules = tmp_path / "rules.toml"
    rules.write_text(
        (rules_directory() / "default.toml")
        .read_text()
        .replace("allowed_roles = []", 'allowed_roles = ["arn:aws:iam::*:role/merge"]')
    )
    code, _ = job("first", "--rules", rules)
    assert code == 0
    code, _, err = run("apply", *where, "--run", tmp_path / "first", "--rules", rules)
    assert (code, "unsigned may not merge or restore" in err) == (3, True)


def test_with_an_acceptance_gate_nothing_runs_unattended_before_anybody_has_looked(run, weeks, tmp_path):
    where, job, _ = weeks
    rules = tmp_path / "rules.toml"
    text = (rules_directory() / "default.toml").read_text()
    rules.write_text(text.replace("acceptance_gate = 0", "acceptance_gate = 0.015"))
    code, report = job("first", "--rules", rules, "--apply")
    assert code == 0
    assert report["apply"]["plans"] == 0
    acceptance = report["acceptance"]
    assert acceptance["plans_held"] == report["plans"]["merge"] > 0
    assert {one["wrong_at_most"] for one in acceptance["patterns"]} == {1.0}
    code, out, _ = run("apply", *where, "--run", tmp_path / "first", "--rules", rules, "--json", "--quiet")
    assert (code, json.loads(out)["acceptance"]["plans_held"]) == (0, acceptance["plans_held"])
    assert job("second", "--apply")[1]["acceptance"]["patterns"] is None
