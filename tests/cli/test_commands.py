"""Every command as a user runs it, on a small domain of the sample generator."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import polars as pl
import pytest

from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.local.server import running
from resolver.profiles.domain import ConnectionSettings, Domain, connect

DOMAIN = "shop"


@pytest.fixture(scope="module")
def sample():
    return make_sample(300, seed=3)


@pytest.fixture
def people(sample, tmp_path):
    """The sample as a CSV file with its truth in a column that must never be evidence."""
    rows = [
        {
            "profile_id": p["ProfileId"],
            "entity_id": sample.truth[p["ProfileId"]],
            **{k: v for k, v in p.items() if isinstance(v, str) and k != "ProfileId"},
            **p.get("Address", {}),
        }
        for p in sample.profiles
    ]
    path = tmp_path / "people.csv"
    pl.DataFrame(rows, infer_schema_length=None).write_csv(path)
    return path


@pytest.fixture
def kept_store(request, copied_run):
    return copied_run(300, 3) if "ran" in request.fixturenames else None


@pytest.fixture
def ran(kept_store, tmp_path):
    """Where `run` has concluded on the sample and merged nothing."""
    return tmp_path / "run"


@pytest.fixture
def domain(sample, endpoint, kept_store, tmp_path):
    """The sample loaded into a running service; the options that reach it, and its keys."""
    keys = tmp_path / "keys.csv"
    if kept_store is None:
        load_profiles(endpoint.store, DOMAIN, sample.profiles)
        pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    paced = ("--calls-per-second", 0)
    return ("--domain", DOMAIN, "--endpoint-url", endpoint.url, "--quiet"), (*paced, "--keys", keys)


def test_match_writes_every_profile_once_and_never_reads_the_truth(run, people, tmp_path):
    code, out, _ = run("match", people, "--out", tmp_path / "out", "--json", "--quiet")
    assert code == 0
    report = json.loads(out)
    assert report == json.loads((tmp_path / "out" / "match.json").read_text(encoding="utf-8"))
    clusters = pl.read_parquet(tmp_path / "out" / "clusters.parquet")
    assert clusters["profile_id"].n_unique() == clusters.height == report["profiles"] == 300
    pairs = pl.read_parquet(tmp_path / "out" / "pairs.parquet")
    assert {"profile_id_left", "profile_id_right", "match_weight", "match_probability", "band"} <= set(
        pairs.columns
    )
    assert not any("entity_id" in name for name in pairs.columns)


def test_match_writes_what_merges_would_do_where_that_is_asked_for(run, people, tmp_path):
    out = tmp_path / "out"
    assert run("match", people, "--out", out, "--plans", "--quiet")[0] == 0
    plans, choices = (pl.read_parquet(out / f"{n}.parquet") for n in ("plan_preview", "field_choices"))
    clusters = pl.read_parquet(out / "clusters.parquet").filter(pl.col("size") > 1)
    assert set(plans["cluster_id"]) == set(clusters["cluster_id"])
    assert set(choices["cluster_id"]) <= set(plans["cluster_id"])
    stages = json.loads((out / "match.json").read_text(encoding="utf-8"))["stages"]
    assert stages[-1]["stage"] == "plan"
    assert stages[-1]["plans"] == plans.height
    # nothing that carries plans out takes these for a run's
    assert run("apply", "--run", out, "--domain", "shop", "--quiet")[0] == 2
    assert run("match", people, "--out", out, "--quiet")[0] == 0
    assert not (out / "plan_preview.parquet").exists(), "of clusters that are no more"


def test_evaluate_scores_clusters_against_the_truth(run, people, tmp_path):
    assert run("match", people, "--out", tmp_path / "out", "--quiet")[0] == 0
    code, out, _ = run("evaluate", tmp_path / "out" / "clusters.parquet", people, "--json")
    scores = json.loads(out)
    assert code == 0
    assert scores["profiles"] == 300
    assert 0 < scores["pairwise_f1"] <= 1
    assert len(scores["wrong_pairs"]) <= 40


def test_explain_walks_from_prior_to_total(run, people, tmp_path):
    assert run("match", people, "--out", tmp_path / "out", "--quiet")[0] == 0
    pair = pl.read_parquet(tmp_path / "out" / "pairs.parquet").sort("match_weight").row(-1, named=True)
    ids = (pair["profile_id_left"], pair["profile_id_right"])
    code, out, _ = run("explain", *ids, "--file", people, "--json", "--quiet")
    told = json.loads(out)
    assert code == 0
    assert told["total"] == pytest.approx(pair["match_weight"], abs=1e-3)
    weights = sum(line["weight"] for line in told["evidence"])
    assert told["prior"] + weights - told["relation_discount"] == pytest.approx(told["total"], abs=1e-3)
    code, out, _ = run("explain", *ids, "--file", people, "--quiet")
    assert code == 0
    assert "prior" in out
    assert "total" in out
    assert "found by" in out


def test_explain_says_why_not(run, people):
    frame = pl.read_csv(people, infer_schema=False)
    first = frame.row(0, named=True)
    other = next(
        r
        for r in frame.iter_rows(named=True)
        if r["LastName"] != first["LastName"] and r["City"] != first["City"]
    )
    code, out, _ = run("explain", first["profile_id"], other["profile_id"], "--file", people, "--quiet")
    assert code == 0
    assert "apart" in out
    code, _, err = run("explain", first["profile_id"], "nobody", "--file", people, "--quiet")
    assert code == 2
    assert "nobody" in err


def test_progress_is_one_json_line_a_stage_where_stderr_is_no_terminal(run, people, tmp_path):
    _, _, err = run("match", people, "--out", tmp_path / "out", "--json")
    stages = [json.loads(line) for line in err.splitlines()]
    assert [s["stage"] for s in stages][:2] == ["read", "standardise"]
    assert all(s["seconds"] >= 0 and s["peak_mib"] > 0 for s in stages)


def test_local_load_replaces_other_ids_by_stable_ones_and_writes_the_mapping(run, tmp_path):
    file = tmp_path / "few.csv"
    kept = "0" * 31 + "a"
    file.write_text(f"profile_id,FirstName\n{kept},Ana\nmine-7,Bea\n", encoding="utf-8")
    where = ("--domain", DOMAIN, "--data", tmp_path / "s.sqlite", "--mapping", tmp_path / "ids.csv")
    code, out, _ = run("local", "load", file, *where, "--json")
    assert code == 0
    assert json.loads(out)["profiles_loaded"] == 2
    mapping = dict(pl.read_csv(tmp_path / "ids.csv").iter_rows())
    assert mapping[kept] == kept
    assert len(mapping["mine-7"]) == 32


def test_local_commands_want_one_target(run, people):
    code, _, err = run("local", "load", people, "--domain", DOMAIN)
    assert code == 2
    assert "--data" in err
    assert "--endpoint-url" in err


def test_local_load_into_a_running_service(run, people, endpoint):
    code, out, _ = run("local", "load", people, "--domain", DOMAIN, "--endpoint-url", endpoint.url, "--json")
    assert code == 0
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    assert client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"] == 300
    code, out, _ = run("local", "match-job", "--domain", DOMAIN, "--endpoint-url", endpoint.url, "--json")
    assert code == 0
    assert json.loads(out)
    assert client.get_matches(DomainName=DOMAIN)["PotentialMatches"] > 0


def test_local_load_where_nothing_listens_is_one_clear_error(run, people):
    code, _, err = run("local", "load", people, "--domain", DOMAIN, "--endpoint-url", "http://127.0.0.1:9")
    assert code == 2
    assert "http://127.0.0.1:9" in err
    assert err.count("\n") == 1


def test_export_writes_what_its_seeds_lead_to(run, domain, tmp_path):
    where, seeds = domain
    code, out, _ = run("export", *where, *seeds, "--out", tmp_path / "p.parquet", "--json")
    report = json.loads(out)
    frame = pl.read_parquet(tmp_path / "p.parquet")
    assert code == 0
    assert report["profiles"] == frame.height == frame["profile_id"].n_unique()
    assert report["completeness"] == pytest.approx(frame.height / 300)


def test_a_run_changes_nothing_until_it_is_applied_and_then_as_predicted(run, ran, domain, endpoint):
    (where, _), out = domain, ran
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)

    def count() -> int:
        return client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"]

    assert count() == 300
    plans = pl.read_parquet(out / "plans.parquet").filter(pl.col("band") == "merge")
    assert plans.height > 3

    code, text, _ = run("plan", "show", plans["plan_id"][0], "--run", out)
    assert code == 0
    assert plans["main_profile_id"][0] in text
    code, text, _ = run("apply", *where, "--run", out, "--dry-run", "--json")
    assert (code, json.loads(text)["by_result"]) == (0, {"would apply": plans.height})
    assert count() == 300

    code, text, _ = run("apply", *where, "--run", out, "--merges-per-second", 0, "--limit", 1, "--json")
    first = json.loads(text)
    assert code == 0, "what a limit leaves for later is no failure"
    assert first["by_result"]["applied"] == 1
    assert count() == 300 - first["profiles_merged_away"]
    code, text, _ = run("apply", *where, "--run", out, "--merges-per-second", 0, "--json")
    second = json.loads(text)
    assert code == 0
    assert second["by_result"] == {"applied": plans.height - 1, "already applied": 1}
    assert count() == 300 - first["profiles_merged_away"] - second["profiles_merged_away"]


def test_run_merges_no_more_than_its_limit(run, domain, tmp_path):
    where, seeds = domain
    paced = ("--merges-per-second", 0, "--limit", 2, "--json")
    code, text, _ = run("run", *where, *seeds, "--out", tmp_path / "run", "--apply", *paced)
    applied = json.loads(text)["apply"]
    assert (code, applied["complete"], applied["reached_limit"]) == (0, False, True)
    assert applied["by_result"]["applied"] == 2


def test_plans_of_another_rule_set_are_refused(run, ran, domain):
    (where, _), out = domain, ran
    cautious = Path(__file__).parents[2] / "rules" / "cautious.toml"
    code, _, err = run("apply", *where, "--run", out, "--rules", cautious, "--dry-run")
    assert code == 2
    assert "other rules" in err
    jsonl = pl.read_ndjson(out / "plans.jsonl")
    assert jsonl["plan_id"].to_list() == pl.read_parquet(out / "plans.parquet")["plan_id"].to_list()


def test_a_domain_of_the_embedded_service_has_one_ledger_for_all_runs_and_ports(domain, endpoint, tmp_path):
    with running(endpoint.service) as again:
        at = [Domain(DOMAIN, connect(ConnectionSettings(url))) for url in (endpoint.url, again)]
        first, moved = (default_ledger(store, tmp_path / name) for store, name in zip(at, "ab", strict=True))
        assert first == moved
        at[0].clients.read.delete_domain(DomainName=DOMAIN)
        at[0].clients.read.create_domain(DomainName=DOMAIN, DefaultExpirationDays=366)
        assert default_ledger(at[0], tmp_path / "a") != first


def test_a_domain_of_aws_has_one_ledger_whatever_the_output_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    store = Domain("shop", connect(ConnectionSettings(region="eu-central-1")))
    other = Domain("shop", connect(ConnectionSettings(region="us-east-1")))
    assert default_ledger(store, tmp_path / "a") == default_ledger(store, tmp_path / "b")
    assert default_ledger(store, tmp_path / "a") != default_ledger(other, tmp_path / "a")
    with open_ledger(default_ledger(store, tmp_path / "a")) as ledger:
        assert str(tmp_path / "state") in ledger.place


def test_a_plan_whose_member_changed_is_refused_and_the_exit_code_says_partly(run, ran, domain, endpoint):
    (where, _), out = domain, ran
    plans = pl.read_parquet(out / "plans.parquet").filter(pl.col("band") == "merge")
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    client.update_profile(
        DomainName=DOMAIN, ProfileId=plans["main_profile_id"][0], AdditionalInformation="called again"
    )
    code, text, _ = run("apply", *where, "--run", out, "--merges-per-second", 0, "--json")
    applied = json.loads(text)
    assert code == 4
    assert applied["by_result"] == {"applied": plans.height - 1, "refused": 1}
    assert list(applied["reasons"]) == [plans["plan_id"][0]]


def test_plan_show_says_when_no_plan_or_no_run_is_there(run, tmp_path):
    code, _, err = run("plan", "show", "abc", "--run", tmp_path)
    assert code == 2
    assert "plans.parquet" in err


def test_rules_check_and_schema(run, tmp_path):
    code, out, _ = run("rules", "check", "--json")
    assert code == 0
    assert json.loads(out)["rule_set"] == "default"
    code, out, _ = run("rules", "schema")
    assert code == 0
    assert "comparisons" in json.loads(out)["properties"]
    (tmp_path / "bad.toml").write_text("name = 7\n", encoding="utf-8")
    code, _, err = run("rules", "check", tmp_path / "bad.toml")
    assert code == 2
    assert "bad.toml" in err


def test_the_demo_does_the_whole_job_and_reports_it(run, tmp_path):
    code, out, _ = run("demo", "--profiles", 300, "--out", tmp_path / "demo", "--json", "--quiet")
    assert code == 0
    report = json.loads(out)
    assert report["apply"]["complete"]
    assert report["profile_count"]["before"] == 300
    assert report["profile_count"]["after"] == 300 - report["apply"]["profiles_merged_away"]
    assert report["truth"]["merges"]["precision"] > 0.9
    saved = json.loads((tmp_path / "demo" / "report.json").read_text(encoding="utf-8"))
    assert saved["truth"] == report["truth"]
    for kind in ("phones", "e-mails"):
        assert report["ambiguous_keys"][kind]["after"] <= report["ambiguous_keys"][kind]["before"]


def test_version_and_help(run):
    assert run("--version") == (0, "resolver 0.1.0\n", "")
    code, out, _ = run("--help")
    assert code == 0
    work = ("demo", "match", "run", "apply", "export", "evaluate", "local", "plan", "rules")
    for command in (*work, "restore", "history", "forget", "drill", "ledger-key"):
        assert command in out


def test_a_match_has_a_report_for_people_a_page_and_a_table_for_a_spreadsheet(run, people, tmp_path):
    out = tmp_path / "out"
    code, said, _ = run("match", people, "--out", out, "--quiet")
    assert code == 0
    figures = json.loads((out / "match.json").read_text(encoding="utf-8"))
    customers = f"{figures['clusters']['customers']:,}; "
    assert customers in said
    assert f"resolver report {out}" in said
    code, told, _ = run("report", out)
    assert code == 0
    assert customers in told
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    emails = pl.read_csv(people, infer_schema=False)["EmailAddress"].drop_nulls()
    assert len(emails) > 50
    assert not [address for address in emails if address in page]
    table = pl.read_csv(out / "clusters.csv", infer_schema=False)
    clusters = pl.read_parquet(out / "clusters.parquet")
    key = ["profile_id", "cluster_id"]
    assert table.select(key).sort(key).equals(clusters.select(key).sort(key))
    assert table["size"].cast(int).is_sorted(descending=True)


def test_a_match_without_its_table_has_no_report(run, people, tmp_path):
    assert run("match", people, "--out", tmp_path / "out", "--quiet")[0] == 0
    (tmp_path / "out" / "clusters.parquet").unlink()
    code, _, err = run("report", tmp_path / "out")
    assert code == 2
    assert "clusters.parquet" in err
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_column_that_is_no_field_is_told_as_an_attribute(run, tmp_path):
    file = tmp_path / "own.csv"
    file.write_text(
        "profile_id,first_name,Telephone,City\n1,Ana,600,Oslo\n2,Ana,600,Oslo\n", encoding="utf-8"
    )
    code, said, _ = run("match", file, "--out", tmp_path / "out", "--quiet")
    assert code == 0
    lines = {line[:20].strip(): line[20:] for line in said.splitlines()}
    assert lines["Fields"] == "FirstName, Address"
    assert lines["as attributes"] == "Telephone"
