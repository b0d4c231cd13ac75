"""The policies are tried: whatever a phase's policy does not allow is denied while the phase runs."""

from __future__ import annotations

import json
from contextlib import closing

import boto3
import polars as pl
import pytest

from resolver.app.policies import OF_THE_ACCOUNT, READS, WRITES, Scope, policy_of
from resolver.errors import BadInput
from resolver.local.faults import Fault, Faults
from resolver.local.loading import load_objects, load_profiles
from resolver.local.operations import HANDLERS as OPERATIONS
from resolver.local.sample.generator import make_sample
from resolver.local.server import running
from resolver.local.service import Service, Settings
from resolver.local.store import Store

DOMAIN = "shop"
MAIN, OTHER, STRANGER = "1" * 32, "2" * 32, "3" * 32


class Watched(Faults):
    """Faults that also remember which operations were asked for."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def before(self, operation, *rest):
        self.asked.add(operation)
        return super().before(operation, *rest)

    def allow(self, *lists):
        """Deny every operation that is in none of the lists; forget what was asked."""
        self.clear()
        self.asked.clear()
        for operation in set(OPERATIONS) - {name for names in lists for name in names}:
            self.plan(operation, Fault("deny", times=10**6))


@pytest.fixture(scope="module")
def sample():
    return make_sample(120, seed=3)


@pytest.fixture
def served(sample, tmp_path):
    """A domain with objects; gives (faults, options that reach it, file of keys)."""
    faults = Watched()
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    with closing(Store.open(None)) as store:
        load_profiles(store, DOMAIN, sample.profiles)
        put_type(store)
        load_objects(
            store, DOMAIN, [(p["ProfileId"], "Note", {"id": p["ProfileId"]}) for p in sample.profiles]
        )
        with running(Service(store, Settings(faults=faults))) as url:
            yield faults, ("--domain", DOMAIN, "--endpoint-url", url, "--quiet"), keys


def put_type(store):
    with running(Service(store)) as url:
        boto3.client("customer-profiles", endpoint_url=url).put_profile_object_type(
            DomainName=DOMAIN,
            ObjectTypeName="Note",
            Description="Notes",
            Fields={
                name: {"Source": f"_source.{name}", "ContentType": "STRING"} for name in ("id", "thread")
            },
            Keys={
                "noteId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE", "PROFILE"]}],
                "threadId": [{"FieldNames": ["thread"], "StandardIdentifiers": []}],  # only objects hold it
            },
        )


@pytest.fixture
def person(tmp_path):
    """A domain in which every call that a phase may make has a reason; gives what ``served`` gives.

    Two profiles of one person, whose first name the domain's own rules match. The main one names the other in
    its preferences (UpdateProfile), of two mobile numbers one becomes a key (AddProfileKey), a restore has to
    empty what is gained, and a key was given by hand. An integration names a flow. One of the others is found
    by the thread of an object only, which an export follows as long as a profile is missing.
    """
    one = {
        "FirstName": "Ana",
        "LastName": "Ruiz",
        "EmailAddress": "ana@example.com",
        "PhoneNumber": "+34600000001",
    }
    named = {"Phone": [{"ContactType": "PhoneNumber", "KeyName": "_phone", "ProfileId": OTHER}]}
    others = [
        {"ProfileId": f"{n:032x}", "FirstName": f"Kim{n // 2}", "EmailAddress": f"kim{n}@example.com"}
        for n in range(12)
    ]
    people = [
        one | {"ProfileId": MAIN, "MobilePhoneNumber": "+34600000002", "EngagementPreferences": named},
        one | {"ProfileId": OTHER, "MobilePhoneNumber": "+34600000003", "Gender": "FEMALE"},
        *others,
        {"ProfileId": STRANGER, "FirstName": "Lee"},
    ]
    keys = tmp_path / "keys.csv"
    emails = [("_email", person["EmailAddress"]) for person in (one, *others)]
    pl.DataFrame(emails, schema=["key_name", "value"], orient="row").write_csv(keys)
    faults = Watched()
    with closing(Store.open(None)) as store:
        load_profiles(store, DOMAIN, people)
        put_type(store)
        notes = [{"id": p["ProfileId"], "thread": "t1"} for p in people]
        load_objects(store, DOMAIN, [(note["id"], "Note", note) for note in notes])
        with running(Service(store, Settings(faults=faults))) as url:
            client = boto3.client("customer-profiles", endpoint_url=url)
            rules = {"Enabled": True, "MatchingRules": [{"Rule": ["FirstName"]}]}
            client.update_domain(DomainName=DOMAIN, RuleBasedMatching=rules)
            client.put_integration(
                DomainName=DOMAIN,
                Uri="arn:aws:appflow:eu-west-1:111122223333:flow/crm",
                ObjectTypeName="Note",
            )
            client.add_profile_key(DomainName=DOMAIN, ProfileId=OTHER, KeyName="_account", Values=["A1"])
            yield faults, ("--domain", DOMAIN, "--endpoint-url", url), keys


@pytest.fixture
def doubled(monkeypatch):
    """``doubled(faults)``: the next profile that is created is created twice, and both answers are lost."""
    finish = Service.finish

    def _doubled(faults):
        faults.plan("CreateProfile", Fault("fail_after", times=2))
        again = [True]

        def finishing(service, call, *limit):
            if call.request.operation == "CreateProfile" and again:
                again.clear()
                finish(service, call, *limit)
            return finish(service, call, *limit)

        monkeypatch.setattr(Service, "finish", finishing)

    return _doubled


def test_every_phase_runs_on_its_policy_and_no_policy_allows_what_its_phase_never_calls(
    run, person, doubled, tmp_path
):
    faults, where, keys = person
    reading = ("--calls-per-second", 0, "--quiet", "--keys", keys, "--out")
    merging = ("--merges-per-second", 0)

    faults.allow(READS["read"], OF_THE_ACCOUNT)
    assert run("export", *where, *reading, tmp_path / "p.parquet", "--follow-objects")[0] == 0
    assert run("domain", "show", *where)[0] == 0
    assert faults.asked == {*READS["read"], *OF_THE_ACCOUNT}

    faults.allow(READS["plan"])
    assert run("run", *where, *reading, tmp_path / "run")[0] == 0
    assert run("apply", *where, "--quiet", "--run", tmp_path / "run", "--dry-run")[0] == 0
    assert faults.asked == set(READS["plan"])

    faults.allow(READS["merge"], WRITES["merge"])
    assert run("apply", *where, "--quiet", "--run", tmp_path / "run", *merging)[0] == 0
    assert run("run", *where, *reading, tmp_path / "again", "--apply", *merging)[0] == 0
    assert faults.asked == {*READS["merge"], *WRITES["merge"]}

    (merge,) = json.loads(run("history", *where, "--json")[1])["merges"]
    faults.allow(READS["restore"], WRITES["restore"])
    doubled(faults)
    code, out, _ = run("restore", merge["merge_id"], *where, "--apply", "--json")
    assert (code, json.loads(out)["state"]) == (0, "restored")
    assert faults.asked == {*READS["restore"], *WRITES["restore"]}


def test_no_phase_asks_for_more_than_its_policy_on_a_sample_of_many_kinds(run, served, tmp_path):
    faults, where, keys = served
    unpaced = ("--calls-per-second", 0)

    faults.allow(READS["read"], OF_THE_ACCOUNT)
    assert run("export", *where, *unpaced, "--keys", keys, "--out", tmp_path / "p.parquet")[0] == 0
    assert run("domain", "show", *where[:-1])[0] == 0
    assert faults.asked <= {*READS["read"], *OF_THE_ACCOUNT}

    faults.allow(READS["plan"])
    assert run("run", *where, *unpaced, "--keys", keys, "--out", tmp_path / "run")[0] == 0
    assert faults.asked <= set(READS["plan"])

    faults.allow(READS["merge"], WRITES["merge"])
    assert run("apply", *where, "--run", tmp_path / "run", "--merges-per-second", 0)[0] == 0
    assert faults.asked <= {*READS["merge"], *WRITES["merge"]}

    faults.allow(READS["restore"], WRITES["restore"])
    merge = json.loads(run("history", *where[:-1], "--json")[1])["merges"][0]["merge_id"]
    assert run("restore", merge, *where[:-1], "--apply")[0] == 0
    assert faults.asked <= {*READS["restore"], *WRITES["restore"]}


def test_a_restore_that_has_to_empty_a_field_runs_on_its_policy_too(run, tmp_path):
    one = {
        "FirstName": "Ana",
        "LastName": "Ruiz",
        "EmailAddress": "ana@example.com",
        "PhoneNumber": "+34600000001",
    }
    people = [
        one | {"ProfileId": "1" * 32, "BirthDate": "1980-01-02"},  # the main one, which gains a Gender
        one | {"ProfileId": "2" * 32, "Gender": "FEMALE"},
        {"FirstName": "Kim", "LastName": "Lee", "EmailAddress": "kim@example.com"},
    ]
    (tmp_path / "keys.csv").write_text("key_name,value\n_email,ana@example.com\n_email,kim@example.com\n")
    faults = Watched()
    with closing(Store.open(None)) as store:
        load_profiles(store, DOMAIN, people)
        with running(Service(store, Settings(faults=faults))) as url:
            where = ("--domain", DOMAIN, "--endpoint-url", url)
            job = ("--keys", tmp_path / "keys.csv", "--out", tmp_path / "run", "--apply", "--quiet")
            assert run("run", *where, "--calls-per-second", 0, "--merges-per-second", 0, *job)[0] == 0
            (merge,) = json.loads(run("history", *where, "--json")[1])["merges"]
            faults.allow(READS["restore"], WRITES["restore"])
            assert run("restore", merge["merge_id"], *where, "--apply")[0] == 0
    assert "MergeProfiles" in faults.asked


def test_without_a_phase_s_policy_the_phase_is_refused(run, served, tmp_path):
    faults, where, keys = served
    faults.allow(READS["merge"])
    unpaced = ("--calls-per-second", 0, "--keys", keys)
    assert run("run", *where, *unpaced, "--out", tmp_path / "run")[0] == 0
    assert run("apply", *where, "--run", tmp_path / "run", "--merges-per-second", 0)[0] in {1, 4}
    assert "MergeProfiles" in faults.asked


@pytest.mark.parametrize("phase", ["read", "plan", "merge", "restore"])
def test_a_policy_names_one_domain_and_never_a_wildcard_action(run, phase):
    code, out, _ = run(
        "policy", "--domain", DOMAIN, "--phase", phase, "--account", "111122223333", "--region", "eu-west-1"
    )
    assert code == 0
    policy = json.loads(out)
    arn = f"arn:aws:profile:eu-west-1:111122223333:domains/{DOMAIN}"
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        assert all(action.removeprefix("profile:") in OPERATIONS for action in statement["Action"])
        account_wide = statement["Sid"] == "ReadTheAccount"
        assert statement["Resource"] == (["*"] if account_wide else [arn, f"{arn}/*"])
    writes = {a for s in policy["Statement"] for a in s["Action"]} - {
        f"profile:{name}" for name in (*READS[phase], *OF_THE_ACCOUNT)
    }
    assert writes == {f"profile:{name}" for name in WRITES[phase]}


@pytest.mark.parametrize(
    ("domain", "account", "region"), [("a b", "*", "*"), ("shop", "12", "*"), ("shop", "*", "Frankfurt")]
)
def test_names_that_aws_does_not_know_are_bad_input(domain, account, region):
    with pytest.raises(BadInput, match="of AWS"):
        policy_of("read", Scope(domain, account, region))
