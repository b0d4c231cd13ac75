"""Use case: the report of a run or a match, as JSON for programs and as a page for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resolver.app.reviewing.history import safe_cells
from resolver.errors import BadFile
from resolver.report.figures import read_table
from resolver.report.match_report import listed
from resolver.report.page import render_match_page, render_page
from resolver.whole_file import whole, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_report(report: Mapping[str, Any], out: Path) -> None:
    """report.html, and last report.json: where that is, the run is published whole."""
    write_page(report, out)
    write_json(report, out / "report.json")


def write_page(report: Mapping[str, Any], out: Path) -> Path:
    """report.html of a report's content; where it is."""
    path = out / "report.html"
    with whole(path) as partial:
        partial.write_text(render_page(report), encoding="utf-8")
    return path


def read_report(directory: Path) -> dict[str, Any]:
    """The content of a run's report.json.

    Raises:
        BadFile: there is none, it is not readable, or it is of a version without gates.
    """
    path = directory / "report.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: no report of a run there ({type(error).__name__})") from None
    missing = [
        name for name in ("gate", "lineage", "history") if not isinstance(report, dict) or name not in report
    ]
    if missing:
        raise BadFile(f"{path}: a report without {', '.join(missing)}: an earlier version wrote it")
    return report


def is_match(directory: Path) -> bool:
    """Whether `match` wrote this directory, and not a run of the job."""
    return (directory / "match.json").is_file() and not (directory / "report.json").exists()


def report_match(directory: Path) -> tuple[dict[str, Any], list[Path]]:
    """The content of match.json; report.html and clusters.csv are written beside it.

    clusters.csv is clusters.parquet for a spreadsheet, the largest clusters first; an id that a spreadsheet
    would run as a formula gets an apostrophe.

    Raises:
        BadFile: a file of the match is not there or not readable.
    """
    path = directory / "match.json"
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}: cannot be read ({type(error).__name__})") from None
    clusters = read_table(directory, "clusters.parquet")
    made = [directory / "report.html", directory / "clusters.csv"]
    with whole(made[0]) as partial:
        partial.write_text(render_match_page(told, listed(clusters)), encoding="utf-8")
    ordered = clusters.sort("size", "cluster_id", "profile_id", descending=[True, False, False])
    with whole(made[1]) as partial:
        safe_cells(ordered).write_csv(partial)
    return told, made
