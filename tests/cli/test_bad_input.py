"""Bad input: one clear error, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import boto3
import polars as pl
import pytest


def _csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _missing(folder: Path) -> Path:
    return folder / "absent.csv"


def _empty(folder: Path) -> Path:
    return _csv(folder / "empty.csv", "")


def _no_id(folder: Path) -> Path:
    return _csv(folder / "people.csv", "FirstName,LastName\nAna,Ruiz\n")


def _repeated(folder: Path) -> Path:
    return _csv(folder / "twice.csv", "profile_id,FirstName\na,Ana\na,Bea\nb,Cleo\n")


def _not_parquet(folder: Path) -> Path:
    return _csv(folder / "people.parquet", "profile_id,FirstName\na,Ana\n")


def _numbers_for_names(folder: Path) -> Path:
    path = folder / "numbers.parquet"
    pl.DataFrame({"profile_id": ["a", "b"], "FirstName": [1, 2]}).write_parquet(path)
    return path


def _header_only(folder: Path) -> Path:
    return _csv(folder / "header.csv", "profile_id,FirstName\n")


def _directory(folder: Path) -> Path:
    (folder / "people.csv").mkdir()
    return folder / "people.csv"


def _wrong_type(folder: Path) -> Path:
    path = folder / "typed.parquet"
    pl.DataFrame({"profile_id": ["a", "b"], "FirstName": [["Ana"], ["Bea"]]}).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_missing, ("absent.csv",)),
        (_empty, ("empty.csv", "empty")),
        (_no_id, ("people.csv", "profile_id", "FirstName")),
        (_repeated, ("twice.csv", "profile_id", "first is a")),
        (_not_parquet, ("people.parquet", "Parquet")),
        (_wrong_type, ("typed.parquet", "FirstName")),
        (_numbers_for_names, ("numbers.parquet", "FirstName", "Int64")),
        (_header_only, ("header.csv", "no profiles")),
        (_directory, ("people.csv", "directory")),
    ],
)
def test_a_bad_profile_file_is_one_clear_error(run, tmp_path, make, says):
    out_dir = tmp_path / "out"
    code, out, err = run("match", make(tmp_path), "--out", out_dir, "--quiet")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for word in says:
        assert word in err
    assert not out_dir.exists() or not any(out_dir.iterdir())


def test_results_that_could_not_be_written_are_refused_before_the_work(run, tmp_path):
    people = _csv(tmp_path / "people.csv", "profile_id,FirstName\na,Ana\nb,Bea\n")
    taken = _csv(tmp_path / "taken", "a file")
    for out_dir in (taken, taken / "below"):
        code, out, err = run("match", people, "--out", out_dir)
        assert (code, out) == (2, "")
        assert f"{out_dir}: cannot be made a directory ({taken} is a file)" in err
        assert err.count("\n") == 1, "no stage was begun"
    assert taken.read_text(encoding="utf-8") == "a file"


def test_a_rule_file_with_an_unknown_scorer_names_file_and_key(run, tmp_path):
    people = _csv(tmp_path / "people.csv", "profile_id,FirstName\na,Ana\n")
    shipped = (Path(__file__).parents[2] / "rules" / "default.toml").read_text(encoding="utf-8")
    rules = _csv(tmp_path / "mine.toml", shipped.replace("jaro_winkler", "jaro_wrinkler"))
    assert "jaro_wrinkler" in rules.read_text(encoding="utf-8")
    code, out, err = run("match", people, "--out", tmp_path / "out", "--rules", rules, "--quiet")
    assert (code, out) == (2, "")
    assert "mine.toml" in err
    assert "jaro_wrinkler" in err
    assert "jaro_winkler" in err, "the message says what is allowed"
    assert "Traceback" not in err


def test_errors_are_json_where_json_was_asked_for(run, tmp_path):
    code, _, err = run("match", tmp_path / "absent.csv", "--out", tmp_path / "out", "--json", "--quiet")
    assert code == 2
    assert "absent.csv" in json.loads(err)["error"]


def test_an_endpoint_that_does_not_answer_is_named(run, tmp_path):
    with socket.socket() as taken:  # bound but not listening: nothing answers here
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        arguments = ("--domain", "d", "--out", tmp_path / "p.parquet", "--endpoint-url", url, "--quiet")
        code, _, err = run("export", *arguments)
    assert code == 2
    assert url in err
    assert "Traceback" not in err
    assert not (tmp_path / "p.parquet").exists()


def test_a_run_that_cannot_begin_leaves_nothing_behind(run, tmp_path, endpoint):
    out = tmp_path / "run"
    for wrong in (("--rules", tmp_path / "none.toml"), ("--keys", tmp_path / "none.csv"), ()):
        where = ("--domain", "nowhere", "--endpoint-url", endpoint.url, "--quiet")
        code, _, err = run("run", *where, "--out", out, *wrong)
        assert code == 2
        assert err.count("\n") == 1, err
        assert not out.exists()


@pytest.mark.parametrize("command", ["run", "export"])
def test_an_output_that_cannot_be_written_is_named(run, tmp_path, endpoint, command):
    client = boto3.client("customer-profiles", endpoint_url=endpoint.url)
    client.create_domain(DomainName="shop", DefaultExpirationDays=30)
    taken = tmp_path / "taken"
    if command == "run":
        taken.write_text("a file", encoding="utf-8")
    else:
        taken.mkdir()
    where = ("--domain", "shop", "--endpoint-url", endpoint.url, "--quiet")
    code, _, err = run(command, *where, "--out", taken)
    assert code == 2
    assert "taken" in err
    assert err.count("\n") == 1, err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--data", "none/x.sqlite"),
        ("--data", "people.csv"),
        ("--endpoint-url", "http://127.0.0.1:notaport"),
        ("--data", "new.sqlite", "--mapping", "none.d/ids.csv"),
    ],
)
def test_a_load_that_cannot_work_is_one_clear_error(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    people = _csv(tmp_path / "people.csv", "profile_id,FirstName\na,Ana\n")
    (tmp_path / "none.d").write_text("not a directory", encoding="utf-8")
    code, _, err = run("local", "load", people, "--domain", "shop", *arguments)
    assert code == 2
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert not (tmp_path / "new.sqlite").exists()


def test_a_match_job_makes_no_database(run, tmp_path):
    code, _, err = run("local", "match-job", "--domain", "shop", "--data", tmp_path / "new.sqlite")
    assert code == 2
    assert "new.sqlite" in err
    assert not (tmp_path / "new.sqlite").exists()


def test_an_error_that_nobody_foresaw_shows_no_values(run, tmp_path, monkeypatch):
    def broken(*_arguments):
        raise ValueError("Ana Ruiz")

    monkeypatch.setattr("resolver.app.evaluating.evaluate_files", broken)
    code, _, err = run("evaluate", tmp_path / "a.csv", tmp_path / "b.csv")
    assert code == 1
    assert "ValueError" in err
    assert "Ruiz" not in err


def test_an_unknown_domain_is_named(run, tmp_path, endpoint):
    arguments = (
        "--domain",
        "nowhere",
        "--out",
        tmp_path / "p.parquet",
        "--endpoint-url",
        endpoint.url,
        "--quiet",
    )
    code, _, err = run("export", *arguments)
    assert code == 2
    assert "nowhere" in err
    assert not (tmp_path / "p.parquet").exists()


def test_usage_errors_exit_with_two(run):
    assert run("match")[0] == 2
    assert run("nonsense")[0] == 2
