"""`resolver release`, `status`, `diff`: what the person who looks after the job needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from resolver.cli.job import actor, default_ledger
from resolver.cli.options import AwsProfile, Domain, Endpoint, Json, Ledger, Region
from resolver.cli.output import Output


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(status)
    app.command()(release)
    app.command()(diff)
    app.command()(report)


def status(
    *,
    domain: Domain,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """How the job stands: last run, gates, reviews, merges in hand, lease, ledger. Nothing is sent."""
    from resolver.app.status import status_of
    from resolver.ledger.ledger import open_ledger
    from resolver.report.status_text import render_status

    with open_ledger(ledger or _ledger_of(domain, endpoint_url, region, profile)) as memory:
        told = status_of(domain, memory, datetime.now(UTC))
    Output(as_json).result(told, render_status(told))


def diff(
    before: Annotated[Path, typer.Argument(help="Directory of a run or match.")],
    after: Annotated[Path, typer.Argument(help="Directory of another one.")],
    *,
    as_json: Json = False,
) -> None:
    """Compare two runs, or two rule sets on one export: clusters joined and split, bands, pairs by rule."""
    from resolver.report.comparison import compare_runs, render_comparison

    told = compare_runs(before, after)
    Output(as_json).result(told, render_comparison(told))


def report(
    run_directory: Annotated[Path, typer.Argument(help="Directory of a run or match: what --out was.")],
    *,
    as_json: Json = False,
) -> None:
    """Print the report of a run or match, and write its page (report.html) anew.

    Beside a match's page also clusters.csv: every profile and its customer, for a spreadsheet.
    """
    from resolver.app.reporting import is_match, read_report, report_match, write_page
    from resolver.report.match_report import render_match
    from resolver.report.text import line, render_report

    if is_match(run_directory):
        told, (page, table) = report_match(run_directory)
        text = [render_match(told), line("Page", str(page)), line("Table", str(table))]
        Output(as_json).result(told, "\n".join(text))
        return
    told = read_report(run_directory)
    page = write_page(told, run_directory)
    Output(as_json).result(told, render_report(told) + "\n" + line("Page", str(page)))


def release(
    run_id: Annotated[str, typer.Argument(help="The run that a gate holds, as `status` names it.")],
    *,
    domain: Domain,
    reason: Annotated[str, typer.Option("--reason", help="Why it may pass; kept for ever.")],
    by: Annotated[str | None, typer.Option("--by", help="Who says so [default: this user].")] = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """Let a run pass that a gate holds; `apply --run` may then merge its plans.

    Only the latest run of a domain can be released. Nothing is sent.
    """
    from resolver.app.gating import describe_gate, release_run
    from resolver.ledger.ledger import open_ledger
    from resolver.report.text import gate_lines

    with open_ledger(ledger or _ledger_of(domain, endpoint_url, region, profile)) as memory:
        fact = release_run(memory, domain, run_id, (by or actor(), reason, datetime.now(UTC)))
    gate = describe_gate(fact)
    Output(as_json).result({"run_id": run_id, **gate}, "\n".join(gate_lines(gate)))


def _ledger_of(domain: str, endpoint_url: str | None, region: str | None, profile: str | None) -> str:
    """The ledger of a domain where none is named."""
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store

    return default_ledger(Store(domain, connect(ConnectionSettings(endpoint_url, region, profile))), None)
