"""`resolver drill`: the executor under every kind of trouble, on the embedded service."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resolver.cli.options import Json, Quiet
from resolver.cli.output import FAILED, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.app.drilling import Finding, Ground


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(drill)


def drill(
    *,
    fault: Annotated[
        str | None, typer.Option("--fault", help="Only this kind: throttle, fail_before, …, kill.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", help="Only so many cells, drawn by --seed.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which cells --sample draws.")] = 1,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """See the executor survive: every fault at every moment of the first, middle and last step of a plan.

    Starts an embedded service, lets it fail (429, 500 before and after the work, time-outs, resets) and kills
    executors; runs again until the plan is done; compares with a domain that nothing struck. Touches no AWS
    account. Exit code 1 where one cell is not as it should be.
    """
    from resolver.app.drilling import FAULTS, cells
    from resolver.app.drilling import drill as hold
    from resolver.errors import BadInput

    if fault is not None and fault not in FAULTS:
        raise BadInput(f"--fault {fault}: not one of {', '.join(FAULTS)}")
    output = Output(as_json, quiet)
    chosen = [cell for cell in cells() if fault in (None, cell.fault)]
    if sample is not None and sample < len(chosen):
        drawn = set(random.Random(seed).sample(range(len(chosen)), sample))  # noqa: S311 - no secret
        chosen = [cell for number, cell in enumerate(chosen) if number in drawn]
    findings: list[Finding] = []
    with training_ground() as ground:
        for finding in hold(ground, chosen):
            findings.append(finding)
            output.step("drill", len(findings), len(chosen))
    bad = [finding for finding in findings if finding.faults]
    data = {
        "cells": len(findings),
        "survived": len(findings) - len(bad),
        "failed": [
            {"fault": f.cell.fault, "moment": f.cell.moment, "step": f.cell.step, "found": f.faults}
            for f in bad
        ],
        "runs": {f"{f.cell.fault}, {f.cell.moment}, {f.cell.step}": f.runs for f in findings},
    }
    output.result(data, _table(findings))
    if bad:
        raise typer.Exit(FAILED)


@contextmanager
def training_ground() -> Iterator[Ground]:
    """An embedded service that fails on demand, and a directory for ledgers; both gone afterwards."""
    from resolver.app.drilling import Ground
    from resolver.local.faults import Fault, Faults
    from resolver.local.server import running
    from resolver.local.service import Service, Settings
    from resolver.local.store import Store

    faults = Faults()

    def plan_fault(operation: str, kind: str, how_often: tuple[int, int], seconds: float) -> None:
        times, skip = how_often
        faults.clear()
        faults.plan(operation, Fault(kind, times, skip, seconds))  # type: ignore[arg-type]  # one of FAULTS

    with (
        tempfile.TemporaryDirectory(prefix="drill") as directory,
        closing(Store.open(None)) as store,
        running(Service(store, Settings(faults=faults))) as url,
    ):
        yield Ground(url, plan_fault, Path(directory))


def _table(findings: Sequence[Finding]) -> str:
    from resolver.app.drilling import FAULTS, MOMENTS, STEPS

    by_cell = {(f.cell.fault, f.cell.moment, f.cell.step): f for f in findings}
    lines = [f"{'fault':<25}{'moment':<20}" + "".join(f"{step:<12}" for step in STEPS)]
    for fault, words in FAULTS.items():
        for moment in MOMENTS:
            row = [by_cell.get((fault, moment, step)) for step in STEPS]
            if any(row):
                marks = ("" if finding is None else _mark(finding) for finding in row)
                lines.append(f"{words:<25}{moment:<20}" + "".join(f"{mark:<12}" for mark in marks))
    survived = sum(not f.faults for f in findings)
    lines.append(
        f"{survived} of {len(findings)} survived: as if nothing had struck, each merge exactly once."
    )
    lines += [
        f"{f.cell.fault}, {f.cell.moment}, {f.cell.step}: {'; '.join(f.faults)}" for f in findings if f.faults
    ]
    return "\n".join(lines)


def _mark(finding: Finding) -> str:
    return f"{'FAILED' if finding.faults else 'ok'}, {finding.runs} run{'s' * (finding.runs > 1)}"
