"""What the person who looks after the job asks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import boto3
import polars as pl
import pytest

from resolver.cli.job import default_ledger
from resolver.cli.output import LOG_FIELDS, Output
from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.profiles.domain import ConnectionSettings, Domain, connect
from resolver.rule_file import rules_directory

DOMAIN = "shop"


@pytest.fixture
def where(endpoint, tmp_path):
    sample = make_sample(120, seed=5)
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(tmp_path / "keys.csv")
    return ("--domain", DOMAIN, "--endpoint-url", endpoint.url)


def test_status_tells_what_the_ledger_knows(run, where, endpoint, tmp_path):
    code, out, _ = run("status", *where, "--json")
    told = json.loads(out)
    assert (code, told["last_run"], told["gate"], told["lease"]) == (0, None, None, None)
    paced = ("--calls-per-second", 0, "--merges-per-second", 0, "--quiet")
    job = ("run", *where, *paced, "--keys", tmp_path / "keys.csv", "--out", tmp_path / "run", "--json")
    report = json.loads(run(*job, "--apply")[1])
    code, out, _ = run("status", *where, "--json")
    told = json.loads(out)
    assert told["last_run"]["run_id"] == told["gate"]["run_id"] == report["run_id"]
    assert told["last_run"]["outcome"] in {"complete", "partly"}
    assert told["gate"]["state"] == "passed"
    assert told["reviews"] == {"plans_for_review": report["plans"]["review"], "clusters_judged": 0}
    assert (told["open_intents"], told["unclear_merges"], told["lease"]) == (0, 0, None)
    assert told["ledger"] == report["ledger"]
    url = default_ledger(Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1"))), None)
    with open_ledger(url) as ledger:
        ledger.acquire_lease(DOMAIN, "run x of ana", datetime.now(UTC))
    _, out, _ = run("status", *where)
    assert "run x of ana until" in out
    assert f"{report['plans']['review']:,} plans for a person, 0 judged" in out


def test_metrics_are_one_line_whose_figures_the_domain_confirms(run, where, endpoint, tmp_path):
    job = ("run", *where, "--calls-per-second", 0, "--merges-per-second", 0, "--keys", tmp_path / "keys.csv")
    code, _, err = run(*job, "--out", tmp_path / "run", "--apply", "--metrics", "emf", "--quiet")
    assert code in {0, 4}
    (line,) = [json.loads(text) for text in err.splitlines() if text.startswith("{")]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Resolver"
    assert directive["Dimensions"] == [["Domain"]]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert len(names) == len(set(names)) <= 100  # the format's limit
    assert all(isinstance(line[name], int) for name in names)
    assert set(line) == {"_aws", "Domain", "RunId", *names}
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    assert client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"] == 120 - line["ProfilesMergedAway"]
    assert line["Profiles"] == pl.read_parquet(tmp_path / "run" / "profiles.parquet").height
    assert (line["Held"], line["FiguresBeyondLimit"]) == (0, 0)


def test_every_stage_of_a_run_is_logged_whole_and_nothing_else_can_be(run, where, tmp_path, capsys):
    job = ("run", *where, "--calls-per-second", 0, "--merges-per-second", 0, "--keys", tmp_path / "keys.csv")
    code, out, err = run(*job, "--out", tmp_path / "run", "--apply", "--json")
    assert code in {0, 4}
    logged = [json.loads(text) for text in err.splitlines() if text.startswith('{"stage"')]
    assert logged == json.loads(out)["stages"]
    assert {key for line in logged for key in line} - {"stage"} <= LOG_FIELDS
    Output().stage("export", {"profiles": 3, "last_name": "Ruiz", "detail": "Ana"})
    assert json.loads(capsys.readouterr().err) == {"stage": "export", "profiles": 3}


def test_diff_compares_two_rule_sets_on_one_export(run, where, tmp_path):
    job = ("run", *where, "--calls-per-second", 0, "--keys", tmp_path / "keys.csv", "--quiet")
    assert run(*job, "--out", tmp_path / "a")[0] == 0
    file = tmp_path / "a" / "profiles.parquet"
    cautious = rules_directory() / "cautious.toml"
    assert run("match", file, "--out", tmp_path / "b", "--rules", cautious, "--quiet")[0] == 0
    code, out, _ = run("diff", tmp_path / "a", tmp_path / "b", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["profiles"]["before"] == told["profiles"]["after"]
    sizes = [pl.read_parquet(tmp_path / d / "clusters.parquet") for d in ("a", "b")]
    groups = [
        c.filter(pl.col("size") > 1).group_by("cluster_id").agg(pl.col("profile_id").sort())["profile_id"]
        for c in sizes
    ]
    both = {tuple(ids) for ids in groups[0].to_list()} & {tuple(ids) for ids in groups[1].to_list()}
    assert told["clusters"]["kept"] == len(both)
    assert run("diff", tmp_path / "a", tmp_path / "nowhere")[0] == 2


def test_the_page_is_what_the_domain_shows(run, where, endpoint, tmp_path):
    """The claims of the report, counted anew from the service's answers and the domain's content."""
    job = ("run", *where, "--calls-per-second", 0, "--merges-per-second", 0, "--keys", tmp_path / "keys.csv")
    assert run(*job, "--out", tmp_path / "run", "--apply", "--quiet")[0] in {0, 4}
    code, out, _ = run("report", tmp_path / "run", "--json")
    report = json.loads(out)
    assert code == 0
    profiles = pl.read_parquet(tmp_path / "run" / "profiles.parquet")
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)

    def asked(key: str, value: str) -> int:
        return len(client.search_profiles(DomainName=DOMAIN, KeyName=key, Values=[value])["Items"])

    phones = ("phone_number", "mobile_phone_number", "home_phone_number", "business_phone_number")
    columns = [name for name in phones if name in profiles.columns]
    owners: dict[str, set[str]] = {}
    for row in profiles.iter_rows(named=True):
        for name in columns:
            if row[name] and "".join(c for c in row[name] if c.isdigit()):
                digits = "".join(c for c in row[name] if c.isdigit())[-10:]
                owners.setdefault(digits, set()).add(row[name])
    after = sum(asked("_phone", min(written)) > 1 for written in owners.values())
    keys = report["ambiguous_keys"]["phones"]
    assert (keys["after"], keys["before"] >= keys["after"]) == (after, True)
    gone = 120 - client.get_domain(DomainName=DOMAIN)["Stats"]["ProfileCount"]
    assert (
        report["apply"]["profiles_merged_away"]
        == gone
        == sum(m["profiles_merged_away"] for m in report["apply"]["undo"])
    )
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert f'data-figure="phones-after">{after}<' in page
    assert f'data-figure="merged-away">{gone}<' in page
    for merge in report["apply"]["undo"]:
        assert merge["plan_id"] in page
        code, _, _ = run("restore", merge["plan_id"], *where, "--json")
        assert code == 0
    values = [v for v in profiles["email_address"].drop_nulls().to_list() if len(v) > 5]
    assert values
    assert not any(value in page for value in values), "no customer's data"


def test_a_report_that_is_none_is_one_clear_error(run, tmp_path):
    (tmp_path / "report.json").write_text("{}")
    code, _, err = run("report", tmp_path)
    assert code == 2
    assert "without gate, lineage, history" in err
