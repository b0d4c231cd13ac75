"""Bad input: one clear error, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import socket
from pathlib import Path

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
