"""`resolver export` with each of its seeds, and `domain show`, as a user runs them."""

from __future__ import annotations

import json

import polars as pl
import pytest

from resolver.local.loading import load_objects, load_profiles

DOMAIN = "shop"
ANA = {"ProfileId": "a" * 32, "AccountNumber": "1", "EmailAddress": "ana@x.io"}
BEN = {"ProfileId": "b" * 32, "EmailAddress": "ana@x.io", "FirstName": "Ben"}
CLEO = {"ProfileId": "c" * 32, "FirstName": "Cleo"}


@pytest.fixture
def common(endpoint):
    load_profiles(endpoint.store, DOMAIN, [ANA, BEN, CLEO])
    return ("--domain", DOMAIN, "--endpoint-url", endpoint.url)


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("key_name,value\n_account,1\n_account,2\n", encoding="utf-8")
    return path


@pytest.fixture
def reach(common, keys):
    return (*common, "--keys", keys)


def test_an_export_prints_reach_routes_and_cost_and_writes_its_files(run, common, keys, tmp_path):
    out = tmp_path / "out.parquet"
    code, text, _ = run("export", *common, "--keys", keys, "--out", out, "--calls-per-second", 0, "--quiet")

    assert code == 0
    assert "Profiles found      2 of 3 (66.67%)" in text
    assert "  by _email         1 (33.33%)" in text
    assert "Not reached         1 profiles: nothing given or found leads to them" in text
    assert "Seed keys           2 given, 1 led to no profile" in text
    assert pl.read_parquet(out)["profile_id"].to_list() == [ANA["ProfileId"], BEN["ProfileId"]]
    assert pl.read_parquet(tmp_path / "out.unreached.parquet")["value"].to_list() == ["2"]


def test_an_earlier_export_and_a_snapshot_are_told_apart_from_what_is_new(run, common, keys, tmp_path):
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    fast = ("--calls-per-second", 0, "--quiet", "--json")
    run("export", *common, "--keys", keys, "--out", first, *fast)
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "uuid").write_text(
        json.dumps(CLEO) + "\n" + json.dumps(BEN) + "\n", encoding="utf-8"
    )

    code, out, _ = run("export", *common, "--earlier", first, "--out", second, *fast)
    earlier = json.loads(out)
    assert (code, earlier["routes"]) == (0, {"earlier export": 2})
    assert earlier["changes"] == {"new": 0, "changed": 0, "gone": 0}

    code, out, _ = run(
        "export", *common, "--snapshot", tmp_path / "snapshot", "--snapshot-kind", "jsonl", "--keys", keys,
        "--out", second, *fast,
    )  # fmt: skip
    snapshot = json.loads(out)
    assert (code, snapshot["profiles"], snapshot["completeness"]) == (0, 3, 1.0)
    assert snapshot["routes"] == {"seed keys": 1, "snapshot": 1, "_email": 1}
    assert snapshot["changes"] == {"new": 1, "changed": 0, "gone": 0}


def test_contact_records_lead_to_their_profiles(run, common, endpoint, tmp_path):
    load_objects(endpoint.store, DOMAIN, [(CLEO["ProfileId"], "CTR", {"ContactId": "call-7"})])
    contacts = tmp_path / "contacts.csv"
    contacts.write_text("contact_id,agent\ncall-7,x\n", encoding="utf-8")
    code, out, _ = run(
        "export", *common, "--contacts", contacts, "--out", tmp_path / "out.parquet", "--json", "--quiet"
    )

    assert (code, json.loads(out)["routes"]) == (0, {"seed keys": 1})
    assert pl.read_parquet(tmp_path / "out.parquet")["profile_id"].to_list() == [CLEO["ProfileId"]]


@pytest.mark.parametrize(
    "bad",
    [
        ("--contacts", "id\n1\n", "no column contact_id (columns there: id)"),
        ("--earlier", "FirstName\nAna\n", "no column profile_id"),
        ("--snapshot", "FirstName\nAna\n", "no column profile_id"),
    ],
)
def test_bad_seeds_are_bad_usage_and_nothing_is_written(run, common, tmp_path, bad):
    option, content, complaint = bad
    (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
    code, _, err = run("export", *common, option, tmp_path / "bad.csv", "--out", tmp_path / "out.parquet")

    assert code == 2
    assert complaint in err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize("objects", ["all", "dated", "none"])
def test_a_run_says_what_its_objects_cost(run, reach, tmp_path, objects):
    code, _, _ = run(
        "run", *reach, "--out", tmp_path / "run", "--objects", objects, "--calls-per-second", 0, "--quiet",
    )  # fmt: skip
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))

    assert code == 0
    assert report["objects"]["calls"] == 0  # the domain has none
    assert report["objects"]["types"] == []


def test_a_domain_is_shown_as_text_and_as_json(run, common):
    code, text, _ = run("domain", "show", *common)
    assert code == 0
    assert "ProfileCount      3" in text

    code, out, _ = run("domain", "show", *common, "--json")
    assert json.loads(out)["stats"]["ProfileCount"] == 3
    code, _, err = run("domain", "show", "--domain", "retial", *common[2:])
    assert (code, "there: shop" in err) == (2, True)
