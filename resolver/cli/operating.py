"""`resolver release`, `status`, `diff`: what the person who looks after the job needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from resolver.cli.job import actor, default_ledger
from resolver.cli.options import AwsProfile, Domain, Endpoint, Json, Ledger, Region
from resolver.cli.output import Output


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(release)


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
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store
    from resolver.report.text import gate_lines

    url = ledger or default_ledger(
        Store(domain, connect(ConnectionSettings(endpoint_url, region, profile))), None
    )
    with open_ledger(url) as memory:
        fact = release_run(memory, domain, run_id, (by or actor(), reason, datetime.now(UTC)))
    gate = describe_gate(fact)
    Output(as_json).result({"run_id": run_id, **gate}, "\n".join(gate_lines(gate)))
