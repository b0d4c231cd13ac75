"""`resolver restore`, `history`, `settle`, `forget`, `ledger-key`: what was done, undone and erased."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from resolver.cli.braking import stopping_on_signals, tell_of_new_key
from resolver.cli.job import actor, default_ledger, new_run_id
from resolver.cli.options import (
    AwsProfile,
    CallsPerSecond,
    Domain,
    Endpoint,
    Json,
    Ledger,
    MergesPerSecond,
    Region,
    Rules,
)
from resolver.cli.output import FAILED, PARTLY, Output
from resolver.errors import BadInput

if TYPE_CHECKING:
    from resolver.app.restoring import RestoreReport
    from resolver.ledger.ledger import Ledger as Memory
    from resolver.profiles.domain import Domain as Store

Run = Annotated[
    Path | None, typer.Option("--run", help="Directory of a run that has its ledger beside it, if any.")
]
MergeId = Annotated[
    str | None, typer.Argument(help="Id of the merge (of its plan), or the first characters of it.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(restore)
    app.command()(history)
    app.command()(settle)
    app.command()(forget)
    app.command("ledger-key")(ledger_key)


def restore(
    merge_id: MergeId = None,
    *,
    domain: Domain,
    apply_it: Annotated[bool, typer.Option("--apply", help="Do it. Without, only tell.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Prove that all before-images are readable.")
    ] = False,
    run_directory: Run = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    rules: Rules = None,
    calls_per_second: CallsPerSecond = 20.0,
    merges_per_second: MergesPerSecond = 10.0,
    as_json: Json = False,
) -> None:
    """Undo a merge from its before-images: first tells what would return and what cannot, --apply does it.

    The merged profiles are made again under new ids (old → new is recorded), the survivor's fields and
    attributes put back, objects and known keys moved to whom they belonged. A restore that was cut off goes
    on when it is asked for again. Where merging.allowed_roles of --rules names roles, only they may restore.
    """
    from resolver.app.restoring import RestoreOptions, restore_merge
    from resolver.rule_file import load_rules

    output = Output(as_json)
    where = (endpoint_url, region, profile)
    rates = (calls_per_second or None, merges_per_second or None)
    allowed_roles = load_rules(rules).merging.allowed_roles
    with _memory(domain, where, (ledger, run_directory), rates) as (store, memory):
        if check:
            _check(memory, domain, output)
            return
        if merge_id is None:
            raise BadInput("give the id of a merge (`resolver history` lists them), or --check")
        with stopping_on_signals() as stopped:
            options = RestoreOptions(
                new_run_id(),
                actor(),
                lambda: datetime.now(UTC),
                apply=apply_it,
                allowed_roles=allowed_roles,
                should_stop=stopped.is_set,
            )
            report = restore_merge(merge_id, store, memory, options)
        tell_of_new_key(memory)
    output.result(asdict(report), _told(report))
    if report.state in ("differs", "unfinished"):
        raise typer.Exit(PARTLY)


def history(
    merge_id: MergeId = None,
    *,
    domain: Domain,
    limit: Annotated[int, typer.Option("--limit", help="Show so many merges.", min=1)] = 50,
    run_directory: Run = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """The merges of a domain, the latest first; with a merge's id its receipt.

    A receipt tells who approved the merge, what was sent, what was read back, and predicted against actual.
    """
    from resolver.app.recounting import list_merges, receipt_of

    with _memory(domain, (endpoint_url, region, profile), (ledger, run_directory)) as (_, memory):
        if merge_id is None:
            data, text = list_merges(domain, memory, limit)
        else:
            data, text = receipt_of(merge_id, domain, memory)
    Output(as_json).result(data, text)


def settle(
    merge_id: Annotated[str, typer.Argument(help="Id of the merge, or the first characters of it.")],
    *,
    domain: Domain,
    reason: Annotated[str, typer.Option("--reason", help="What you found; it stands in the receipt.")],
    run_directory: Run = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """Say that a merge that waits for a person stays as it is: unclear, or half done and refused ever since.

    Look at its profiles first (`resolver history MERGE-ID` names them). Nothing is sent. Profiles that are
    not there count as merged away; where all are there, the merge may be planned and tried again.
    """
    from resolver.app.settling import settle_merge

    where = (endpoint_url, region, profile)
    with _memory(domain, where, (ledger, run_directory)) as (store, memory):
        by = (actor(), reason, lambda: datetime.now(UTC))
        settled = settle_merge(merge_id, store, memory, by)
    Output(as_json).result(asdict(settled))


def forget(
    profile_id: Annotated[
        str, typer.Argument(help="Whole id of the person's profile, today's or a merged one.")
    ],
    *,
    domain: Domain,
    run_directory: Run = None,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: AwsProfile = None,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """Erase a person from the ledger: before-images, plans, notes; found through all merges and restores.

    The profiles themselves are DeleteProfile's business. What stays are ids, states and counts. While a run
    merges in the domain nothing is erased: what it holds in hand it could not finish.
    """
    from resolver.app.leasing import leased

    with _memory(domain, (endpoint_url, region, profile), (ledger, run_directory)) as (_, memory):
        with leased(domain, memory, f"forgetting by {actor()}", lambda: datetime.now(UTC)):
            removed = memory.forget(domain, profile_id, (actor(), datetime.now(UTC)))
        place = memory.place
    ids = removed["profile_ids"]
    counts = ", ".join(
        f"{n} {name.replace('_', ' ')}" for name, n in removed.items() if name != "profile_ids"
    )
    found = any(n for name, n in removed.items() if name != "profile_ids")
    words = [
        f"Removed from {place}: {counts}." if found else f"{place} holds nothing of this person to remove.",
        f"Profiles of this person: {', '.join(ids)}."
        + (" Their merges cannot be restored any more." if found else ""),
        "Not touched, and yours to delete: the profiles in the domain (DeleteProfile),",
        "the files of runs (profiles.parquet, plans.parquet, …) and copies of the ledger.",
    ]
    Output(as_json).result(removed, "\n".join(words))


def ledger_key(
    *,
    reseal: Annotated[
        bool, typer.Option("--reseal", help="Encrypt a ledger anew, with the first key.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Erase what no key at hand can read: its key is lost for good.")
    ] = False,
    ledger: Ledger = None,
    as_json: Json = False,
) -> None:
    """Print a new key for RESOLVER_LEDGER_KEY; --reseal changes a ledger's key.

    To change a key: put the new one first in RESOLVER_LEDGER_KEY (NEW,OLD) or on the first line of the key
    file, then `resolver ledger-key --reseal --ledger URL`, then take the old one out.
    """
    from resolver.ledger.ledger import open_ledger
    from resolver.ledger.sealing import new_key

    output = Output(as_json)
    if not reseal and not abandon:
        output.result({"key": (key := new_key())}, key)
        return
    if ledger is None:
        raise BadInput("--reseal, --abandon: name the ledger with --ledger")
    with open_ledger(ledger) as memory:
        done = {"abandoned": memory.abandon()} if abandon else {}
        output.result(done | ({"resealed": memory.reseal()} if reseal else {}))


@contextmanager
def _memory(
    domain: str,
    where: tuple[str | None, str | None, str | None],
    ledger: tuple[str | None, Path | None],
    rates: tuple[float | None, float | None] = (20.0, 10.0),
) -> Iterator[tuple[Store, Memory]]:
    from resolver.ledger.ledger import open_ledger
    from resolver.profiles.domain import ConnectionSettings, connect
    from resolver.profiles.domain import Domain as Store

    store = Store(domain, connect(ConnectionSettings(*where, *rates)))
    url, directory = ledger
    with open_ledger(url or default_ledger(store, directory)) as memory:
        yield store, memory


def _check(memory: Memory, domain: str, output: Output) -> None:
    found: dict[str, Any] = memory.check_images(domain)
    unreadable = found["unreadable"]
    counts = f"{found['readable']} are readable, {found['gone']} have expired or were erased"
    words = [f"Of the before-images {counts}, {len(unreadable)} are not readable."]
    if found["unsealed"]:
        words.append(f"{found['unsealed']} are not encrypted (`resolver ledger-key --reseal` encrypts them).")
    words += [f"not readable: merge {plan_id[:12]}" for plan_id in unreadable]
    output.result(found, "\n".join(words))
    if unreadable:
        raise typer.Exit(FAILED)


def _told(report: RestoreReport) -> str:
    heads = {
        "planned": "Would restore",
        "restored": "Restored",
        "differs": "Restored, but not all is as it was:",
        "unfinished": "Stopped on the way; ask again to go on with",
    }
    steps = ", ".join(f"{count} {kind}" for kind, count in report.steps.items())
    lines = [
        f"{heads[report.state]} merge {report.plan_id[:12]} (restore {report.restore_id[:12]}): {steps}",
        *(f"  profile {old} → {new}" for old, new in report.profiles.items()),
        *(f"  differs: {words}" for words in report.differences),
        *(f"  {words}" for words in report.told),
        *(f"  stays: {words}" for words in report.kept),
        *(f"  cannot return: {words}" for words in report.lost),
    ]
    if report.state == "planned":
        lines.append("Nothing was changed. --apply does it.")
    return "\n".join(lines)
