"""Export: a domain's profiles into a file, with the proof of how many of them it holds."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.app.changes import compare, count, fingerprints_of, marks_of
from resolver.errors import BadFile, BadInput
from resolver.ledger.ledger import open_ledger
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import MATCH_GROUPS, PROFILES, conform, empty
from resolver.profiles.custom_keys import custom_keys
from resolver.profiles.domain import describe_domain
from resolver.profiles.frontier import digest
from resolver.profiles.harvest import Seeds, harvest
from resolver.profiles.object_harvest import telling_types
from resolver.profiles.parts import open_parts
from resolver.profiles.reading import read_match_groups, read_rule_groups
from resolver.whole_file import write_frame, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from resolver.app.object_reading import Wanted
    from resolver.profiles.custom_keys import CustomKeys
    from resolver.profiles.domain import Domain
    from resolver.profiles.harvest import Harvest, Progress
    from resolver.profiles.search_keys import SearchKey

#: Routes to a profile, besides those that a key names.
MATCH_GROUP_ROUTE: Final = "match groups"
LEDGER_ROUTE: Final = "known ids"
EARLIER_ROUTE: Final = "earlier export"
SNAPSHOT_ROUTE: Final = "snapshot"
PROFILE_ID_PATTERN: Final = "^[0-9a-f]{32}$"  # service model

#: What an export looked for in vain. ``value`` is a key's value or a profile id, ``led_to`` the survivor of a
#: profile that was merged away, null for all else.
UNREACHED: Final[dict[str, type[pl.DataType]]] = {
    "what": pl.String,
    "key_name": pl.String,
    "value": pl.String,
    "led_to": pl.String,
}


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Where to begin and where to write. ``now`` is the moment of the start.

    ``known_ids`` are what the ledger remembers. ``earlier`` and ``snapshot`` are PROFILES frames: profiles of
    an earlier export are read again by their ids, those of a snapshot are taken as they are, with all columns
    (``in_full``), and keys are followed only from what differs. ``objects`` says which types of them a run
    reads, of profiles in candidate clusters; an export alone reads none, unless ``follow_objects`` asks for
    the keys that only objects hold: a call for each profile and type that has such keys. ``keys_at_risk`` is
    how many keys may be asked before what they found is put on disk: what a kill costs. ``rule_matches``: the
    groups of the domain's own matching rules are read, a call each, where these are on.
    """

    out: Path
    now: datetime
    keys: Sequence[SearchKey] = ()
    known_ids: Sequence[str] = ()
    earlier: pl.DataFrame | None = None
    snapshot: pl.DataFrame | None = None
    objects: Wanted = "all"
    follow_objects: bool = False
    keys_at_risk: int = 2_500
    rule_matches: bool = True


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export found and what it cost.

    ``completeness`` is profiles found ÷ profiles that the domain says it has (at the end), null for an empty
    domain; ``routes`` counts profiles by what led to them first, so that its share is each route's part of
    that. ``calls`` is what was sent, by operation; ``resumed`` counts profiles found by an interrupted start.
    ``custom_keys`` are the keys of the domain's object types that were followed, ``untold_keys`` those whose
    values only objects tell and were not read; both null where the object types may not be read.
    ``silent_objects`` were read and hold keys by an expression, which only the service evaluates. ``changes``
    counts profiles against the earlier export or snapshot, null without one. ``match_groups`` are those of
    the store's model and, with ``rule_matching``, of the domain's matching rules.
    """

    domain: str
    path: str
    profiles: int
    profile_count_before: int
    profile_count_after: int
    object_count_before: int
    object_count_after: int
    completeness: float | None
    unreachable: int
    routes: Mapping[str, int]
    calls: Mapping[str, int]
    calls_per_profile: float | None
    resumed: int
    gone_ids: int
    merged_away_ids: int
    seed_keys: int
    seed_keys_without_profile: int
    custom_keys: Sequence[str] | None
    untold_keys: Sequence[str] | None
    silent_objects: int
    changes: Mapping[str, int] | None
    match_groups: int
    rule_matching: bool
    matches_generated_at: str | None
    started_at: str


def match_groups_path(out: Path) -> Path:
    """Where an export to ``out`` keeps the match groups."""
    return out.with_name(f"{out.stem}.match_groups.parquet")


def report_path(out: Path) -> Path:
    """Where an export to ``out`` keeps its report."""
    return out.with_name(f"{out.stem}.export.json")


def unreached_path(out: Path) -> Path:
    """Where an export to ``out`` lists what it looked for in vain (UNREACHED)."""
    return out.with_name(f"{out.stem}.unreached.parquet")


def changes_path(out: Path) -> Path:
    """Where an export to ``out`` lists what changed since the earlier one or the snapshot (CHANGES)."""
    return out.with_name(f"{out.stem}.changes.parquet")


def export_domain(
    domain: Domain, options: ExportOptions, on_progress: Callable[[Progress], None] = lambda _: None
) -> ExportReport:
    """Write all profiles in reach to ``options.out`` (PROFILES), and beside it what else was learned.

    Match groups, the report, what was not reached and, given something to compare with, the changes. The
    files are there in full or not at all, the profiles last. An export that was interrupted goes on where it
    was when it is started again within a day, with the same file and domain.

    Raises:
        UnknownDomain, Unreachable, ServiceFailed: the domain cannot be read.
        AlreadyRunning: another export to the same file is under way.
        BadInput: nothing to begin from, though the domain has profiles; or the place cannot be written.
    """
    if options.out.is_dir():
        raise BadInput(f"{options.out} is a directory: name the file that the profiles go to")
    _check_ids(options)
    before = describe_domain(domain)
    groups, generated_at = empty(MATCH_GROUPS), None
    if before.matching_enabled:
        groups, generated_at = read_match_groups(domain)
    if before.rule_matching and options.rule_matches:
        groups = pl.concat([groups, read_rule_groups(domain)])
    ids = _known_ids(options, groups)
    if before.profile_count and options.snapshot is None and not any((options.keys, *ids.values())):
        raise BadInput(
            f"domain {domain.name}: no way to find its {before.profile_count} profiles: give --keys FILE, "
            "or let its Identity Resolution Job run first"
        )
    known = {
        name: fingerprints_of(frame) if frame is not None else None
        for name, frame in (("earlier", options.earlier), ("snapshot", options.snapshot))
    }
    followed = custom_keys(domain)
    seeds = Seeds(
        keys=options.keys,
        profile_ids=ids,
        derived=followed.followed,
        object_types=telling_types(domain, followed.telling_types if options.follow_objects else ()),
        **{name: marks_of(prints) for name, prints in known.items() if prints is not None},
    )
    about = {"domain": domain.name, "endpoint": domain.clients.endpoint, "created_at": before.created_at}
    with open_parts(options.out, about, options.now, options.keys_at_risk) as parts:
        found = harvest(domain, seeds, parts, on_progress)
        frame = _whole_frame(parts.combined(), found, options.snapshot)
        before_it = known["earlier"] if known["earlier"] is not None else known["snapshot"]
        changes = None if before_it is None else compare(before_it, fingerprints_of(frame))
        unreached = pl.DataFrame(list(_unreached(found, options.keys)), schema=UNREACHED, orient="row")
        after = describe_domain(domain)
        calls = domain.calls.counts
        routes = found.routes + Counter({SNAPSHOT_ROUTE: frame.height - len(found.seen)})
        report = ExportReport(
            domain=domain.name,
            path=str(options.out),
            profiles=frame.height,
            profile_count_before=before.profile_count,
            profile_count_after=after.profile_count,
            object_count_before=before.object_count,
            object_count_after=after.object_count,
            completeness=frame.height / after.profile_count if after.profile_count else None,
            unreachable=max(0, after.profile_count - frame.height),
            routes=dict(sorted(routes.items())),
            calls=calls,
            calls_per_profile=sum(calls.values()) / frame.height if frame.height else None,
            resumed=found.resumed,
            gone_ids=len(found.gone),
            merged_away_ids=len(found.survivors),
            seed_keys=len(options.keys),
            seed_keys_without_profile=unreached["key_name"].count(),
            custom_keys=_followed_names(followed, options) if followed.readable else None,
            untold_keys=list(() if options.follow_objects else followed.untold)
            if followed.readable
            else None,
            silent_objects=found.silent_objects,
            changes=None if changes is None else count(changes),
            match_groups=groups["match_id"].n_unique(),
            rule_matching=before.rule_matching and options.rule_matches,
            matches_generated_at=generated_at.isoformat() if generated_at else None,
            started_at=options.now.isoformat(),
        )
        write_frame(groups, match_groups_path(options.out))
        write_frame(unreached, unreached_path(options.out))
        if changes is None:
            changes_path(options.out).unlink(missing_ok=True)  # those of an earlier export to the same file
        else:
            write_frame(changes, changes_path(options.out))
        write_json(asdict(report), report_path(options.out))
        write_frame(frame, options.out)
        parts.remove()
        return report


def _followed_names(keys: CustomKeys, options: ExportOptions) -> list[str]:
    names = {key.name for key in keys.followed}
    return sorted(names | set(keys.untold if options.follow_objects else ()))


def _check_ids(options: ExportOptions) -> None:
    """Refuse files of profiles from elsewhere: their ids would be asked of the service in vain."""
    for what, frame in (("earlier export", options.earlier), ("snapshot", options.snapshot)):
        if frame is not None:
            strange = frame.filter(~pl.col("profile_id").str.contains(PROFILE_ID_PATTERN)).height
            if strange:
                raise BadInput(
                    f"{what}: {strange} of its {frame.height} profile ids are none of Customer Profiles "
                    "(32 digits and letters a to f)"
                )


def _known_ids(options: ExportOptions, groups: pl.DataFrame) -> dict[str, list[str]]:
    """Ids to read, by where they come from; a snapshot's own are not read at all."""
    known: dict[str, list[str]] = {}
    if options.earlier is not None:
        known[EARLIER_ROUTE] = options.earlier["profile_id"].to_list()
    known[MATCH_GROUP_ROUTE] = groups["profile_id"].unique(maintain_order=True).to_list()
    known[LEDGER_ROUTE] = list(options.known_ids)
    if options.snapshot is not None:
        held = set(options.snapshot["profile_id"])
        known = {source: [i for i in ids if i not in held] for source, ids in known.items()}
    return known


def _whole_frame(found: pl.DataFrame, harvest: Harvest, snapshot: pl.DataFrame | None) -> pl.DataFrame:
    """One PROFILES frame sorted by id, empty columns left out; what was found outdoes a snapshot."""
    if snapshot is None:
        return found
    outdone = pl.Series([*harvest.seen, *harvest.gone, *harvest.survivors], dtype=pl.String)
    left = snapshot.filter(~pl.col("profile_id").is_in(outdone.implode()))
    filled = [s.name for s in left.iter_columns() if s.name in found.columns or s.null_count() < len(s)]
    whole = pl.concat([found, left.select(filled)], how="diagonal")
    return conform(whole, PROFILES).sort("profile_id")


def _unreached(found: Harvest, seeds: Sequence[SearchKey]) -> Iterator[tuple[str | None, ...]]:
    """Rows of UNREACHED. A seed key that was not asked, all profiles being found, is not among them."""
    for key in dict.fromkeys(seeds):
        mark = digest(key)
        if mark in found.asked and mark not in found.hit:
            yield "seed key without a profile", key.name, key.value, None
    for profile_id in sorted(found.gone):
        yield "id gone", None, profile_id, None
    for profile_id, survivor in sorted(found.survivors.items()):
        yield "id merged away", None, profile_id, survivor


def known_to_ledger(url: str, domain_name: str) -> list[str]:
    """The ids of profiles that a ledger knows to be left after its merges.

    Raises:
        LedgerFailed: it cannot be opened or read.
    """
    with open_ledger(url) as ledger:
        return sorted(set(ledger.survivors(domain_name).values()))


def facts_beside(out: Path) -> DomainFacts:
    """What an export wrote beside its profiles. Objects are not part of it: see ``object_reading``.

    Raises:
        BadFile: the export's report or match groups are not there or not readable.
    """
    try:
        report = json.loads(report_path(out).read_text(encoding="utf-8"))
        groups = conform(pl.read_parquet(match_groups_path(out)), MATCH_GROUPS)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{out}: the files of its export are not all there ({type(error).__name__})") from None
    generated = report["matches_generated_at"]
    return DomainFacts(
        domain_name=report["domain"],
        match_groups=groups,
        matches_generated_at=datetime.fromisoformat(generated) if generated else None,
        rule_matching=report.get("rule_matching", False),
    )
