"""`resolver export` and `domain show`: what a domain holds."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from resolver.cli.options import (
    AwsProfile,
    CallsPerSecond,
    Domain,
    Earlier,
    Endpoint,
    FollowObjects,
    Json,
    Keys,
    Quiet,
    Region,
    Snapshot,
    SnapshotKind,
    snapshot_source,
)
from resolver.cli.output import Output

domain_app = typer.Typer(help="A Customer Profiles domain.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(export)
    app.add_typer(domain_app, name="domain")


def export(
    domain: Domain,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file of the profiles found.")],
    keys: Keys = None,
    contacts: Annotated[
        Path | None,
        typer.Option("--contacts", help="More seeds: CSV or Parquet with contact-record ids (contact_id)."),
    ] = None,
    earlier: Earlier = None,
    snapshot: Snapshot = None,
    snapshot_kind: SnapshotKind = None,
    follow_objects: FollowObjects = False,
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", help="More seeds: the ids that a ledger knows.", envvar="RESOLVER_LEDGER"),
    ] = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    calls_per_second: CallsPerSecond = 20.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the profiles of a domain and write them to a file, with a completeness figure.

    Starts from what it is given and from get_matches groups, and follows every phone, e-mail, name, account
    and key of the domain's object types found. Beside FILE stand its report (.export.json), match groups,
    what was looked for in vain (.unreached.parquet) and, with --earlier or --snapshot, the .changes.parquet.
    """
    from resolver.app.exporting import ExportOptions, export_domain, known_to_ledger
    from resolver.profile_file import read_profiles
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store
    from resolver.profiles.search_keys import read_contacts, read_keys
    from resolver.report.export_text import render_export
    from resolver.snapshot_file import read_snapshot

    output = Output(as_json, quiet)
    settings = ConnectionSettings(endpoint_url, region, profile, calls_per_second or None)
    source = snapshot_source(snapshot, snapshot_kind)
    options = ExportOptions(
        out=out,
        now=datetime.now(UTC),
        keys=(*(read_keys(keys) if keys else ()), *(read_contacts(contacts) if contacts else ())),
        known_ids=known_to_ledger(ledger, domain) if ledger else (),
        earlier=read_profiles(earlier) if earlier else None,
        snapshot=read_snapshot(source) if source else None,
        follow_objects=follow_objects,
    )
    report = export_domain(
        Store(domain, connect(settings)),
        options,
        lambda p: output.step("export", p.found, max(p.profile_count, p.found)),
    )
    output.result(asdict(report), render_export(asdict(report)))


@domain_app.command("show")
def show(
    domain: Domain,
    *,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    as_json: Json = False,
) -> None:
    """What a domain is: counts, matching settings, object types, integrations, templates, tags.

    A part that these credentials may not read, or that the endpoint does not have, is named as such.
    """
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store
    from resolver.profiles.overview import read_overview
    from resolver.report.domain_text import render_domain

    overview = asdict(
        read_overview(Store(domain, connect(ConnectionSettings(endpoint_url, region, profile))))
    )
    Output(as_json).result(overview, render_domain(overview))
