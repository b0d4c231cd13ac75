"""`resolver review`: the analysts' web app on what a run concluded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from resolver.cli.job import RunDirectory, default_ledger, ledger_beside
from resolver.cli.options import AwsProfile, Endpoint, Ledger, Region, Rules
from resolver.errors import BadFile


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(review)


def review(
    *,
    run_directory: RunDirectory,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=1, max=65535)] = 8400,
    rules: Rules = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
) -> None:
    """Review the candidate clusters of a run in the browser, hands on the keyboard. Nothing is merged there.

    Prints an address with a token; listens on 127.0.0.1 only. Verdicts go to the ledger, and the next run
    follows them.
    """
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.reading import read_batch
    from resolver.ledger.reviews import open_review_book
    from resolver.profiles.domain import ConnectionSettings, Domain, connect
    from resolver.rule_file import load_rules
    from resolver.web.server import Settings, serve

    batch = read_batch(run_directory, load_rules(rules))
    url = ledger
    if url is None and (run_directory / "ledger.sqlite").exists():
        url = ledger_beside(run_directory)
    if url is None:
        named = _reported(run_directory).get("ledger")
        url = named if named and Path(named).is_file() else None
    if url is None:
        store = Domain(
            str(_reported(run_directory)["domain"]),
            connect(ConnectionSettings(endpoint_url, region, profile)),
        )
        url = default_ledger(store, run_directory)
    with open_review_book(url) as book:
        serve(Settings(Desk(batch, book), port=port, announce=typer.echo))


def _reported(directory: Path) -> dict[str, Any]:
    """The run's report, which names its domain and its ledger."""
    try:
        report: dict[str, Any] = json.loads((directory / "report.json").read_text(encoding="utf-8"))
        report["domain"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{directory}: no report of a run there ({type(error).__name__})") from None
    return report
