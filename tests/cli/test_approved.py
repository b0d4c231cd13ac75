"""What reviewers approved is merged as they approved it."""

from __future__ import annotations

import json

import boto3
import polars as pl
import pytest

from resolver.app.results import read_plans
from resolver.app.reviewing import drafting
from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.judging import Ask, judge
from resolver.app.reviewing.reading import read_batch
from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.profiles.domain import ConnectionSettings, Domain, connect
from resolver.rule_file import load_rules

DOMAIN = "shop"


@pytest.fixture
def concluded(run, endpoint, tmp_path):
    """A run that merged nothing; (where, its directory, the URL of its ledger)."""
    sample = make_sample(200, seed=3)
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    where = ("--domain", DOMAIN, "--endpoint-url", endpoint.url)
    paced = ("--calls-per-second", 0, "--quiet")
    assert run("run", *where, *paced, "--keys", keys, "--out", tmp_path / "run")[0] == 0
    url = default_ledger(Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1"))), None)
    return where, tmp_path / "run", url


def ask(desk: Desk, cluster_id: str, verdict: str) -> Ask:
    case = desk.batch.cases[cluster_id]
    seq = desk.standing(cluster_id).seq
    return Ask(cluster_id, verdict, seq, case.version, "ana", confirmed=True)


def test_the_main_profile_that_a_person_chose_stays_and_what_they_told_apart_is_not_merged(run, concluded):
    where, out, url = concluded
    plans = read_plans(out)
    ready = [plan for plan in plans if plan.band == "merge"]
    waiting = next(p for p in plans if p.band == "review" and len(p.steps) == 1 and ":" not in p.cluster_id)
    with open_ledger(url) as ledger:
        desk = Desk(read_batch(out, load_rules()), ledger.reviews, second_share=0.0, blind_share=0.0)
        chosen = waiting.merged_profile_ids[0]
        drafting.choose_main(desk, (waiting.cluster_id, "ana"), chosen)
        assert judge(desk, ask(desk, waiting.cluster_id, "merge")).kind == "saved"
        apart = next(p for p in ready if p.cluster_id != waiting.cluster_id)
        assert judge(desk, ask(desk, apart.cluster_id, "not_same")).kind == "saved"

    apply = ("apply", *where, "--run", out, "--merges-per-second", 0, "--json", "--quiet")
    told = json.loads(run(*apply, "--dry-run")[1])
    assert told["plans"] == len(ready)
    code, text, err = run(*apply, "--approved")
    report = json.loads(text)
    assert code == 4, "one was refused"
    assert report["reasons"] == {apart.plan_id: "ana said that two of these are different customers"}, err
    client = boto3.client("customer-profiles", endpoint_url=where[3])

    def there(profile_ids):
        found = client.batch_get_profile(DomainName=DOMAIN, ProfileIds=list(profile_ids))["Profiles"]
        return {profile["ProfileId"] for profile in found}

    assert there(waiting.profile_ids) == {chosen}
    assert there(apart.profile_ids) == set(apart.profile_ids)
    receipts = json.loads(run("history", *where, "--json")[1])["merges"]
    assert any(merge["approved_by"].startswith("reviewer ana") for merge in receipts)
