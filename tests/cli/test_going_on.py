"""Going on from an earlier run, and telling beforehand what one takes, as a user does it."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from resolver.app import matching
from resolver.errors import BadFile
from resolver.local.loading import load_profiles
from resolver.local.sample.generator import make_sample
from resolver.rule_file import load_rules
from resolver.state_file import DIRECTORY, FORMAT, latest_run, read_state, refusal

DOMAIN = "shop"


@pytest.fixture(scope="module")
def sample():
    return make_sample(400, seed=4)


@pytest.fixture
def people(sample, tmp_path):
    path = tmp_path / "people.csv"
    flat(sample).write_csv(path)
    return path


def flat(sample):
    rows = [
        {k: v for k, v in p.items() if isinstance(v, str) and k != "ProfileId"}
        | {"profile_id": p["ProfileId"], **p.get("Address", {})}
        for p in sample.profiles
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture
def rules(tmp_path):
    """A function that gives the shipped rules with other settings under [blocking], as a file."""

    def written(**settings):
        source = Path(__file__).parents[2] / "rules"
        folder = tmp_path / ("rules-" + "-".join(map(str, settings.values())))
        shutil.copytree(source, folder)
        path = folder / "default.toml"
        text = path.read_text(encoding="utf-8")
        for name, value in settings.items():
            text, count = re.subn(rf"(?m)^{name} = [^#\n]*", f"{name} = {value} ", text)
            assert count == 1, name
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def domain(sample, endpoint, tmp_path):
    load_profiles(endpoint.store, DOMAIN, sample.profiles)
    keys = tmp_path / "keys.csv"
    pl.DataFrame(sample.keys, schema=["key_name", "value"], orient="row").write_csv(keys)
    return ("run", "--domain", DOMAIN, "--endpoint-url", endpoint.url, "--quiet", "--json",
            "--keys", keys, "--calls-per-second", 0)  # fmt: skip


def later(people, tmp_path):
    """The file a week after: one gone, one changed, one come, in another order."""
    known = pl.read_csv(people, infer_schema=False)
    kept = known[3:]
    phone = pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("+12025550143")).otherwise("PhoneNumber")
    new = known[9].with_columns(profile_id=pl.lit("new"), LastName=pl.lit("Quite-Another"))
    path = tmp_path / "later.csv"
    pl.concat([kept.with_columns(PhoneNumber=phone), new]).sample(fraction=1, shuffle=True, seed=1).write_csv(
        path
    )
    return path


def tables(directory):
    return [pl.read_parquet(directory / name) for name in ("clusters.parquet", "pairs.parquet")]


def test_an_incremental_match_gives_what_the_model_gives_in_full(run, people, rules, tmp_path):
    own, week = ("--rules", rules(all_pairs_up_to=50), "--quiet", "--json"), later(people, tmp_path)
    first, full, quick = (tmp_path / name for name in ("first", "full", "quick"))
    assert run("match", people, "--out", first, "--keep-state", *own)[0] == 0
    assert run("match", week, "--out", full, "--model", first, *own)[0] == 0
    code, out, _ = run("match", week, "--out", quick, "--incremental", first, *own)
    assert code == 0
    assert json.loads(out)["linked"]["way"] == "incremental"
    assert json.loads(out)["linked"]["changed_since_learned"] >= 4
    assert all(one.equals(other) for one, other in zip(tables(quick), tables(full), strict=True))
    for name in ("index-0.npy", "model.json", "frequencies.arrow"):
        assert (first / DIRECTORY / name).samefile(quick / DIRECTORY / name), (
            "what stays is not written again"
        )
    # and on from that, into the same directory
    code, out, _ = run("match", people, "--out", quick, "--incremental", quick, *own)
    assert json.loads(out)["linked"]["way"] == "incremental"
    assert all(one.equals(other) for one, other in zip(tables(quick), tables(first), strict=True))


def test_a_run_that_dies_before_its_pairs_are_written_leaves_no_state_of_its_own(  # noqa: PLR0913, PLR0917 - fixtures
    run, people, rules, tmp_path, monkeypatch
):
    own, week = ("--rules", rules(all_pairs_up_to=50), "--quiet"), later(people, tmp_path)
    first = tmp_path / "first"
    assert run("match", people, "--out", first, "--keep-state", *own)[0] == 0
    mark = (first / DIRECTORY / "state.json").read_bytes()

    def dies(*_):
        raise BadFile("pairs.parquet: cannot be written (the disk is full)")

    with monkeypatch.context() as patched:
        patched.setattr(matching, "write_pairs", dies)
        assert run("match", week, "--out", first, "--incremental", first, *own)[0] == 2
        assert (first / DIRECTORY / "state.json").read_bytes() == mark, "the next run goes on from here"
        assert run("match", week, "--out", tmp_path / "b", "--incremental", first, *own)[0] == 2
    assert refusal(tmp_path / "b", load_rules()) == "b holds no state of a run"
    code, out, _ = run("match", week, "--out", first, "--incremental", first, "--json", *own)
    assert (code, json.loads(out)["linked"]["way"]) == (0, "incremental")


def test_where_there_is_nothing_to_go_on_from_the_run_is_full_and_says_why(run, people, rules, tmp_path):
    quiet = ("--quiet", "--json")
    code, out, _ = run("match", people, "--out", tmp_path / "a", "--incremental", tmp_path / "none", *quiet)
    told = json.loads(out)["linked"]
    assert (code, told["way"], told["why"]) == (0, "full", "none holds no state of a run")
    code, out, _ = run(
        "match", people, "--out", tmp_path / "b", "--incremental", tmp_path / "a",
        "--rules", rules(largest_block=59), *quiet,
    )  # fmt: skip
    assert "made by other rules" in json.loads(out)["linked"]["why"]
    mark = tmp_path / "a" / DIRECTORY / "state.json"
    text = mark.read_text(encoding="utf-8")
    assert f'"format": {FORMAT}' in text
    mark.write_text(text.replace(f'"format": {FORMAT}', '"format": 0'), encoding="utf-8")
    code, out, _ = run("match", people, "--out", tmp_path / "c", "--incremental", tmp_path / "a", *quiet)
    assert "another version" in json.loads(out)["linked"]["why"]
    (tmp_path / "b" / DIRECTORY / "links.arrow").write_bytes(b"torn")
    assert read_state(tmp_path / "b") is None
    assert run("match", people, "--out", tmp_path / "d", "--model", tmp_path / "none")[0] == 2
    assert run("match", people, "--out", tmp_path / "d", "--model", "x", "--incremental", "y")[0] == 2
    # a run without a state takes away that of the run before: it is not this one's
    assert run("match", people, "--out", tmp_path / "c", "--quiet")[0] == 0
    assert refusal(tmp_path / "c", load_rules()) == "c holds no state of a run"


def test_a_run_goes_on_from_the_last_run_of_its_domain_unless_it_is_to_learn_anew(
    run, domain, rules, tmp_path
):
    week = (*domain, "--ledger", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    own = ("--rules", rules(all_pairs_up_to=50))
    runs = tmp_path / "runs"

    def linked(name, *options):
        code, out, err = run(*week, "--out", runs / name, *options)
        assert code in {0, 3}, err  # other rules find other pairs, which a gate may hold
        report = json.loads(out)
        assert report["examples"]
        return report

    first = linked("1", *own)
    assert first["linked"] == {"way": "full"}
    assert latest_run(runs / "2", DOMAIN) == runs / "1"
    second = linked("2", *own)
    assert (second["linked"]["way"], second["linked"]["since"]) == ("incremental", "1")
    assert second["clusters"] == first["clusters"]
    assert second["examples"] == first["examples"]
    per_key = [[(key["key"], key["pairs"]) for key in one["blocking"]["blocking"]] for one in (first, second)]
    assert per_key[0] == per_key[1]
    assert linked("3", "--retrain", *own)["linked"] == {"way": "full"}
    assert linked("4")["linked"]["why"].startswith("the state of 3 was made by other rules")
    assert linked("5")["linked"] == {"way": "full", "why": "the file is small"}


def test_an_estimate_that_sees_every_profile_knows_the_pairs(run, people, rules, tmp_path):
    own = ("--rules", rules(all_pairs_up_to=50), "--json", "--quiet")
    code, out, _ = run("estimate", people, *own)
    told = json.loads(out)
    assert code == 0
    assert run("match", people, "--out", tmp_path / "out", *own)[0] == 0
    made = json.loads((tmp_path / "out" / "match.json").read_text(encoding="utf-8"))["blocking"]
    assert told["candidate_pairs"] == made["candidate_pairs"]
    assert {k["key"]: k["pairs"] for k in told["blocking"]} == {
        k["key"]: k["pairs"] for k in made["blocking"]
    }
    assert told["seconds"] > 0
    assert told["peak_mib"] > 0
    assert set(told["calls_at_most"]) >= {"merge_profiles"}
    code, out, _ = run("estimate", people, "--quiet")  # small: all pairs
    assert f"{400 * 399 // 2:,} (199.5 a profile)" in out
    assert run("estimate", people, "--sample", 10)[0] == 2


def test_an_estimate_from_a_sample_is_near(run, rules, tmp_path):
    count = 20_000 if os.environ.get("RESOLVER_SOAK") else 4000
    path = tmp_path / "many.parquet"
    flat(make_sample(count, seed=9)).write_parquet(path)
    own = ("--rules", rules(all_pairs_up_to=50), "--json", "--quiet")
    seen, part = (json.loads(run("estimate", path, "--sample", n, *own)[1]) for n in (count, count // 2))
    assert part["sampled"] == count // 2
    assert part["candidate_pairs"] == pytest.approx(seen["candidate_pairs"], rel=0.3)
    assert part["peak_mib"] == pytest.approx(seen["peak_mib"], rel=0.3)


def test_a_blocking_rule_that_brings_too_many_pairs_stops_and_is_named(run, people, rules, tmp_path):
    own = ("--rules", rules(all_pairs_up_to=50, most_pairs_per_profile=0.2), "--quiet")
    code, _, err = run("estimate", people, *own)
    assert code == 2
    named = re.search(r"would stop the run: ([^;]*);", err)[1].split(", ")
    assert len(named) >= 1
    code, _, err = run("match", people, "--out", tmp_path / "out", *own)
    assert code == 2
    assert re.search(r"blocking rule '([^']*)'", err)[1] in named
    assert "blocking.forbidden" in err
    assert not (tmp_path / "out").exists()
