"""`resolver policy`: what IAM must allow."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated

import typer

from resolver.cli.options import Domain


class PhaseOption(Enum):
    """What a role is for."""

    READ = "read"
    PLAN = "plan"
    MERGE = "merge"
    RESTORE = "restore"


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(policy)


def policy(
    *,
    domain: Domain,
    phase: Annotated[PhaseOption, typer.Option("--phase", help="What the role is to do.")],
    account: Annotated[str, typer.Option("--account", help="AWS account id; * for any.")] = "*",
    region: Annotated[str, typer.Option("--region", help="AWS Region; * for any.")] = "*",
    partition: Annotated[str, typer.Option("--partition", help="aws, aws-cn or aws-us-gov.")] = "aws",
) -> None:
    """Print the least IAM policy for a phase of the job, as JSON.

    read: `export`, `domain show`. plan: `run` without --apply. merge: `apply`, `run --apply`.
    restore: `restore --apply`, for the occasion only. Nothing is sent to AWS.
    """
    from resolver.app.policies import Scope, policy_of

    scope = Scope(domain, account, region, partition)
    typer.echo(json.dumps(policy_of(phase.value, scope), indent=2))
