"""Reports as one page for people: no script, nothing fetched, fit for printing. Every value is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What is drawn over the runs: figure of the ledger, its name, and whether it is a share.
DRAWN: Final = (
    ("ambiguous.phones", "ambiguous phone numbers", False),
    ("ambiguous.e-mails", "ambiguous e-mail addresses", False),
    ("profiles", "profiles", False),
    ("match_rate", "profiles that share a customer", True),
    ("plans_review", "plans for a person", False),
)
#: Merges listed under Undo; a page is for reading.
MOST: Final = 200
_WIDTH, _HEIGHT, _MARGIN = 260, 90, 8


def render_page(report: Mapping[str, Any]) -> str:
    """The page of a report (the content of report.json)."""
    page = _environment().get_template("report.html")
    return page.render(report=report, charts=charts_of(report["history"]), most=MOST)


def render_match_page(told: Mapping[str, Any], listed: Mapping[str, Any]) -> str:
    """The page of a match: the content of match.json, and the clusters that it lists."""
    return _environment().get_template("match.html").render(told=told, listed=listed)


@cache  # and with it the compiled templates
def _environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    env.globals.update(number=_number, cell=_cell)
    return env


def charts_of(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A line for each drawn figure over the runs, the earliest first; none for fewer than two runs."""
    return [
        chart
        for figure, name, share in DRAWN
        if (
            chart := _chart([run for run in history if figure in run["figures"]], figure, share=share)
            | {"name": name}
        )
        and "points" in chart
    ]


def _chart(runs: Sequence[Mapping[str, Any]], figure: str, *, share: bool) -> dict[str, Any]:
    if len(runs) < 2:  # noqa: PLR2004 - a point is no line
        return {}
    values = [run["figures"][figure] for run in runs]
    told = [f"{value:.1%}" if share else f"{value:,.0f}" for value in values]
    top = max(*values, 1e-9)
    wide, high = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    points = [
        {
            "x": round(_MARGIN + wide * k / (len(runs) - 1), 1),
            "y": round(_MARGIN + high * (1 - value / top), 1),  # from zero: no small change looks large
            "held": run["state"] == "held",
            "label": f"{run['run_id']}: {told[k]}",
        }
        for k, (run, value) in enumerate(zip(runs, values, strict=True))
    ]
    return {"points": points, "first": told[0], "last": told[-1], "width": _WIDTH, "height": _HEIGHT}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


def _cell(name: str, value: float | None) -> Markup:
    """A number's cell, named so that what the page claims can be checked."""
    return Markup('<td class="n" data-figure="{}">{}</td>').format(name, _number(value))
