"""What reviewers approved is merged as they approved it."""

from __future__ import annotations

import json
from time import sleep

import boto3
import pytest

from resolver.app.results import read_plans
from resolver.app.reviewing import drafting
from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.history import lines_of
from resolver.app.reviewing.judging import Ask, judge, undo
from resolver.app.reviewing.reading import read_batch
from resolver.app.reviewing.regretting import ask_for_restore, regret
from resolver.app.reviewing.releasing import releasable
from resolver.app.reviewing.standing import State
from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.profiles.domain import ConnectionSettings, Domain, connect
from resolver.rule_file import load_rules

DOMAIN = "shop"


@pytest.fixture
def kept_store(copied_run):
    return copied_run(200, 3)


@pytest.fixture
def concluded(endpoint, tmp_path):
    """A run that merged nothing; (where, its directory, the URL of its ledger)."""
    where = ("--domain", DOMAIN, "--endpoint-url", endpoint.url)
    url = default_ledger(Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1"))), None)
    return where, tmp_path / "run", url


def desk_of(out, ledger) -> Desk:
    return Desk(read_batch(out, load_rules()), ledger.reviews, second_share=0.0, blind_share=0.0)


def ask(desk: Desk, cluster_id: str, verdict: str) -> Ask:
    case = desk.batch.cases[cluster_id]
    seq = desk.standing(cluster_id).seq
    return Ask(cluster_id, verdict, seq, case.version, "ana", confirmed=True)


@pytest.fixture
def reviewed(concluded):
    """A plan merged by ana with another main profile, one that she told apart, and all that were ready."""
    _, out, url = concluded
    plans = read_plans(out)
    ready = [plan for plan in plans if plan.band == "merge"]
    waiting = next(p for p in plans if p.band == "review" and len(p.steps) == 1 and ":" not in p.cluster_id)
    with open_ledger(url) as ledger:
        desk = desk_of(out, ledger)
        chosen = waiting.merged_profile_ids[0]
        drafting.choose_main(desk, (waiting.cluster_id, "ana"), chosen)
        assert judge(desk, ask(desk, waiting.cluster_id, "merge")).kind == "saved"
        apart = next(p for p in ready if p.cluster_id != waiting.cluster_id)
        assert judge(desk, ask(desk, apart.cluster_id, "not_same")).kind == "saved"
    return waiting, apart, ready


def test_the_main_profile_that_a_person_chose_stays_and_what_they_told_apart_is_not_merged(
    run, concluded, reviewed
):
    where, out, _ = concluded
    waiting, apart, ready = reviewed
    chosen = waiting.merged_profile_ids[0]
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


def test_what_is_merged_cannot_be_undone_but_asked_back(run, concluded, reviewed):
    where, out, url = concluded
    waiting, apart, ready = reviewed
    with open_ledger(url) as ledger:
        merged = desk_of(out, ledger)
        assert merged.standing(waiting.cluster_id).state is State.APPROVED
        run("apply", *where, "--run", out, "--merges-per-second", 0, "--approved", "--quiet")
        sleep(0.05)  # a desk that was open all the time learns of it
        standing = merged.standing(waiting.cluster_id)
        assert standing.state is State.MERGED
        assert standing.decided
        assert releasable(merged) == ()
        assert merged.standing(apart.cluster_id).state is State.APPROVED
        whole = [p for p in ready if p is not apart and merged.batch.cases[p.cluster_id].plan == p]
        assert whole
        assert {merged.standing(p.cluster_id).state for p in whole} == {State.MERGED}
        line = next(x for x in lines_of(merged, "ana") if x.fact.cluster_id == waiting.cluster_id)
        assert (line.state, line.merged, line.undoable) == ("merged", True, False)
        refused = undo(merged, "ana", waiting.cluster_id)
        assert refused.kind == "refused"
        assert "Ask for a restore." in refused.message
        assert undo(merged, "ana").message.endswith(f"{apart.cluster_id}."), "the last one that can be undone"

        known = regret(merged, waiting.cluster_id)
        assert len(known.gone) == len(waiting.merged_profile_ids)
        assert ask_for_restore(merged, "ana", waiting.cluster_id, "").kind == "refused"
        assert ask_for_restore(merged, "ana", apart.cluster_id, "no").kind == "refused"
        assert ask_for_restore(merged, "ana", waiting.cluster_id, "another customer").kind == "saved"
        assert ledger.restores_asked(DOMAIN) == [known.plan_id]
    status = run("status", *where)[1]
    assert known.plan_id[:12] in status
    assert run(*known.command.split()[1:], *where[2:], "--apply")[0] == 0
    with open_ledger(url) as ledger:
        assert ledger.restores_asked(DOMAIN) == []
