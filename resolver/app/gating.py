"""Use case: write, audit, publish. A run's figures are audited before anything is merged.

What a run has written is counted, compared with the last run that passed or was released, and kept in the
ledger with the verdict. Plans of a run that is held are not carried out, by whatever command.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from resolver.errors import BadInput, Held
from resolver.model.gates import GateFact
from resolver.report.figures import examples_of, figures_of, read_table
from resolver.report.judging import judge
from resolver.report.lineage import trace
from resolver.report.page import DRAWN
from resolver.whole_file import write_frame, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from resolver.ledger.ledger import Ledger
    from resolver.model.gates import Breach, Gates
    from resolver.model.merge_plan import MergePlan


#: Runs that a report looks back on: two years of weeks.
REMEMBERED: Final = 104
#: What the audit leaves in a run's directory, last of all: plans without it are not carried out.
VERDICT: Final = "gate.json"


@dataclass(frozen=True, slots=True)
class Written:
    """A run that has written its tables to ``out`` and merged nothing yet.

    ``ambiguous`` counts the values that find several profiles, by kind of key.
    """

    run_id: str
    domain: str
    at: datetime
    out: Path
    diagnostics: Mapping[str, Any]
    ambiguous: Mapping[str, int]


def audit(run: Written, gates: Gates, ledger: Ledger) -> dict[str, Any]:
    """Judge a run, keep its figures and clusters; gives ``gate``, ``lineage`` and ``history`` of its report.

    Writes ``lineage.parquet`` beside the run's tables and, once the ledger has the verdict, ``gate.json``.

    Raises:
        BadFile: a table of the run cannot be read.
        LedgerFailed: the ledger cannot be read or written.
    """
    merged_away = len(ledger.survivors(run.domain))
    kept = {"merged_away": merged_away, **{f"ambiguous.{kind}": n for kind, n in run.ambiguous.items()}}
    figures = figures_of(run.out, run.diagnostics) | {name: float(value) for name, value in kept.items()}
    last = ledger.last_good_run(run.domain)
    before = None if last is None else expected_from(last.figures, merged_away)
    breaches = [_shown(run.out, breach) for breach in judge(gates, figures, before)]
    fact = GateFact(
        run_id=run.run_id,
        domain=run.domain,
        state="held" if breaches else "passed",
        compared_with=last.run_id if last else None,
        figures=figures,
        breaches=tuple(asdict(breach) for breach in breaches),
        at=run.at,
    )
    clusters = read_table(run.out, "clusters.parquet")
    lineage = trace(ledger.cluster_members(run.domain), clusters, run.run_id)
    write_frame(lineage.clusters, run.out / "lineage.parquet")
    ledger.record_gate(fact, lineage.members)
    verdict = {"run_id": fact.run_id, "domain": fact.domain, "state": fact.state, "at": fact.at.isoformat()}
    write_json(verdict, run.out / VERDICT)
    history = [_remembered(earlier) for earlier in ledger.gates_of(run.domain)[-REMEMBERED:]]
    return {"gate": describe_gate(fact), "lineage": lineage.counts, "history": history}


def expected_from(figures: Mapping[str, float], merged_away: int) -> dict[str, float]:
    """An earlier run's figures as they would stand had only our own merges happened since."""
    since = merged_away - figures.get("merged_away", 0.0)
    return {**figures, "profiles": max(figures.get("profiles", 0.0) - since, 0.0)}


def refuse_held(plans: Sequence[MergePlan], memory: tuple[str, Ledger], run_id: str) -> None:
    """See that no plan comes from a run that a gate holds; ``memory`` is the domain's name and its ledger.

    The plans of ``run_id`` are its own where the gates let it pass, whoever concluded the same before.

    Raises:
        Held: one does; names the run.
    """
    domain_name, ledger = memory
    own = ledger.latest_gate(domain_name)
    if own is not None and own.run_id == run_id and own.state != "held":
        return
    held = ledger.held_plans(domain_name)
    runs = sorted({held[plan.plan_id] for plan in plans if plan.plan_id in held})
    if runs:
        raise Held(
            f"domain {domain_name}: a gate holds run {', '.join(runs)}; `resolver status` says why, "
            "`resolver release` lets it pass"
        )


def withdraw(out: Path) -> None:
    """Take back the verdict and the reports of whatever run ``out`` holds: its tables are about to change.

    A run that is cut off from here on leaves tables that nobody has audited, and ``check_audited`` refuses.

    Raises:
        BadInput: the directory cannot be written.
    """
    try:
        for name in (VERDICT, "report.json", "report.html"):
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{out}: cannot write there ({error.strerror})") from None


def check_audited(directory: Path, domain_name: str, ledger: Ledger) -> datetime:
    """See that the run in a directory came as far as its audit, for this domain, and may be carried out.

    Gives the moment at which that run began to read the domain.

    Whether a run that was held has been released since, the ledger tells (``refuse_held``).

    Raises:
        BadInput: its run was cut off before the audit, or audited another domain's figures.
        Held: the gates held it, and the ledger that would know of a release is another one.
    """
    path = directory / VERDICT
    try:
        verdict = json.loads(path.read_text(encoding="utf-8"))
        run_id, audited, state = verdict["run_id"], verdict["domain"], verdict["state"]
        begun = datetime.fromisoformat(verdict["at"])
    except FileNotFoundError:
        raise BadInput(
            f"{directory}: no {VERDICT}: the run was cut off before its plans were audited; run it again"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: not the verdict of a run ({type(error).__name__})") from None
    if audited != domain_name:
        raise BadInput(f"{path}: the audit was of domain {audited}, not of {domain_name}")
    if state != "passed" and run_id not in {fact.run_id for fact in ledger.gates_of(domain_name)}:
        raise Held(
            f"{directory}: a gate held run {run_id}, and another ledger would know whether it was "
            "released: name that with --ledger"
        )
    return begun


def release_run(ledger: Ledger, domain_name: str, run_id: str, by: tuple[str, str, datetime]) -> GateFact:
    """Let a held run pass; ``by`` is a person, the reason and the moment.

    Raises:
        BadInput: no name, no reason, no such run, it is not held, or a later run came.
    """
    person, reason, _ = by
    if not person.strip() or not reason.strip():
        raise BadInput("a release needs the name of a person and a reason")
    return ledger.release_run(domain_name, run_id, by)


def describe_gate(fact: GateFact) -> dict[str, Any]:
    """The gates' verdict as JSON: figures and ids, no values."""
    return {
        "state": fact.state,
        "compared_with": fact.compared_with,
        "breaches": [dict(breach) for breach in fact.breaches],
        "released_by": fact.released_by,
        "release_reason": fact.release_reason,
        "figures": {name: round(value, 6) for name, value in sorted(fact.figures.items())},
    }


def _remembered(fact: GateFact) -> dict[str, Any]:
    figures = {name: fact.figures[name] for name, *_ in DRAWN if name in fact.figures}
    return {"run_id": fact.run_id, "at": fact.at.isoformat(), "state": fact.state, "figures": figures}


def _shown(out: Path, breach: Breach) -> Breach:
    rose = breach.before is None or breach.now > breach.before
    return replace(breach, examples=examples_of(out, breach.figure, rose=rose))
