"""Use case: the scheduled job. Export, resolve, plan, report, and on request apply what needs no person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.app.acceptance import accept, describe_acceptance
from resolver.app.applying import ApplyOptions, apply_plans
from resolver.app.brakes import Brakes
from resolver.app.continuing import Continuation, Linked, link
from resolver.app.decided import describe_decisions
from resolver.app.exporting import ExportOptions, ExportReport, export_domain, facts_beside
from resolver.app.gating import Written, audit, withdraw
from resolver.app.leasing import leased
from resolver.app.matching import write_linkage
from resolver.app.object_reading import ObjectReading, Wanted, read_objects_of
from resolver.app.progress import Listener, Stopwatch
from resolver.app.readiness import Conditions
from resolver.app.reporting import write_report
from resolver.app.results import describe_apply
from resolver.app.reviewing.desk import Desk
from resolver.app.reviewing.reading import batch_of_resolution
from resolver.app.run_explaining import explain_aws_only, explain_examples, ids_to_explain
from resolver.errors import BadInput
from resolver.model.frames import PROFILES, conform
from resolver.model.profile import from_row
from resolver.model.run import Run
from resolver.planning.answered import without_answered
from resolver.planning.plans import Plans, plan_merges
from resolver.profiles.domain import describe_domain
from resolver.profiles.history import read_last_changes
from resolver.profiles.search_keys import keys_of, read_keys
from resolver.report.ambiguity import count_ambiguous
from resolver.report.summary import (
    SCHEMA_VERSION,
    summarise_clusters,
    summarise_opinion,
    summarise_pairs,
    summarise_plans,
)
from resolver.resolution import Resolution
from resolver.rule_file import load_rules
from resolver.state_file import Origin, forget_state, latest_run, write_state
from resolver.whole_file import whole, write_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from resolver.app.execution import PlanOutcome
    from resolver.ledger.ledger import Ledger
    from resolver.matching.linkage import Linkage
    from resolver.model.domain_facts import DomainFacts
    from resolver.model.merge_plan import MergePlan
    from resolver.model.rule_set import RuleSet
    from resolver.profiles.domain import Domain


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run is to do. ``at`` is the moment of its start; ``run_id`` names it everywhere.

    ``earlier``, ``snapshot``, ``objects`` and ``follow_objects`` are those of ``ExportOptions``. Unless
    ``retrain``, the run goes on from the last one of the domain in ``out`` or beside it.
    """

    run_id: str
    at: datetime
    actor: str
    out: Path
    keys: Path | None = None
    rules: Path | None = None
    apply: bool = False
    earlier: pl.DataFrame | None = None
    snapshot: pl.DataFrame | None = None
    objects: Wanted = "all"
    follow_objects: bool = False
    brakes: Brakes = field(default_factory=Brakes)
    keep_days: int | None = None
    allow_cases: bool = False
    retrain: bool = False

    @property
    def holder(self) -> str:
        """The name under which the run holds its domain."""
        return f"run {self.run_id} of {self.actor}"


@dataclass(frozen=True, slots=True)
class Concluded:
    """What a run knows before it does anything."""

    profiles: pl.DataFrame
    facts: DomainFacts
    linkage: Linkage
    planning: Plans
    export: ExportReport
    reading: ObjectReading
    linked: Linked


def run_job(domain: Domain, options: RunOptions, ledger: Ledger, listener: Listener) -> dict[str, Any]:
    """The whole job; returns the content of report.json. The domain is held from its first call to its last.

    Writes into ``options.out``: profiles.parquet and what the export puts beside it, clusters.parquet,
    pairs.parquet, parameters.json, plans.parquet, lineage.parquet, report.html, and last
    report.json. A run beyond the gates' limits is held: ``report["gate"]`` says so, and nothing is merged.

    Raises:
        BadInput: keys, rules or the output directory cannot be used; nothing was sent.
        UnknownDomain, Unreachable, ServiceFailed: the domain cannot be read.
        LedgerFailed: the ledger cannot be written; nothing was merged.
        AlreadyRunning: another run works in this domain, or took over its lease.
    """
    with leased(domain.name, ledger, options.holder, _now) as hold:
        return _run(domain, options, (ledger, hold), listener)


def _run(
    domain: Domain, options: RunOptions, memory: tuple[Ledger, Callable[[], None]], listener: Listener
) -> dict[str, Any]:
    ledger, hold = memory
    watch = Stopwatch(listener)
    rules = load_rules(options.rules)
    keys = read_keys(options.keys) if options.keys else []
    _make_directory(options.out)
    known = sorted(set(ledger.survivors(domain.name).values()))
    export_options = ExportOptions(
        out=options.out / "profiles.parquet",
        now=options.at,
        keys=keys,
        known_ids=known,
        earlier=options.earlier,
        snapshot=options.snapshot,
        objects=options.objects,
        follow_objects=options.follow_objects,
        rule_matches=rules.second_opinion.policy != "ignore",
    )
    decisions = ledger.decisions_of(domain.name)
    last = None if options.retrain else latest_run(options.out, domain.name)
    going_on = Continuation(changes_since=last, keep=True, if_worth=True)
    concluded = conclude(domain, rules, export_options, (decisions, going_on, watch))
    hold()
    withdraw(options.out)
    publish(concluded, options.out)
    keep_state(concluded.linked, Origin(options.out, rules, domain.name))
    report = describe_run(concluded, options, rules)
    report["decisions"] = describe_decisions(
        concluded.linkage, concluded.profiles, decisions, rules.thresholds
    )
    watch.stage("publish", {"plans": concluded.planning.table.height})
    hold()
    report |= audit(_written(concluded, options, report), rules.gates, ledger)
    watch.stage("gates", {"breaches": len(report["gate"]["breaches"])})
    if options.apply and report["gate"]["state"] == "passed":
        report |= _apply(concluded, (domain, rules, hold), options, (ledger, watch))
        # a plan that a person approves must be known as this run's, even if a held run concluded it, too
        others = [plan for plan in concluded.planning.plans if plan.band != "merge"]
        ledger.record_plans(options.run_id, others)
    else:
        ledger.start_run(Run(options.run_id, domain.name, "run", options.actor, options.at))
        ledger.record_plans(options.run_id, concluded.planning.plans)
    report["profiles"]["calls"] = domain.calls.counts
    report["stages"] = watch.stages
    report["ledger"] = ledger.place
    write_report(report, options.out)
    return report


def check_inputs(domain: Domain, options: RunOptions) -> None:
    """Read everything that a run begins with, so that nothing is written where one of them is no good.

    Raises:
        BadInput: keys, rules or the output directory cannot be used.
        UnknownDomain, Unreachable, ServiceFailed: the domain cannot be read.
    """
    load_rules(options.rules)
    if options.keys:
        read_keys(options.keys)
    describe_domain(domain)
    _make_directory(options.out)


def conclude(
    domain: Domain,
    rules: RuleSet,
    export: ExportOptions,
    memory: tuple[pl.DataFrame, Continuation, Stopwatch],
) -> Concluded:
    """Export the domain, link its profiles and plan the merges; nothing is changed there.

    Objects and history are read for profiles of clusters of two or more only: one call a profile and object
    type, one for its history.
    """
    decisions, going_on, watch = memory
    exported = export_domain(
        domain, export, lambda p: watch.step("export", p.found, max(p.profile_count, p.found))
    )
    watch.stage("export", {"profiles": exported.profiles, "calls": sum(exported.calls.values())})
    profiles = conform(pl.read_parquet(export.out), PROFILES)
    linked = link(lambda: profiles, (rules, decisions), going_on, watch)
    linkage = linked.linkage
    members = linkage.clusters.filter(pl.col("size") > 1)["profile_id"].sort().to_list()
    reading = read_objects_of(domain, members, rules.survivorship, export.objects)
    figures = {"profiles": reading.profiles, "objects": reading.objects.height, "calls": reading.calls}
    watch.stage("objects", figures)
    facts = replace(facts_beside(export.out), objects=reading.objects, read_at=export.now)
    dated = with_dates(domain, profiles, members) if "profile" in rules.survivorship.recency else profiles
    if dated is not profiles:  # the review app plans by the same dates
        write_frame(dated, export.out)
    planning = plan_merges(dated, linkage.clusters, rules, facts)
    planning = without_answered(planning, linkage.clusters, decisions)
    watch.stage("plan", {"plans": planning.table.height})
    linkage = linked.readable(profiles, rules, ids_to_explain(linkage.clusters, planning))
    return Concluded(dated, facts, linkage, planning, exported, reading, linked)


def with_dates(domain: Domain, profiles: pl.DataFrame, members: Sequence[str]) -> pl.DataFrame:
    """The profiles with when those of clusters last changed, where the domain's history tells."""
    if "last_updated_at" in profiles.columns:
        return profiles
    changes = read_last_changes(domain, members).drop_nulls()
    if not changes.height:
        return profiles
    return profiles.join(changes, on="profile_id", how="left", maintain_order="left")


def keep_state(linked: Linked, origin: Origin) -> None:
    """Leave what the next run goes on from."""
    if linked.state is None:
        forget_state(origin.out)
    else:
        write_state(linked.state, replace(origin, earlier=linked.earlier))


def publish(concluded: Concluded, out: Path) -> None:
    """Write what was concluded; each file whole or not at all."""
    write_linkage(concluded.linkage, concluded.profiles["profile_id"], out)
    plans = concluded.planning.table
    write_frame(plans, out / "plans.parquet")
    with whole(out / "plans.jsonl") as partial:
        plans.write_ndjson(partial)
    write_frame(concluded.facts.objects, out / "objects.parquet")
    write_frame(concluded.planning.field_choices, out / "field_choices.parquet")
    write_frame(concluded.planning.second_opinion, out / "second_opinion.parquet")


def describe_run(concluded: Concluded, options: RunOptions, rules: RuleSet) -> dict[str, Any]:
    """The figures of report.json, before anything is applied."""
    export = concluded.export
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": options.run_id,
        "domain": export.domain,
        "at": options.at.isoformat(),
        "rule_set": {"name": rules.name, "fingerprint": rules.fingerprint},
        "profiles": {
            "found": export.profiles,
            "in_domain": export.profile_count_after,
            "completeness": export.completeness,
            "routes": dict(export.routes),
            "calls": dict(export.calls),
        },
        "objects": concluded.reading.facts(),
        "pairs": summarise_pairs(concluded.linkage.pairs, export.profiles),
        "clusters": summarise_clusters(concluded.linkage.clusters),
        "plans": summarise_plans(concluded.planning.table),
        "second_opinion": summarise_opinion(concluded.planning.second_opinion),
        "ambiguous_keys": count_ambiguous(hits(concluded.profiles)),
        "blocking": concluded.linkage.diagnostics,
        "linked": concluded.linked.how,
        "examples": explain_examples(concluded),
        "aws_only": explain_aws_only(concluded),
        "apply": None,
        "acceptance": None,
    }


def hits(profiles: pl.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Key name, normalised value and profile id of every key under which the index holds these profiles."""
    for row in profiles.iter_rows(named=True):  # the index's normalisation is a Python function
        profile = from_row(row)
        for name, value in {key.normalised for key in keys_of(profile)}:
            yield name, value, profile["ProfileId"]


def _written(concluded: Concluded, options: RunOptions, report: dict[str, Any]) -> Written:
    ambiguous = {kind: figures["before"] for kind, figures in report["ambiguous_keys"].items()}
    diagnostics = concluded.linkage.diagnostics
    return Written(options.run_id, concluded.export.domain, options.at, options.out, diagnostics, ambiguous)


def _apply(
    concluded: Concluded,
    where: tuple[Domain, RuleSet, Callable[[], None]],
    options: RunOptions,
    means: tuple[Ledger, Stopwatch],
) -> dict[str, Any]:
    (domain, rules, hold), (ledger, watch) = where, means
    ready, acceptance = _accepted(concluded, rules, options, ledger)
    done = 0

    def count(_outcome: PlanOutcome) -> None:
        nonlocal done
        done += 1
        watch.step("apply", done, len(ready))

    applied = apply_plans(
        ready,
        domain,
        ledger,
        ApplyOptions(
            options.run_id,
            options.actor,
            _now,
            allow_cases=options.allow_cases,
            keep_days=options.keep_days,
            conditions=Conditions.of(rules),
            brakes=options.brakes,
            on_progress=count,
            hold=hold,
        ),
    )
    watch.stage("apply", {"plans": len(ready), "profiles_merged_away": applied.merged})
    return {
        "apply": describe_apply(applied),
        "acceptance": acceptance,
        "ambiguous_keys": count_ambiguous(hits(concluded.profiles), ledger.survivors(domain.name)),
    }


def _accepted(
    concluded: Concluded, rules: RuleSet, options: RunOptions, ledger: Ledger
) -> tuple[Sequence[MergePlan], dict[str, Any]]:
    """The ready plans; where looks are asked for, without patterns that were not looked at enough."""
    ready: Sequence[MergePlan] = concluded.planning.of_band("merge")
    gate = rules.merging.acceptance_gate
    if not gate:
        return ready, describe_acceptance(gate, None)
    found = Resolution(concluded.linkage, concluded.planning)
    run = (options.run_id, concluded.export.domain)
    batch = batch_of_resolution(run, concluded.profiles, found, (rules, concluded.facts))
    ready, patterns = accept(Desk(batch, ledger.reviews), ready, gate)
    return ready, describe_acceptance(gate, patterns)


def _now() -> datetime:
    return datetime.now(UTC)


def _make_directory(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out}: cannot be made a directory ({error.strerror})") from None
