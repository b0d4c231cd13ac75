"""Accuracy, time and memory beside four rivals (Splink, GoldenMatch, dedupe, recordlinkage) in one run.

usage: python benchmarks/bench_rivals.py FILE|DIR [...] [--python .venv/rivals/bin/python] [--only NAME ...]
       [--limit 600] [--write]

Each FILE is a labelled Parquet file (profile_id, flat profile fields, entity_id), a DIR holds such files.
`make rivals` makes the environment that PYTHON belongs to. How each rival is set up, and by which page of its
documentation, is written in benchmarks/rivals/, a file each. All are whole processes on the raw file, in
turn: imports, cleaning and writing count. dedupe alone is told anything (100 answers); the others get no
labels. A rival that ends with an error, or has not ended after LIMIT seconds, is printed so, and its F1 is 0
in the mean. ``--write`` puts the tables into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from bench_pipeline import Cost, match_command
from bench_quality import SPLINK

from resolver.matching.evaluation import score_clusters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HERE: Final = Path(__file__).parent
README: Final = HERE / "README.md"
OURS: Final = "resolver"
#: Splink set up for each labelled set by a person, at its default threshold: published, not run here.
BY_HAND: Final = "Splink by hand"
#: Heading of each rival's column, and its file in benchmarks/rivals.
RIVALS: Final = {
    "Splink": "splink_duckdb",
    "GoldenMatch": "goldenmatch_auto",
    "its probabilistic": "goldenmatch_probabilistic",
    "dedupe": "dedupe_labels",
    "recordlinkage": "recordlinkage_ecm",
}
BEGIN, END = "<!-- rivals: written by bench_rivals.py --write -->", "<!-- rivals: end -->"


@dataclass(frozen=True)
class Outcome:
    """What one tool made of one file; ``problem`` in place of a score where it made nothing."""

    tool: str
    file: str
    cost: Cost
    f1: float = 0.0
    problem: str = ""


def run(command: list[str], limit: float) -> tuple[Cost, str]:
    """Run a command to its end; what it cost, and why it came to nothing ("": it did not).

    Memory is that of its largest process.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(  # noqa: S603 - given by us
            command, stdout=subprocess.DEVNULL, stderr=told, start_new_session=True
        )
        over = threading.Event()
        timer = threading.Timer(limit, lambda: (over.set(), os.killpg(process.pid, 9)))
        timer.start()
        _, status, used = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        cost = Cost(time.perf_counter() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
        if over.is_set():
            return cost, f"> {limit:.0f} s"
        if process.returncode:
            told.seek(0)
            return cost, _last_line(told.read().decode(errors="replace"))
    return cost, ""


def _last_line(text: str) -> str:
    """The last line that tells something: some draw carets and rules under it."""
    lines = [line.strip() for line in text.splitlines() if any(letter.isalpha() for letter in line)]
    return (lines[-1] if lines else "failed")[:120]


def ours(file: Path, folder: Path, asked: argparse.Namespace) -> Outcome:
    """`resolver match` with the default rules."""
    cost, problem = run(match_command(file, folder / "out", None), asked.limit)
    clusters = None if problem else pl.read_parquet(folder / "out" / "clusters.parquet")
    return outcome(OURS, file, (cost, problem), clusters)


def theirs(name: str, file: Path, folder: Path, asked: argparse.Namespace) -> Outcome:
    """One rival."""
    out = folder / f"{name}.parquet"
    script = HERE / "rivals" / f"{RIVALS[name]}.py"
    command = [asked.python, str(script), str(file), str(out), "--truth", str(file)]
    cost, problem = run(command, asked.limit)
    return outcome(name, file, (cost, problem), None if problem else pl.read_parquet(out))


def outcome(name: str, file: Path, ran: tuple[Cost, str], clusters: pl.DataFrame | None) -> Outcome:
    """The score of the clusters, where there are any."""
    cost, problem = ran
    if clusters is None:
        return Outcome(name, file.stem, cost, problem=problem)
    truth = pl.read_parquet(file, columns=["profile_id", "entity_id"]).cast(pl.String)
    return Outcome(name, file.stem, cost, score_clusters(clusters, truth).f1)


def tables(found: Sequence[Outcome]) -> str:
    """Three Markdown tables: F1, seconds, MiB; and what went wrong."""
    by_hand = [
        Outcome(BY_HAND, file, Cost(0.0, 0.0, 0.0), SPLINK[file][1])
        for file in dict.fromkeys(one.file for one in found)
        if file in SPLINK
    ]
    text = [
        table("pairwise F1", [*found, *by_hand], lambda one: "–" if one.problem else f"{one.f1:.3f}", "mean"),
        table("wall seconds", found, lambda one: f"{one.cost.wall:.1f}", "sum"),
        table("peak MiB", found, lambda one: f"{one.cost.peak:.0f}", "most"),
    ]
    wrong = [f"- {one.tool} on {one.file}: {one.problem}" for one in found if one.problem]
    return "\n\n".join([*text, *(["\n".join(["No answer:", "", *wrong])] if wrong else [])])


def table(title: str, found: Sequence[Outcome], shown: Callable[[Outcome], str], last: str) -> str:
    """A row a file and a column a tool, with a last row over all files."""
    tools = list(dict.fromkeys(one.tool for one in found))
    files = list(dict.fromkeys(one.file for one in found))
    of = {(one.file, one.tool): one for one in found}
    lines = [f"| {title} | " + " | ".join(tools) + " |", "| --- |" + " ---: |" * len(tools)]
    for file in files:
        cells = [shown(of[file, tool]) if (file, tool) in of else "" for tool in tools]
        lines.append(f"| {file} | " + " | ".join(cells) + " |")
    overall = [summary(last, [of[file, tool] for file in files if (file, tool) in of]) for tool in tools]
    return "\n".join([*lines, f"| **{last}** | " + " | ".join(overall) + " |"])


def summary(how: str, own: Sequence[Outcome]) -> str:
    """The figure over all files: mean F1 (0 without an answer), all seconds, most memory."""
    if how == "mean":
        return f"{statistics.fmean(one.f1 for one in own):.3f}"
    if how == "sum":
        return f"{sum(one.cost.wall for one in own):.0f}"
    return f"{max(one.cost.peak for one in own):.0f}"


def written(readme: str, text: str) -> str:
    """The README with new tables between its markers.

    Raises:
        ValueError: a marker is missing, or they stand the wrong way round.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name}: {BEGIN} and {END} must stand there, in this order")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files, and those in the directories."""
    return [file for path in paths for file in (sorted(path.glob("*.parquet")) if path.is_dir() else [path])]


def versions(python: str) -> str:
    """The rivals' versions, as their environment tells."""
    ask = "from importlib.metadata import version as v; print(', '.join(f'{n} {v(n)}' for n in %r))"
    names = ("splink", "duckdb", "goldenmatch", "dedupe", "recordlinkage")
    told = subprocess.run([python, "-c", ask % (names,)], capture_output=True, text=True, check=False)  # noqa: S603
    return told.stdout.strip() or "versions unknown"


def main() -> None:
    """Run every tool on every file, print as it goes, then the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="FILE|DIR")
    parser.add_argument("--python", default=str(HERE.parent / ".venv/rivals/bin/python"))
    parser.add_argument("--only", nargs="*", choices=[*RIVALS], default=[*RIVALS], metavar="NAME")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for each tool and file")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/README.md")
    asked = parser.parse_args()
    if asked.only and not Path(asked.python).exists():
        sys.exit(f"{asked.python} is not there: `make rivals` makes it")
    found: list[Outcome] = []
    for file in files_of(asked.paths):
        with tempfile.TemporaryDirectory() as folder:
            for name in (OURS, *asked.only):
                run_one = ours if name == OURS else partial(theirs, name)
                found.append(one := run_one(file, Path(folder), asked))
                said = one.problem or f"F1 {one.f1:.4f}"
                print(
                    f"{one.file:24s} {name:18s} {one.cost.wall:7.1f} s {one.cost.peak:6.0f} MiB  {said}",
                    flush=True,
                )
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    machine = f"{os.cpu_count()} cores, load {load} at the end"
    text = f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {versions(asked.python)}.\n\n{tables(found)}"
    print(f"\n{text}")
    if asked.write:
        README.write_text(written(README.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
