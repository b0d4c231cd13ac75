"""`resolver restore`: whose role may, and at what pace; `apply` has the same rates as `run`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from embedded import pid
from merges import plan_of_group

from resolver.app.applying import ApplyOptions, apply_plans
from resolver.cli.job import default_ledger
from resolver.ledger.ledger import open_ledger
from resolver.local.loading import load_profiles
from resolver.profiles import domain as domains
from resolver.profiles.domain import ConnectionSettings, Domain, connect, describe_domain
from resolver.rule_file import rules_directory

DOMAIN = "shop"
PEOPLE = [{"ProfileId": pid(1), "FirstName": "Ana"}, {"ProfileId": pid(2), "LastName": "Ruiz"}]


@pytest.fixture
def merged(endpoint, monkeypatch):
    """A merge in the domain; gives (where, the merge's id, count of profiles there). Requests go unsigned."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    load_profiles(endpoint.store, DOMAIN, PEOPLE)
    store = Domain(DOMAIN, connect(ConnectionSettings(endpoint.url, "us-east-1")))
    plan = plan_of_group(PEOPLE)
    with open_ledger(default_ledger(store, None)) as ledger:
        assert apply_plans(
            [plan], store, ledger, ApplyOptions("run-1", "ana", lambda: datetime.now(UTC))
        ).complete
    where = ("--domain", DOMAIN, "--endpoint-url", endpoint.url)
    return where, plan.plan_id, lambda: describe_domain(store).profile_count


@pytest.fixture
def settings_seen(monkeypatch):
    """The rates (reads, calls that change something) with which commands connect."""
    seen = []

    def connect_and_note(settings):
        seen.append((settings.calls_per_second, settings.merges_per_second))
        return connect(settings)

    monkeypatch.setattr(domains, "connect", connect_and_note)
    return seen


def rules_for(tmp_path, role):
    rules = tmp_path / "rules.toml"
    text = (rules_directory() / "default.toml").read_text()
    assert "allowed_roles = []" in text
    rules.write_text(text.replace("allowed_roles = []", f'allowed_roles = ["{role}"]'))
    return rules


@pytest.mark.parametrize("more", [(), ("--apply",)])
def test_a_role_that_may_not_merge_may_not_restore(run, merged, tmp_path, more):
    where, merge_id, profiles = merged
    rules = rules_for(tmp_path, "arn:aws:iam::*:role/merge")
    code, _, err = run("restore", merge_id, *where, "--rules", rules, *more)
    assert (code, "unsigned may not merge or restore" in err) == (3, True)
    assert profiles() == 1
    rules = rules_for(tmp_path, "unsigned")
    assert run("restore", merge_id, *where, "--rules", rules, *more)[0] == 0
    assert profiles() == (2 if more else 1)


@pytest.mark.parametrize(
    "given",
    [
        ((), (20.0, 10.0)),
        (("--calls-per-second", 7, "--merges-per-second", 3), (7.0, 3.0)),
        (("--calls-per-second", 0, "--merges-per-second", 0), (None, None)),
    ],
    ids=["none", "some", "no limit"],
)
def test_a_restore_keeps_to_the_rates_that_it_is_given(run, merged, settings_seen, given):
    (where, merge_id, profiles), (options, rates) = merged, given
    assert run("restore", merge_id, *where, "--apply", *options)[0] == 0
    assert settings_seen == [rates]
    assert profiles() == 2


def test_apply_and_run_have_the_same_rates(run, merged, settings_seen, tmp_path):
    where, _, _ = merged
    rates = ("--calls-per-second", 70, "--merges-per-second", 30)
    assert run("run", *where, *rates, "--quiet", "--out", tmp_path / "run")[0] == 0
    assert run("apply", *where, *rates, "--quiet", "--run", tmp_path / "run")[0] == 0
    assert settings_seen == [(70.0, 30.0)] * 2
