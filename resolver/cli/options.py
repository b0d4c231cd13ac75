"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Domain = Annotated[str, typer.Option("--domain", "-d", help="Name of the Customer Profiles domain.")]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        help="Another endpoint than AWS's: the embedded service.",
        envvar="AWS_ENDPOINT_URL_CUSTOMER_PROFILES",
    ),
]
Region = Annotated[str | None, typer.Option("--region", help="AWS Region.")]
AwsProfile = Annotated[str | None, typer.Option("--profile", help="Named profile of the AWS configuration.")]
Ledger = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help="Ledger URL [default: a SQLite file per domain in the user's state directory].",
        envvar="RESOLVER_LEDGER",
    ),
]
Rules = Annotated[Path | None, typer.Option("--rules", help="Rule set (TOML) [default: the shipped one].")]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", help="Seeds of the export: CSV or Parquet with columns key_name and value."),
]
