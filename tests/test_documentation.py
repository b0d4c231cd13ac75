"""What the documentation says exists: every link leads somewhere, every command and option is one."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from resolver.cli import app

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "rules/*.md", "benchmarks/*.md", "deploy/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(resolver [a-z][^`]*)`")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_of_a_page_leads_somewhere(page):
    for match in LINK.finditer(page.read_text()):
        target = match[1] or match[2]
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{target} is not there"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}: no such title"


def commands(text: str) -> list[str]:
    """Command lines of `sh` blocks, continued lines joined, and `resolver …` in running text."""
    lines = [line for block in FENCE.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *(" ".join(found.split()) for found in INLINE.findall(text))]


def asked_of_us(page: Path) -> list[list[str]]:
    """Words of each command of ours on a page, comments left out."""
    found = []
    for line in commands(page.read_text()):
        for part in re.split(r"&&|\||;", line.partition(" #")[0]):
            words = shlex.split(part.replace("[", "").replace("]", "").replace("…", ""), posix=True)
            if words and (words[0] == "make" or Path(words[0]).name == "resolver"):
                found.append([Path(words[0]).name, *words[1:]])
    return found


@cache
def ours() -> click.Command:
    return typer.main.get_command(app)


def fault_of(words: list[str]) -> str | None:
    """What is wrong with a command of ours; None where sub-command and options exist."""
    if words[0] == "make":
        targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
        return next(
            (f"make knows no {w}" for w in words[1:] if re.fullmatch("[a-z-]+", w) and w not in targets), None
        )
    command, rest = ours(), words[1:]
    while rest and hasattr(command, "commands"):
        if rest[0] not in command.commands:
            return None if rest[0].startswith("-") else f"resolver knows no {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {
        "--help",
        *(option for param in command.params for option in (*param.opts, *param.secondary_opts)),
    }
    given = (word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word))
    return next((f"{' '.join(words[:3])} has no {option}" for option in given if option not in known), None)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=named)
def test_every_command_of_a_page_exists_with_its_options(page):
    faults = {fault for words in asked_of_us(page) if (fault := fault_of(words))}
    assert faults == set()


def test_the_check_of_commands_sees_what_does_not_exist():
    assert fault_of(["resolver", "mach", "x.csv"]) == "resolver knows no mach"
    assert fault_of(["resolver", "match", "x.csv", "--outt", "y"]) == "resolver match x.csv has no --outt"
    assert fault_of(["make", "tests"]) == "make knows no tests"
    assert fault_of(["resolver", "match", "x.csv", "--out", "y"]) is None
    assert sum(len(asked_of_us(page)) for page in PAGES) > 60
