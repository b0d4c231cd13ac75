"""Export: a domain's profiles into a file, with the proof of how many of them it holds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from resolver.errors import BadFile, BadInput
from resolver.model.domain_facts import DomainFacts
from resolver.model.frames import MATCH_GROUPS, OBJECTS, conform, empty
from resolver.profiles.domain import describe_domain
from resolver.profiles.harvest import Progress, Seeds, harvest
from resolver.profiles.parts import open_parts, write_text, write_whole
from resolver.profiles.reading import object_types, read_match_groups, read_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from resolver.profiles.domain import Domain
    from resolver.profiles.search_keys import SearchKey

MATCH_GROUP_ROUTE = "match groups"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Where to begin and where to write. ``now`` is the moment of the start.

    ``keys_at_risk`` is how many keys may be asked before what they found is put on disk: what a kill costs.
    """

    out: Path
    now: datetime
    keys: Sequence[SearchKey] = ()
    known_ids: Sequence[str] = ()
    keys_at_risk: int = 2_500


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export found and what it cost.

    ``completeness`` is profiles found ÷ profiles that the domain says it has (at the end), null for an empty
    domain. ``routes`` counts profiles by what led to them first; ``calls`` what was sent, by operation.
    """

    domain: str
    path: str
    profiles: int
    profile_count_before: int
    profile_count_after: int
    completeness: float | None
    unreachable: int
    routes: Mapping[str, int]
    calls: Mapping[str, int]
    gone_ids: int
    match_groups: int
    matches_generated_at: str | None
    seed_keys: int
    started_at: str


def match_groups_path(out: Path) -> Path:
    """Where an export to ``out`` keeps the match groups."""
    return out.with_name(f"{out.stem}.match_groups.parquet")


def report_path(out: Path) -> Path:
    """Where an export to ``out`` keeps its report."""
    return out.with_name(f"{out.stem}.export.json")


def export_domain(
    domain: Domain, options: ExportOptions, on_progress: Callable[[Progress], None] = lambda _: None
) -> ExportReport:
    """Write all profiles in reach to ``options.out`` (PROFILES), match groups and a report beside it.

    The files are there in full or not at all, the profiles last. An export that was interrupted goes on where
    it was when it is started again within a day, with the same file and domain.

    Raises:
        UnknownDomain, Unreachable, ServiceFailed: the domain cannot be read.
        BadInput: nothing to begin from, though the domain has profiles; or the place cannot be written.
    """
    before = describe_domain(domain)
    groups, generated_at = empty(MATCH_GROUPS), None
    if before.matching_enabled:
        groups, generated_at = read_match_groups(domain)
    seeds = Seeds(
        keys=options.keys,
        profile_ids={
            MATCH_GROUP_ROUTE: groups["profile_id"].unique(maintain_order=True).to_list(),
            "known ids": options.known_ids,
        },
    )
    if before.profile_count and not any((seeds.keys, *seeds.profile_ids.values())):
        raise BadInput(
            f"domain {domain.name}: no way to find its {before.profile_count} profiles: give --keys FILE, "
            "or let its Identity Resolution Job run first"
        )
    about = {"domain": domain.name, "endpoint": domain.clients.endpoint}
    parts = open_parts(options.out, about, options.now, options.keys_at_risk)
    found = harvest(domain, seeds, parts, on_progress)
    after = describe_domain(domain)
    frame = parts.combined()
    report = ExportReport(
        domain=domain.name,
        path=str(options.out),
        profiles=frame.height,
        profile_count_before=before.profile_count,
        profile_count_after=after.profile_count,
        completeness=frame.height / after.profile_count if after.profile_count else None,
        unreachable=max(0, after.profile_count - frame.height),
        routes=dict(sorted(found.routes.items())),
        calls=domain.calls.counts,
        gone_ids=len(found.gone),
        match_groups=groups["match_id"].n_unique(),
        matches_generated_at=generated_at.isoformat() if generated_at else None,
        seed_keys=len(options.keys),
        started_at=options.now.isoformat(),
    )
    write_whole(groups, match_groups_path(options.out))
    write_text(json.dumps(asdict(report), indent=2), report_path(options.out))
    write_whole(frame, options.out)
    parts.remove()
    return report


def facts_beside(out: Path) -> DomainFacts:
    """What an export wrote beside its profiles. Objects are not part of it: see ``export_objects``.

    Raises:
        BadFile: the export's report or match groups are not there or not readable.
    """
    try:
        report = json.loads(report_path(out).read_text())
        groups = conform(pl.read_parquet(match_groups_path(out)), MATCH_GROUPS)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BadFile(f"{out}: the files of its export are not all there ({type(error).__name__})") from None
    generated = report["matches_generated_at"]
    return DomainFacts(
        domain_name=report["domain"],
        match_groups=groups,
        matches_generated_at=datetime.fromisoformat(generated) if generated else None,
    )


def export_objects(domain: Domain, profile_ids: Iterable[str]) -> pl.DataFrame:
    """The objects of these profiles, of all types of the domain, as an OBJECTS frame.

    One call a profile and type at least: ask for the profiles that something depends on.
    """
    types = object_types(domain)
    return pl.concat([empty(OBJECTS), *domain.each(lambda i: read_objects(domain, i, types), profile_ids)])
