"""`resolver match`, `evaluate`, `explain`, `rules`: the engine on files, without a domain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from resolver.cli.options import Json, Quiet, Rules
from resolver.cli.output import Output

rules_app = typer.Typer(help="Rule sets: check one, print the schema of all.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(match)
    app.add_typer(rules_app, name="rules")


def match(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSONL with a profile_id column.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for the results.")],
    rules: Rules = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Resolve a file of profiles: who is who, and how sure that is.

    Writes clusters.parquet (profile_id, cluster_id: every profile once), pairs.parquet (profile_id_left,
    profile_id_right, match_weight, match_probability, band and every comparison's level and weight),
    parameters.json (what was learned) and match.json (figures and stage times).
    """
    from resolver.app.matching import match_file

    output = Output(as_json, quiet)
    output.result(match_file(file, out, rules, output))
