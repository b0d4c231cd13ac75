"""Every command line of the README and the guides is played as a reader would, page by page, in one folder.

What cannot be played here is named in ``ELSEWHERE`` with the test that does it, or needs an AWS account and
says so on its page. A command line that is in none of the three fails: no page promises what nobody has run.
"""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl
import pytest
from test_documentation import FENCE, ROOT

from resolver.cli import main
from resolver.local.sample.generator import make_sample

if TYPE_CHECKING:
    from pathlib import Path

#: The README first, which makes the domain that the guides speak of; last the page that serves another one.
LAST = "docs/local-service.md"
GUIDES = sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))
PAGES = ("README.md", *(page for page in GUIDES if page != LAST), LAST)
#: Command lines (their beginnings) and the file whose tests play them.
ELSEWHERE = {
    "make demo": "Makefile",
    "make test": ".ci/run",
    "resolver drill": "tests/cli/test_drill_command.py",
    "aws customer-profiles": "tests/clients/test_clients.py",
    "curl": "tests/local/test_admin_routes.py",
    "resolver review --run run1 --auth header": "tests/cli/test_review_command.py",
    "resolver review --demo": "tests/cli/test_review_command.py",
}
#: What only an AWS account has; the page must say so within the lines around the block.
AWS = ("s3://",)
DOMAIN = "demo"


def lines_of(page: str) -> list[str]:
    """The command lines of a page's `sh` blocks: continued lines joined, comments left out."""
    text = (ROOT / page).read_text()
    blocks = [block.replace("\\\n", " ") for block in FENCE.findall(text)]
    return [
        line.partition(" #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Reader:
    """Somebody who has a file of contacts and types what the page says."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.port, self.served = free_port(), []
        sample = make_sample(150, seed=7)
        rows = [
            {k: v for k, v in p.items() if isinstance(v, str) and k != "ProfileId"}
            | {"profile_id": p["ProfileId"]}
            for p in sample.profiles
        ]
        contacts = pl.DataFrame(rows, infer_schema_length=None)
        contacts.write_csv(folder / "contacts.csv")
        contacts.write_parquet(folder / "profiles.parquet")
        truth = [(p["ProfileId"], sample.truth[p["ProfileId"]]) for p in sample.profiles]
        columns = ["profile_id", "entity_id"]
        pl.DataFrame(truth, schema=columns, orient="row").cast(pl.String).write_csv(folder / "truth.csv")
        keys = [(name, value) for name, value in sample.keys]
        for name in ("keys.csv", "changed.csv"):
            pl.DataFrame(keys, schema=["key_name", "value"], orient="row").write_csv(folder / name)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def filled(self, line: str) -> list[str]:
        """The words of a line, with what a reader puts in the place of its capitals."""
        line = line.replace("[--json]", "").replace("[MERGE-ID]", "")
        line = line.replace("4577", str(self.port)).replace("8080", str(self.port))
        line = line.replace("run …", f"run --domain {DOMAIN} --endpoint-url {self.endpoint} --out run3")
        words = shlex.split(line)
        ids = pl.read_csv(self.folder / "contacts.csv")["profile_id"].to_list()
        known = {
            "ID1": ids[0],
            "ID2": ids[1],
            "RUN-A": "run1",
            "RUN-B": "run2",
            "D": DOMAIN,
            "URL": self._ledger,
            "PLAN-ID": self._plan_id,
            "MERGE-ID": self._merge_id,
            "PROFILE-ID": self._profile_id,
        }
        made = [known.get(word, word) for word in words]
        return [word() if callable(word) else word for word in made]

    def play(self, line: str) -> int:
        """Type a line; its exit code. A service is left serving, the review app is looked at and ended."""
        words = self.filled(line)[1:]
        if words[:2] == ["local", "serve"]:
            return self._serve(words)
        if words[0] == "review":
            return self._review(words)
        if needs_endpoint(words):
            words += ["--endpoint-url", self.endpoint]
        with pytest.raises(SystemExit) as left:
            main(words)
        self.said = self.capsys.readouterr()
        return int(left.value.code or 0)

    def _serve(self, words: list[str]) -> int:
        self.end()
        command = [sys.executable, "-m", "resolver", *words]
        self.served.append(subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True))  # noqa: S603 - our own
        assert "http://" in self.served[-1].stdout.readline()
        return 0

    def _review(self, words: list[str]) -> int:
        words = [*words, "--port", str(free_port()), "--endpoint-url", self.endpoint]
        command = [sys.executable, "-m", "resolver", *words]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True) as app:  # noqa: S603 - our own
            said = next((line for line in app.stdout if "http://" in line), "")
            app.terminate()
        return 0 if said else 1

    def end(self) -> None:
        for process in self.served:
            process.terminate()
            process.communicate(timeout=20)
        self.served.clear()

    def _asked(self, *words: str) -> dict:
        with pytest.raises(SystemExit):
            main([*words, "--json"])
        return json.loads(self.capsys.readouterr().out)

    def _ledger(self) -> str:
        said = self._asked("status", "--domain", DOMAIN, "--endpoint-url", self.endpoint)
        return said["ledger"]

    def _plan_id(self) -> str:
        return json.loads((self.folder / "run1" / "plans.jsonl").read_text().splitlines()[0])["plan_id"]

    def _merges(self) -> list[dict]:
        return self._asked("history", "--domain", DOMAIN, "--endpoint-url", self.endpoint)["merges"]

    def _merge_id(self) -> str:
        return next(m["merge_id"] for m in self._merges() if m["state"] == "done")

    def _profile_id(self) -> str:
        plans = map(json.loads, (self.folder / "run1" / "plans.jsonl").read_text().splitlines())
        merged = {p["plan_id"]: p["merged_profile_ids"][0] for p in plans}
        return next(merged[m["merge_id"]] for m in reversed(self._merges()) if m["merge_id"] in merged)


def needs_endpoint(words: list[str]) -> bool:
    """Commands that read a domain: on the pages the domain is AWS's unless an endpoint is named."""
    reading = ("run", "apply", "export", "restore", "history", "forget", "status", "domain")
    return words[0] in reading and "--endpoint-url" not in words


def kind_of(line: str) -> str:
    if any(line.startswith(known) for known in ELSEWHERE):
        return "elsewhere"
    return "aws" if any(mark in line for mark in AWS) else "play"


@pytest.fixture
def reader(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    one = Reader(tmp_path, capsys)
    yield one
    one.end()


@pytest.mark.timeout(600)
def test_the_pages_are_played_from_top_to_bottom(reader):
    played = 0
    for page in PAGES:
        for line in lines_of(page):
            if kind_of(line) != "play":
                continue
            assert line.startswith("resolver "), f"{page}: nobody plays `{line}`"
            code = reader.play(line)
            assert code == 0, f"{page}: `{line}` ended with {code}: {reader.said.err}"
            played += 1
    assert played > 25


@pytest.mark.parametrize(("start", "place"), sorted(ELSEWHERE.items()))
def test_what_is_played_elsewhere_is_played_there(start, place):
    assert any(line.startswith(start) for page in PAGES for line in lines_of(page)), "no page says it"
    text = (ROOT / place).read_text()
    if place.endswith(".py"):
        assert "def test_" in text
    word = start.split()[1] if start.startswith(("resolver", "make")) else ""
    assert word in text


def test_pages_say_what_needs_an_account():
    for page in PAGES:
        lines = (ROOT / page).read_text().splitlines()
        for before, line in pairwise(lines):
            if any(mark in line for mark in AWS) and line.startswith("resolver "):
                assert "AWS" in before + line, f"{page}: `{line}` needs an AWS account, and does not say so"
