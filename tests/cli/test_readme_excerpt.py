"""What the README shows of the demo is what the demo prints."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"(What `make demo` prints at the end.*?```text\n)(.*?)(```)", re.DOTALL)
#: What differs from run to run: the run's id, seconds, calls, the directory.
VARIES = (
    (r"with [\d,]+ calls", "with N calls"),
    (r"run \d{8}T\d{6}Z-\d+", "run ID"),
    (r"Done in [\d.]+ s", "Done in N s"),
    (r"is in \S+:", "is in DIR:"),
)


def excerpt(text: str) -> str:
    found = BLOCK.search(text)
    assert found, "the README shows no excerpt of the demo"
    return found[2]


def end_of(output: str) -> str:
    """From the line of the domain on, which follows the examples."""
    return output[re.search(r"^Domain  ", output, re.MULTILINE).start() :].rstrip() + "\n"


def lines(text: str) -> list[str]:
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def labels(text: str) -> list[str]:
    """The first column of each line that is not indented: those come with any domain."""
    return [
        re.sub(r"\d+", "N", re.split(r"  +", line)[0]) for line in lines(text) if not line.startswith(" ")
    ]


def test_the_readme_shows_the_lines_that_the_demo_prints_in_their_order(run, tmp_path):
    code, out, _ = run("demo", "--profiles", 300, "--out", tmp_path / "demo", "--quiet")
    assert code == 0
    assert "predicted" in out[: out.index("Profiles found")]  # the examples before it
    assert labels(end_of(out)) == labels(excerpt(README.read_text(encoding="utf-8")))


def test_a_line_that_the_demo_does_not_print_would_be_noticed():
    shown = "Domain     a   run 20261127T122419Z-2266\n  band merge  1\nDone in 3.0 s. It is in out/x: a\n"
    assert labels(shown) == ["Domain", "Done in N s. It is in DIR: a"]
    assert labels(shown.replace("Domain", "Domains")) != labels(shown)
    assert end_of(f"examples\n{shown}") == shown


@pytest.mark.soak
def test_every_figure_of_the_readme_s_excerpt_is_the_demo_s(run, tmp_path):
    if not os.environ.get("RESOLVER_SOAK"):
        pytest.skip("the demo on 5,000 profiles (RESOLVER_SOAK=1); RESOLVER_WRITE_DOCS=1 then writes it anew")
    code, out, _ = run("demo", "--out", tmp_path / "demo", "--quiet")
    assert code == 0
    text = README.read_text(encoding="utf-8")
    if os.environ.get("RESOLVER_WRITE_DOCS"):
        shown = end_of(out).replace(str(tmp_path / "demo"), "out/demo")
        text = BLOCK.sub(lambda found: found[1] + shown + found[3], text)
        README.write_text(text, encoding="utf-8")
    assert lines(excerpt(text)) == lines(end_of(out))
