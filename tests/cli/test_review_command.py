"""`resolver review` as a new user starts it, in a process of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import polars as pl
import pytest

from resolver.app.results import read_plans
from resolver.ledger.reviews import open_review_book

COMMAND = [sys.executable, "-m", "resolver", "review"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the first test that runs makes its sample, and the others go on."""
    return tmp_path_factory.mktemp("review") / "demo"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def reviewing(*arguments):
    """The review app; gives (its process, its address)."""
    port = free_port()
    command = [*COMMAND, *map(str, arguments), "--port", str(port), "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            lines = iter(process.stdout.readline, "")
            yield process, next(line.split()[-1].rstrip("/") for line in lines if "http://" in line)
        finally:
            process.terminate()
            process.communicate(timeout=20)


def ask(url, form=None, **headers):
    """Status and body of one request; cookies are the caller's."""
    data = "&".join(f"{k}={v}" for k, v in form.items()).encode() if form is not None else None
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class NoRedirect(urllib.request.HTTPRedirectHandler):  # noqa: D101 - its one method says it
    def redirect_request(self, *_):
        """None: the answer is what it is."""


def field(html, name):
    return html.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def merged_one_by_one(base, own, plans):
    """Merge verdicts on clusters that a person decides; cluster id to its profiles."""
    joined = {}
    for plan in plans:
        status, html = ask(f"{base}/clusters/{plan.cluster_id}", **own)
        if status != 200:  # a group that only GetMatches sees
            continue
        form = {name: field(html, name) for name in ("seq", "version")}
        form |= {"verdict": "merge", "confirmed": "1"}
        if ask(f"{base}/clusters/{plan.cluster_id}/verdict", form, **own)[0] == 303:
            joined[plan.cluster_id] = set(plan.profile_ids)
    return joined


def test_the_demo_is_reviewed_gone_on_with_and_followed_by_the_next_run(run, place, tmp_path):
    with reviewing("--demo", "--run", place, "--profiles", 150) as (_, address):
        base, token = address.split("/?token=")
        own = {"Cookie": f"review_token={token}", "Sec-Fetch-Site": "same-origin"}
        assert ask(base)[0] == 401
        plan = next(p for p in read_plans(place) if p.band == "merge")
        cluster = plan.cluster_id
        status, html = ask(f"{base}/clusters/{cluster}", **own)
        assert status == 200
        form = {name: field(html, name) for name in ("seq", "version")} | {"verdict": "not_same"}
        assert ask(f"{base}/clusters/{cluster}/verdict", form, Cookie=own["Cookie"])[0] == 403
        assert ask(f"{base}/clusters/{cluster}/verdict", form, **own)[0] == 303
        joined = merged_one_by_one(base, own, [p for p in read_plans(place) if p.band == "review"])
    ledger = f"sqlite:///{place / 'ledger.sqlite'}"
    with open_review_book(ledger) as book:
        domain = json.loads((place / "report.json").read_text())["domain"]
        facts = book.facts_since(domain, 0)
        assert facts[0].content["verdict"] == "not_same"
        held = [f for f in facts if f.content["verdict"] == "merge" and not f.content["needs_second"]]
        assert {f.cluster_id for f in held} <= set(joined)
    with reviewing("--demo", "--run", place) as (_, address):
        base, token = address.split("/?token=")
        status, html = ask(f"{base}/history", Cookie=f"review_token={token}")
        assert cluster[:16] in html
    with subprocess.Popen(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "resolver",
            "local",
            "serve",
            "--data",
            str(place / "service.sqlite"),
            "--port",
            "0",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as service:
        url = service.stdout.readline().split()[-1]
        second = tmp_path / "second"
        arguments = ("--domain", domain, "--endpoint-url", url, "--out", second, "--ledger", ledger)
        code, _, _ = run("run", *arguments, "--keys", place / "keys.csv", "--quiet")
        service.terminate()
    assert code == 0
    mine = set(plan.profile_ids)
    assert not any(len(mine & set(p.profile_ids)) > 1 for p in read_plans(second) if p.band == "merge")
    ready = [set(p.profile_ids) for p in read_plans(second) if p.band == "merge"]
    assert held
    assert all(any(joined[f.cluster_id] <= ids for ids in ready) for f in held)
    clusters = pl.read_parquet(second / "clusters.parquet").filter(pl.col("profile_id").is_in(list(mine)))
    assert clusters["cluster_id"].n_unique() == len(mine)


def test_behind_a_proxy_the_name_comes_from_the_header_of_the_proxy_only(place):
    asked = ("--demo", "--run", place, "--profiles", 150)
    with reviewing(*asked, "--auth", "header", "--public-name", "review.example") as (_, base):
        assert ask(base)[0] == 401
        name = {"X-Forwarded-User": "ana", "Host": "review.example", "X-Forwarded-For": "203.0.113.9"}
        assert ask(base, **name)[0] == 200
        assert ask(base, **{**name, "Host": "evil.example"})[0] == 421
    with reviewing("--demo", "--run", place, "--auth", "header", "--proxy", "10.0.0.9") as (_, base):
        assert ask(base, **{"X-Forwarded-User": "ana"})[0] == 401


def test_bad_use_of_the_review_is_told(run, tmp_path):
    code, _, err = run("review")
    assert code == 2
    assert "--run DIR or --demo" in err
    code, _, err = run("review", "--run", tmp_path, "--proxy", "10.0.0.1")
    assert code == 2
    assert "need --auth header" in err
    assert run("review", "--run", tmp_path / "nothing")[0] == 2


def test_nothing_personal_is_in_the_logs_of_the_app(place):
    values = set()
    with reviewing("--demo", "--run", place, "--profiles", 150) as (process, address):
        base, token = address.split("/?token=")
        own = {"Cookie": f"review_token={token}", "Sec-Fetch-Site": "same-origin"}
        profiles = pl.read_parquet(place / "profiles.parquet")
        for column in ("last_name", "email_address", "phone_number", "account_number"):
            values |= {v for v in profiles[column].drop_nulls() if len(v) > 3}
        plan = next(p for p in read_plans(place) if ":" not in p.cluster_id)
        page = ask(f"{base}/clusters/{plan.cluster_id}", **own)[1]
        assert any(value in page for value in values), "the page itself shows them"
        word = next(iter(values)).replace("+", "%2B")
        ask(f"{base}/find", {"q": word}, **own)
        ask(f"{base}/clusters/{word.replace(' ', '%20')}", **own)
        ask(f"{base}/clusters/{plan.cluster_id}/verdict", {"verdict": word, "seq": word}, **own)
        ask(f"{base}/history?show={word.replace(' ', '%20')}", **own)
        process.terminate()
        out, err = process.communicate(timeout=20)
    told = out + err
    assert not [value for value in values if value in told]
    assert token not in told
