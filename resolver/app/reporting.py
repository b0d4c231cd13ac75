"""Use case: a run's report, for programs (report.json) and for people (report.html)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from resolver.errors import BadFile
from resolver.report.page import render_page
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
