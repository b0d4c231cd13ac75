"""`resolver demo`: the whole job on the embedded service and sample data."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from resolver.cli.job import ledger_beside, new_run_id
from resolver.cli.options import Json, Quiet
from resolver.cli.output import Output
from resolver.errors import BadInput, ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from resolver.local.sample.generator import Sample
    from resolver.profiles.domain import Clients

DOMAIN: Final = "amazon-connect-demo"
#: Files of an earlier demo in the same directory: its service and its memory would contradict this one's.
LEFTOVERS: Final = ("service.sqlite", "ledger.sqlite")
SEED: Final = 20


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(demo)


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for the demo's files.")] = Path(
        "out/demo"
    ),
    profiles: Annotated[int, typer.Option("--profiles", help="Size of the sample domain.", min=10)] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another domain.")] = SEED,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The whole job, from nothing: serve, load, match, plan, merge, verify. Touches no AWS account.

    Starts the embedded Customer Profiles service on a loopback port, loads a made-up domain of customers who
    exist several times, exports it through boto3, resolves it, prints the report, merges what needs no
    person and measures the result against the truth.
    """
    from resolver.local.sample.generator import make_sample

    output = Output(as_json, quiet)
    started = time.perf_counter()
    _clear(out)
    sample = make_sample(profiles, seed)
    with _serving(out / "service.sqlite") as url:
        output.say(f"The embedded Customer Profiles service listens on {url} (data in {out}).")
        result = _demonstrate(url, (sample, out), output)
    result["seconds"] = round(time.perf_counter() - started, 1)
    output.result(
        result, f"\nDone in {result['seconds']} s. Everything is in {out}: report.json, plans.parquet, …"
    )


def _demonstrate(url: str, what: tuple[Sample, Path], output: Output) -> dict[str, Any]:
    import polars as pl

    from resolver.app.plan_pages import example_texts
    from resolver.app.probing import probe
    from resolver.app.reporting import write_report
    from resolver.app.running import RunOptions, hits, run_job
    from resolver.ledger.ledger import open_ledger
    from resolver.profiles.domain import ConnectionSettings, Domain, connect, describe_domain
    from resolver.profiles.search_keys import SearchKey
    from resolver.report.ambiguity import count_ambiguous
    from resolver.report.text import render_report

    sample, out = what
    # an endpoint of our own: no quota to share
    clients = connect(ConnectionSettings(endpoint_url=url, calls_per_second=None, merges_per_second=None))
    domain = Domain(DOMAIN, clients)
    _fill(clients, url, sample)
    keys = _write_keys(sample, out / "keys.csv")
    output.say(
        f"Loaded {len(sample.profiles):,} profiles, {len(sample.objects):,} objects; its matching job ran.\n"
    )
    before = describe_domain(domain).profile_count

    options = RunOptions(new_run_id(), datetime.now(UTC), "demo", out, keys, apply=True)
    with open_ledger(ledger_beside(out)) as ledger:
        report = run_job(domain, options, ledger, output)
    asked = {SearchKey(name, value) for name, value, _ in hits(pl.read_parquet(out / "profiles.parquet"))}
    report["ambiguous_keys"] = _measured(report["ambiguous_keys"], count_ambiguous(probe(domain, asked)))
    report["profile_count"] = {"before": before, "after": describe_domain(domain).profile_count}
    report["truth"] = _score(sample, out)
    write_report(report, out)
    for text in example_texts(out, report["examples"]):
        output.say(text + "\n")
    output.say(render_report(report))
    return report


@contextmanager
def reviewable(out: Path, profiles: int, output: Output) -> Iterator[str]:
    """A run of the sample domain that merged nothing, in ``out``, and its service; gives the service's URL.

    A directory that holds such a run already is opened again: what was decided there goes on.
    """
    ready = all((out / name).exists() for name in ("report.json", *LEFTOVERS))
    if not ready:
        _clear(out)
    with _serving(out / "service.sqlite") as url:
        if not ready:
            output.say(f"Making a sample domain of {profiles:,} profiles in {out} …")
            _conclude(url, (profiles, out), output)
        yield url


def _conclude(url: str, what: tuple[int, Path], output: Output) -> None:
    from resolver.app.running import RunOptions, run_job
    from resolver.ledger.ledger import open_ledger
    from resolver.local.sample.generator import make_sample
    from resolver.profiles.domain import ConnectionSettings, Domain, connect

    profiles, out = what
    sample = make_sample(profiles, SEED)
    clients = connect(ConnectionSettings(endpoint_url=url, calls_per_second=None, merges_per_second=None))
    _fill(clients, url, sample)
    keys = _write_keys(sample, out / "keys.csv")
    options = RunOptions(new_run_id(), datetime.now(UTC), "demo", out, keys)
    with open_ledger(ledger_beside(out)) as ledger:
        run_job(Domain(DOMAIN, clients), options, ledger, output)


@contextmanager
def _serving(data: Path) -> Iterator[str]:
    """The service in a process of its own, as a user would start it; gives its URL."""
    command = [sys.executable, "-m", "resolver", "local", "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "http://" not in line:
                raise ServiceFailed("the embedded service did not start")
            yield line.split()[-1]
        finally:
            process.terminate()


def _fill(clients: Clients, url: str, sample: Sample) -> None:
    """Create the domain, bulk-load it, and let its weekly matching job run, all over the wire."""
    from resolver.local.admin import load_objects_over_http, load_over_http, run_matching_job_over_http
    from resolver.local.sample.generator import OBJECT_TYPES

    clients.read.create_domain(DomainName=DOMAIN, DefaultExpirationDays=366, Matching={"Enabled": True})
    for name, definition in OBJECT_TYPES.items():
        clients.read.put_profile_object_type(DomainName=DOMAIN, ObjectTypeName=name, **definition)
    load_over_http(url, DOMAIN, sample.profiles)
    load_objects_over_http(url, DOMAIN, sample.objects)
    run_matching_job_over_http(url, DOMAIN)


def _write_keys(sample: Sample, path: Path) -> Path:
    lines = ["key_name,value", *(f'{name},"{value}"' for name, value in sample.keys)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _measured(expected: dict[str, Any], probed: dict[str, Any]) -> dict[str, Any]:
    """The figures before from the export, those after as the service itself answers now."""
    return {kind: {**figures, "after": probed[kind]["before"]} for kind, figures in expected.items()}


def _score(sample: Sample, out: Path) -> dict[str, Any]:
    """Precision, recall and F1 over pairs: of all clusters, and of the merges that were done."""
    import polars as pl

    from resolver.app.results import read_plans
    from resolver.matching.evaluation import score_clusters

    truth = pl.DataFrame(list(sample.truth.items()), schema=["profile_id", "entity_id"], orient="row")
    clusters = pl.read_parquet(out / "clusters.parquet")
    # profiles that the export could not reach stay what they are: on their own
    found = {i: i for i in sample.truth} | dict(clusters.select("profile_id", "cluster_id").iter_rows())
    merged = {i: i for i in sample.truth}
    for plan in read_plans(out):
        if plan.band == "merge":
            merged |= dict.fromkeys(plan.profile_ids, plan.main_profile_id)
    scores = {}
    for what, groups in (("clusters", found), ("merges", merged)):
        frame = pl.DataFrame(list(groups.items()), schema=["profile_id", "cluster_id"], orient="row")
        scored = score_clusters(frame, truth)
        scores[what] = {"precision": scored.precision, "recall": scored.recall, "f1": scored.f1}
    return scores


def _clear(out: Path) -> None:
    """Remove an earlier demo's service and memory from the directory: they would contradict this one."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in LEFTOVERS:
            for path in out.glob(f"{name}*"):
                path.unlink()
    except OSError as error:
        raise BadInput(f"{out}: cannot be used ({error.strerror})") from None
