"""`resolver run`, `apply`, `plan`: the job on a domain."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resolver.cli.braking import (
    KEEP_DAYS,
    AllowCases,
    Canary,
    KeepDays,
    Limit,
    StopFile,
    Until,
    moment_of,
    stopping_on_signals,
    tell_of_new_key,
)
from resolver.cli.day_clock import machine_zone
from resolver.cli.memory import share_arenas
from resolver.cli.options import (
    AwsProfile,
    CallsPerSecond,
    Domain,
    Earlier,
    Endpoint,
    FollowObjects,
    Json,
    Keys,
    Ledger,
    MergesPerSecond,
    ObjectsWanted,
    Quiet,
    Region,
    Rules,
    Snapshot,
    SnapshotKind,
    snapshot_source,
)
from resolver.cli.output import HELD, PARTLY, Output
from resolver.errors import LedgerFailed

if TYPE_CHECKING:
    from resolver.app.execution import PlanOutcome
    from resolver.profiles.domain import Domain as Store


class MetricsFormat(Enum):
    """How a run may tell its figures to a monitor."""

    EMF = "emf"


plan_app = typer.Typer(help="Merge plans of a run.", no_args_is_help=True)

RunDirectory = Annotated[Path, typer.Option("--run", help="Directory of a run: what --out was.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(run)
    app.command()(apply)
    app.add_typer(plan_app, name="plan")


def run(
    domain: Domain,
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory for this run's results.")],
    keys: Keys = None,
    earlier: Earlier = None,
    snapshot: Snapshot = None,
    snapshot_kind: SnapshotKind = None,
    follow_objects: FollowObjects = False,
    objects: Annotated[
        ObjectsWanted,
        typer.Option(
            "--objects",
            help="Objects to read of profiles in candidate clusters, a call a profile and type. dated: only "
            "types that the rules can date or rank; plans then count no others.",
        ),
    ] = ObjectsWanted.ALL,
    rules: Rules = None,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain",
            help="Learn the model anew and look at every profile, though an earlier run of the domain, in "
            "--out or beside it, left a state to go on from.",
        ),
    ] = False,
    apply_plans: Annotated[
        bool, typer.Option("--apply", help="Merge the ready plans, too. AWS cannot undo it.")
    ] = False,
    limit: Limit = None,
    until: Until = None,
    canary: Canary = 0,
    stop_file: StopFile = None,
    allow_cases: AllowCases = False,
    keep_days: KeepDays = KEEP_DAYS,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    calls_per_second: CallsPerSecond = 20.0,
    merges_per_second: MergesPerSecond = 10.0,
    metrics: Annotated[
        MetricsFormat | None,
        typer.Option("--metrics", help="Figures as a line of CloudWatch's embedded metric format on stderr."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The scheduled job: export, resolve, plan, report; with --apply merge what needs no person."""
    share_arenas()  # before the threads that allocate are there
    from resolver.app.brakes import Brakes
    from resolver.app.running import RunOptions, check_inputs, run_job
    from resolver.ledger.ledger import open_ledger
    from resolver.profile_file import read_profiles
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store
    from resolver.report.emf import emf_line
    from resolver.report.text import render_report
    from resolver.snapshot_file import read_snapshot

    output = Output(as_json, quiet)
    settings = ConnectionSettings(
        endpoint_url, region, profile, calls_per_second or None, merges_per_second or None
    )
    store = Store(domain, connect(settings))
    source = snapshot_source(snapshot, snapshot_kind)
    with stopping_on_signals() as stopped:
        options = RunOptions(
            new_run_id(),
            datetime.now(UTC),
            actor(),
            out,
            keys,
            rules,
            apply_plans,
            earlier=read_profiles(earlier) if earlier else None,
            snapshot=read_snapshot(source) if source else None,
            objects=objects.value,
            follow_objects=follow_objects,
            brakes=Brakes(
                limit,
                until=moment_of(until, datetime.now(machine_zone())),
                stop_file=stop_file or out / "STOP",
                canary=canary,
                should_stop=stopped.is_set,
            ),
            keep_days=keep_days or None,
            allow_cases=allow_cases,
            retrain=retrain,
        )
        check_inputs(store, options)
        with open_ledger(ledger or default_ledger(store, out)) as memory:
            report = run_job(store, options, memory, output)
            tell_of_new_key(memory)
    output.result(report, render_report(report))
    if metrics is MetricsFormat.EMF:
        output.log(emf_line(report, options.at))
    if report["gate"]["state"] == "held":
        raise typer.Exit(HELD)
    if report["apply"] and not (report["apply"]["complete"] or report["apply"]["reached_limit"]):
        raise typer.Exit(PARTLY)


def apply(
    domain: Domain,
    *,
    run_directory: RunDirectory,
    approved: Annotated[
        bool,
        typer.Option("--approved", help="Also what reviewers approved, with the values that they chose."),
    ] = False,
    rules: Rules = None,
    limit: Limit = None,
    until: Until = None,
    canary: Canary = 0,
    stop_file: StopFile = None,
    allow_cases: AllowCases = False,
    keep_days: KeepDays = KEEP_DAYS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, simulate, and say which calls would be made.")
    ] = False,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    calls_per_second: CallsPerSecond = 20.0,
    merges_per_second: MergesPerSecond = 10.0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Merge the ready plans of a run. AWS cannot undo it.

    Plans of another domain or another rule set than --rules are refused, and those older than it allows.
    """
    from resolver.app.acceptance import accept, describe_acceptance
    from resolver.app.applying import ApplyOptions, apply_plans
    from resolver.app.approved import with_approved
    from resolver.app.brakes import Brakes
    from resolver.app.gating import check_audited
    from resolver.app.readiness import Conditions, check_age
    from resolver.app.results import describe_apply, read_plans, render_dry_run
    from resolver.app.reviewing.desk import Desk
    from resolver.app.reviewing.reading import read_batch
    from resolver.ledger.ledger import open_ledger
    from resolver.planning.plan_table import check_origin
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store
    from resolver.rule_file import load_rules

    output = Output(as_json, quiet)
    plans = [plan for plan in read_plans(run_directory) if plan.band == "merge"]
    rule_set = load_rules(rules)
    check_origin(plans, domain, rule_set.fingerprint)
    settings = ConnectionSettings(
        endpoint_url, region, profile, calls_per_second or None, merges_per_second or None
    )
    store = Store(domain, connect(settings))
    done = 0

    def count(_outcome: PlanOutcome) -> None:
        nonlocal done
        done += 1
        output.step("apply", done, len(plans))

    with (
        stopping_on_signals() as stopped,
        open_ledger(ledger or default_ledger(store, run_directory)) as memory,
    ):
        options = ApplyOptions(
            new_run_id(),
            actor(),
            lambda: datetime.now(UTC),
            dry_run=dry_run,
            allow_cases=allow_cases,
            keep_days=keep_days or None,
            conditions=Conditions.of(rule_set),
            brakes=Brakes(
                limit,
                moment_of(until, datetime.now(machine_zone())),
                stop_file or run_directory / "STOP",
                canary,
                stopped.is_set,
            ),
            on_progress=count,
        )
        begun = check_audited(run_directory, domain, memory)
        check_age(str(run_directory), begun, rule_set.merging.max_plan_age_days, options.clock())
        gate = rule_set.merging.acceptance_gate
        patterns = None
        if gate:
            plans, patterns = accept(Desk(read_batch(run_directory, rule_set), memory.reviews), plans, gate)
        if approved:
            plans = with_approved(plans, run_directory, rule_set, (domain, memory))
        applied = apply_plans(plans, store, memory, options)
        tell_of_new_key(memory)
    data = describe_apply(applied) | {"acceptance": describe_acceptance(gate, patterns)}
    output.result(data, render_dry_run(data) if dry_run else None)
    if not (applied.complete or applied.reached_limit):
        raise typer.Exit(PARTLY)


@plan_app.command("show")
def show_plan(
    plan_id: Annotated[str, typer.Argument(help="Id of the plan, or the first characters of it.")],
    *,
    run_directory: RunDirectory,
    as_json: Json = False,
) -> None:
    """Members side by side, where each field comes from, the predicted profile, and what is given up."""
    from resolver.app.plan_pages import show_plan as shown

    data, text = shown(run_directory, plan_id)
    Output(as_json).result(data, text)


def new_run_id() -> str:
    """A name that sorts by time and that no two runs share."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def ledger_beside(out: Path) -> str:
    """A SQLite ledger in a run's directory."""
    return f"sqlite:///{(out / 'ledger.sqlite').absolute()}"


def default_ledger(store: Store, out: Path | None) -> str:
    """Where a run remembers when nobody said where.

    One SQLite file per domain and endpoint in the user's state directory, whatever ``--out`` is: the lock
    that keeps two runs apart, open intents and decisions belong to the domain. An embedded service may come
    back at another port, and another one at the same: there the moment of the domain's creation tells which
    it is. A ledger that is beside the run already goes on being used.
    """
    from resolver.profiles.domain import describe_domain, is_loopback

    if out is not None and (out / "ledger.sqlite").exists():
        return ledger_beside(out)
    where = store.clients.endpoint
    if is_loopback(where):
        where = f"embedded {describe_domain(store).created_at}"
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "resolver"
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)  # before-images are customers' data
    except OSError as error:
        raise LedgerFailed(
            f"{state}: cannot be made ({error.strerror}); name a ledger with --ledger"
        ) from None
    which = hashlib.sha256(where.encode()).hexdigest()[:8]
    return f"sqlite:///{state / f'{store.name}-{which}.sqlite'}"


def actor() -> str:
    """Who runs this, for the journal; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
