"""`resolver local`: the embedded Customer Profiles service."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resolver.cli.options import Domain, Json, Quiet
from resolver.cli.output import Output
from resolver.errors import BadInput, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from resolver.model.profile import Profile

app = typer.Typer(
    help="The embedded Customer Profiles service: serve it, fill it, run its matching job.",
    no_args_is_help=True,
)

Data = Annotated[Path | None, typer.Option("--data", help="The service's database file.")]
#: Columns of the file that maps given ids to profile ids.
_MAPPING = {"given_id": str, "profile_id": str}

Url = Annotated[
    str | None, typer.Option("--endpoint-url", help="A running embedded service instead of a file.")
]


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option("--data", help="Database file [default: in memory].")] = None,
    port: Annotated[
        int, typer.Option("--port", help="Port on 127.0.0.1; 0 picks a free one.", min=0, max=65535)
    ] = 4577,
    admin: Annotated[
        bool, typer.Option("--admin", help="Let clients set switches and plan failures under /_local/.")
    ] = False,
) -> None:
    """Serve the Customer Profiles API on a loopback port until interrupted.

    Any AWS client works: `aws customer-profiles list-domains --endpoint-url http://127.0.0.1:4577`.
    """
    from resolver.local.faults import Faults
    from resolver.local.request import Settings
    from resolver.local.server import serve as serve_forever
    from resolver.local.service import Service
    from resolver.local.store import Store

    try:
        with closing(Store.open(data)) as store:
            service = Service(store, Settings(faults=Faults() if admin else None))
            serve_forever(service, port, lambda url: typer.echo(f"listening on {url}"))
    except OSError as error:
        raise BadInput(error.strerror or str(error)) from None


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="Parquet, CSV or JSONL with a profile_id column.")],
    *,
    domain: Domain,
    data: Data = None,
    endpoint_url: Url = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="Write given id → profile id as CSV here.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bulk-load profiles into a domain, which is created if it is missing.

    A profile_id of 32 hex digits is kept; any other is replaced by a stable one.
    """
    from resolver.local.admin import load_over_http
    from resolver.local.loading import load_profiles
    from resolver.local.store import Store
    from resolver.profile_file import read_profiles

    _one_target(data, endpoint_url)
    output = Output(as_json, quiet)
    if mapping is not None:
        _write_mapping(mapping, {})  # a place that cannot be written is found out before anything is loaded
    profiles = _api_shaped(read_profiles(file))
    with _complaints(endpoint_url):
        if endpoint_url is not None:
            report = load_over_http(endpoint_url, domain, profiles)
        else:
            with closing(Store.open(data)) as store:
                report = load_profiles(store, domain, profiles)
    if mapping is not None:
        _write_mapping(mapping, report.mapping)
    replaced = sum(old != new for old, new in report.mapping.items())
    output.result({"domain": domain, "profiles_loaded": report.count, "ids_replaced": replaced})


@app.command("match-job")
def match_job(domain: Domain, data: Data = None, endpoint_url: Url = None, *, as_json: Json = False) -> None:
    """Run the domain's weekly matching job now: GetMatches answers from it until the next run."""
    from resolver.local.admin import run_matching_job_over_http
    from resolver.local.matching_job import run_matching_job
    from resolver.local.store import Store

    _one_target(data, endpoint_url)
    with _complaints(endpoint_url):
        if endpoint_url is not None:
            facts = run_matching_job_over_http(endpoint_url, domain)
        else:
            if data is None or not data.exists():
                raise BadInput(f"{data}: no such database of the embedded service")
            with closing(Store.open(data)) as store:
                facts = run_matching_job(store, domain, datetime.now(UTC))
    Output(as_json).result(facts)


def _one_target(data: Path | None, endpoint_url: str | None) -> None:
    if (data is None) == (endpoint_url is None):
        raise BadInput("give either --data FILE or --endpoint-url URL")


@contextmanager
def _complaints(endpoint_url: str | None) -> Iterator[None]:
    """The annexe's own errors as errors of this package: it imports nothing of ours."""
    from resolver.local.admin import AdminRefused
    from resolver.local.loading import BadProfile
    from resolver.local.refusal import Refusal

    try:
        yield
    except (BadProfile, AdminRefused, Refusal) as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        if endpoint_url is None:
            raise BadInput(str(error)) from None
        raise Unreachable(
            f"{endpoint_url}: {type(error).__name__}: no embedded service answers there"
        ) from None


def _api_shaped(frame: pl.DataFrame) -> Iterator[Profile]:
    from resolver.model.profile import from_row

    for row in frame.iter_rows(named=True):  # the service takes one JSON document a profile
        yield from_row(row)


def _write_mapping(path: Path, mapping: dict[str, str]) -> None:
    import polars as pl

    from resolver.whole_file import whole

    frame = pl.DataFrame({"given_id": list(mapping), "profile_id": list(mapping.values())}, schema=_MAPPING)
    with whole(path) as partial:
        frame.write_csv(partial)
