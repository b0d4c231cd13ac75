"""The newcomer's path: an installed wheel, far from the checkout, and a file of contacts; no AWS account."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import polars as pl
import pytest

from resolver.local.sample.generator import make_sample

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A new environment that has the wheel, and of this one only what the wheel depends on."""
    place = tmp_path_factory.mktemp("newcomer")
    source = place / "source"
    shutil.copytree(
        ROOT, source, ignore=shutil.ignore_patterns(".*", "out", "dist", "node_modules", "__pycache__")
    )
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", place, source], check=True, cwd=place, capture_output=True)  # noqa: S603 - our own
    (wheel,) = place.glob("*.whl")
    home = place / "env"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    packages = next((home / "lib").glob("python*/site-packages"))
    packages.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*install, wheel], check=True, cwd=place, capture_output=True)  # noqa: S603 - our own
    shutil.rmtree(source)
    return home / "bin" / "resolver", place


def run(installed, *arguments, **more):
    command, place = installed
    surroundings = {"HOME": str(place), "PATH": os.environ["PATH"], "XDG_STATE_HOME": str(place / "state")}
    done = subprocess.run(  # noqa: S603 - our own
        [command, *map(str, arguments)],
        capture_output=True,
        cwd=place,
        env=surroundings,
        check=False,
        text=True,
        **more,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_package_that_runs_is_the_installed_one(installed):
    command, place = installed
    python = command.parent / "python"
    asked = [
        python,
        "-c",
        (
            "import pathlib, resolver, resolver.rule_file as r; home = pathlib.Path(resolver.__file__);"
            "assert (home.parent / 'py.typed').exists(); print(home, r.rules_directory())"
        ),
    ]
    told = subprocess.run(asked, capture_output=True, cwd=place, check=True, text=True).stdout  # noqa: S603 - our own
    assert told.count(str(place)) == 2, told


def test_contacts_become_clusters(installed):
    _, place = installed
    (place / "contacts.csv").write_text(
        "profile_id,FirstName,LastName,EmailAddress,PhoneNumber\n"
        "1,Ana,Ruiz,ana.ruiz@example.com,+34 600 000 001\n"
        "2,Anna,Ruiz,ana.ruiz@example.com,600000001\n"
        "3,Kim,Lee,kim@example.com,+1 206 555 0100\n"
    )
    run(installed, "match", "contacts.csv", "--out", "result")
    clusters = pl.read_parquet(place / "result" / "clusters.parquet")
    cluster_of = dict(clusters.select("profile_id", "cluster_id").iter_rows())
    assert cluster_of["1"] == cluster_of["2"] != cluster_of["3"]
    assert "2; 2 profiles in 1 cluster" in run(installed, "report", "result")
    assert (place / "result" / "report.html").read_text().startswith("<!doctype html>")
    assert (place / "result" / "clusters.csv").read_text().count("\n") == 4
    told = json.loads(run(installed, "explain", "1", "3", "--file", "contacts.csv", "--json"))
    assert told["band"] == "distinct"


def test_a_domain_of_ones_own_has_a_report_and_plans(installed):
    _, place = installed
    sample = make_sample(300, seed=3)
    (place / "people.jsonl").write_text("\n".join(map(json.dumps, sample.profiles)))
    run(installed, "local", "load", "people.jsonl", "--domain", "demo", "--data", "service.sqlite")
    run(installed, "local", "match-job", "--domain", "demo", "--data", "service.sqlite")
    command, _ = installed
    serve = [command, "local", "serve", "--data", "service.sqlite", "--port", "0"]
    service = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=place, text=True)  # noqa: S603 - our own
    try:
        assert service.stdout is not None
        url = next(
            word for line in service.stdout for word in line.split() if word.startswith("http://127.0.0.1:")
        )
        where = ("--domain", "demo", "--endpoint-url", url.rstrip(".,"))
        paced = ("--calls-per-second", "0", "--merges-per-second", "0")
        report = json.loads(
            run(installed, "run", *where, *paced, "--out", "run1", "--apply", "--json", timeout=120)
        )
    finally:
        service.terminate()
        service.communicate(timeout=30)
    assert report["apply"]["complete"]
    assert report["apply"]["profiles_merged_away"] > 10
    page = (place / "run1" / "report.html").read_text()
    assert "<script" not in page
    assert page.startswith("<!doctype html>")
