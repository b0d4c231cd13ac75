"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from resolver.snapshot_file import SnapshotSource

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
CallsPerSecond = Annotated[
    float,
    typer.Option("--calls-per-second", help="Reads a second, below the account's quota; 0: no limit.", min=0),
]
MergesPerSecond = Annotated[
    float,
    typer.Option("--merges-per-second", help="Calls a second that change something; 0: no limit.", min=0),
]
Earlier = Annotated[
    Path | None,
    typer.Option("--earlier", help="Profiles of an earlier export: read again by their ids, 20 a call."),
]
FollowObjects = Annotated[
    bool,
    typer.Option(
        "--follow-objects",
        help="Follow keys that only objects hold, too: a call for each profile and type with such keys.",
    ),
]
Snapshot = Annotated[
    str | None,
    typer.Option(
        "--snapshot",
        help="Bulk export or segment snapshot, taken as it is: file, directory, pattern or s3:// address.",
    ),
]


class SnapshotFormat(Enum):
    """What the files of a snapshot may be."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ORC = "orc"


class ObjectsWanted(Enum):
    """Which objects a run reads."""

    ALL = "all"
    DATED = "dated"
    NONE = "none"


SnapshotKind = Annotated[
    SnapshotFormat | None,
    typer.Option("--snapshot-kind", help="What a snapshot is made of, where its names do not tell."),
]


def snapshot_source(location: str | None, kind: SnapshotFormat | None) -> SnapshotSource | None:
    """What --snapshot and --snapshot-kind name together."""
    from resolver.snapshot_file import SnapshotSource

    return SnapshotSource(location, kind.value if kind else None) if location else None
