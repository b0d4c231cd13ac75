"""What an export found, how complete it is and what it cost, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.report.text import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def render_export(report: Mapping[str, Any]) -> str:
    """The figures of an export's report, a line or a few each."""
    return "\n".join(_lines(report))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    there = report["profile_count_after"]
    share = f" of {there:,} ({report['completeness']:.2%})" if there else ""
    yield line("Profiles found", f"{report['profiles']:,}{share}")
    for route, count in sorted(report["routes"].items(), key=lambda item: -item[1]):
        part = f" ({count / there:.2%})" if there else ""
        yield line(f"  by {route}", f"{count:,}{part}")
    if report["unreachable"]:
        yield line("Not reached", f"{report['unreachable']:,} profiles: nothing given or found leads to them")
    yield line("Domain", _before_after(report))
    calls = sum(report["calls"].values())
    rate = f", {report['calls_per_profile']:.3f} a profile" if report["profiles"] else ""
    yield line("Calls", f"{calls:,}{rate}")
    for operation, count in sorted(report["calls"].items(), key=lambda item: -item[1]):
        yield line(f"  {operation}", f"{count:,}")
    if report["seed_keys"]:
        found = report["seed_keys_without_profile"]
        yield line("Seed keys", f"{report['seed_keys']:,} given, {found:,} led to no profile")
    yield line("Known ids", f"{report['gone_ids']:,} gone, {report['merged_away_ids']:,} merged away")
    yield from _custom_keys(report)
    if report["changes"]:
        changes = ", ".join(f"{count:,} {kind}" for kind, count in report["changes"].items())
        yield line("Since then", changes)
    yield line("Written", report["path"])


def _before_after(report: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{report[f'{what}_count_before']:,} {what}s before, {report[f'{what}_count_after']:,} after"
        for what in ("profile", "object")
    )


def _custom_keys(report: Mapping[str, Any]) -> Iterator[str]:
    if report["custom_keys"] is None:
        yield line("Custom keys", "unknown: the object types may not be read")
    if report["custom_keys"]:
        yield line("Custom keys", ", ".join(report["custom_keys"]))
    if report["untold_keys"]:
        yield line(
            "  not followed",
            f"{', '.join(report['untold_keys'])}: only objects hold them (--follow-objects reads those)",
        )
    if report["silent_objects"]:
        yield line(
            "  not told", f"the keys of {report['silent_objects']:,} objects: an expression makes them"
        )
