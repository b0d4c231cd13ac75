"""The run report as text for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDTH: Final = 20

#: What the second opinion's relations mean, in words.
OPINIONS: Final = {
    "same": "the same profiles in both",
    "ours_only": "ours only",
    "aws_only": "Amazon Connect only",
    "split": "Amazon Connect links fewer of them",
    "joined": "Amazon Connect links more",
    "differently": "each links what the other does not",
}


def render_report(report: Mapping[str, Any]) -> str:
    """The figures of a report (the content of report.json), a line or a few each."""
    return "\n".join(_lines(report))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    found = report["profiles"]
    yield line("Domain", f"{report['domain']}   run {report['run_id']}   rules {report['rule_set']['name']}")
    share = (
        f" ({found['completeness']:.1%} of the domain's {found['in_domain']:,})" if found["in_domain"] else ""
    )
    yield line("Profiles found", f"{found['found']:,}{share} with {sum(found['calls'].values()):,} calls")
    if objects := report.get("objects"):
        left_out = f"; not read: {', '.join(objects['types_left_out'])}" if objects["types_left_out"] else ""
        yield line(
            "Objects read",
            f"{objects['objects']:,}, of {objects['profiles']:,} profiles that are in clusters, with "
            f"{objects['calls']:,} calls{left_out}",
        )
    pairs, clusters, plans = report["pairs"], report["clusters"], report["plans"]
    yield line("Candidate pairs", f"{pairs['candidates']:,} ({pairs['per_profile']} a profile)")
    yield from customer_lines(clusters)
    yield line(
        "Merge plans",
        f"{plans['merge']:,} ready, {plans['review']:,} for review; the ready ones remove "
        f"{plans['profiles_merged_away']:,} profiles and give up {plans['values_given_up']:,} values",
    )
    for reason, count in list(plans["review_reasons"].items())[:5]:
        yield line("  review because", f"{reason} ({count:,})")
    yield from _second_opinion(report["second_opinion"])
    yield from gate_lines(report["gate"])
    yield from _lineage(report["lineage"])
    yield from decision_lines(report.get("decisions"))
    yield from _apply(report.get("apply"))
    yield from acceptance_lines(report.get("acceptance"))
    yield from _before_after(report.get("ambiguous_keys"))
    if count := report.get("profile_count"):
        yield line("Profiles", f"{count['before']:,} → {count['after']:,} in the domain")
    for what, scores in report.get("truth", {}).items():
        figures = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        yield line(f"Truth: {what}", figures)


def customer_lines(clusters: Mapping[str, Any]) -> Iterator[str]:
    """How many customers there are, and how many clusters of each band."""
    yield line(
        "Customers",
        f"{clusters['customers']:,}; {clusters['profiles_in_them']:,} profiles "
        f"in {clusters['of_two_or_more']:,} clusters of two or more",
    )
    for band, meaning in (("merge", "fit to merge without a person"), ("review", "for a person to decide")):
        yield line(f"  band {band}", f"{clusters['by_band'].get(band, 0):,} clusters {meaning}")


def _second_opinion(opinion: Mapping[str, Any]) -> Iterator[str]:
    if not opinion["groups"]:
        yield line("Second opinion", "get_matches holds no groups")
        return
    age = f", {opinion['age_days']:.1f} days old" if opinion["age_days"] is not None else ""
    by_rules = opinion.get("by_rules", 0)
    told = (
        [f"{opinion['groups'] - by_rules:,} groups of get_matches{age}"]
        if opinion["groups"] > by_rules
        else []
    )
    told += [f"{by_rules:,} of the domain's matching rules"] if by_rules else []
    yield line("Second opinion", ", ".join(told))
    for relation, meaning in OPINIONS.items():
        if opinion["relations"].get(relation):
            yield line(f"  {relation.replace('_', ' ')}", f"{opinion['relations'][relation]:,} ({meaning})")


def gate_lines(gate: Mapping[str, Any]) -> Iterator[str]:
    """What the gates said of a run, a line a figure beyond its limit."""
    compared = f"compared with run {gate['compared_with']}" if gate["compared_with"] else "no run before it"
    by = f" by {gate['released_by']}: {gate['release_reason']}" if gate["released_by"] else ""
    yield line("Gates", f"{gate['state']}{by} ({compared})")
    for breach in gate["breaches"]:
        before = "first run" if breach["before"] is None else f"{breach['before']:.4g} before"
        yield line("  " + breach["figure"], f"{before}, {breach['now']:.4g} now; limit {breach['limit']}")
        yield line("", breach["reason"])
        if breach["examples"]:
            yield line("", f"e.g. {', '.join(breach['examples'])}")


def _lineage(counts: Mapping[str, int]) -> Iterator[str]:
    told = ", ".join(f"{count:,} {change}" for change, count in counts.items() if count)
    yield line("Clusters since then", told or "none")


def _apply(applied: Mapping[str, Any] | None) -> Iterator[str]:
    if applied is None:
        yield line("Applied", "nothing (run with --apply to merge the ready plans)")
        return
    done = applied["by_result"].get("applied", 0)
    gone = f"{applied['profiles_merged_away']:,} profiles merged away"
    yield line("Applied", f"{done:,} of {applied['plans']:,} plans merged and read back as predicted, {gone}")
    for result, count in applied["by_result"].items():
        if result != "applied":
            yield line(f"  {result}", f"{count:,}")
    if applied["stopped"]:
        yield line("  stopped", applied["stopped"])


def decision_lines(decided: Mapping[str, Any] | None) -> Iterator[str]:
    """What people's decisions say of this run; nothing where there are none."""
    if not decided or not decided["pairs"]:
        return
    yield line("Decisions", f"{decided['pairs']:,} pairs decided by people")
    if decided["contradicted"]:
        count = len(decided["contradicted"])
        yield line(
            "  contradicted", f"{count:,} profiles: nothing with them runs unattended; `resolver review`"
        )
    for one in decided["precision"]:
        low, high = (f"{one[end] * 100:.1f}" for end in ("precision_low", "precision_high"))
        share = f"{one['precision'] * 100:.1f} % are matches ({low} to {high}, 95%)"
        yield line(f"  from {one['threshold']}", f"of {one['decided']:,} decided pairs {share}")


def acceptance_lines(acceptance: Mapping[str, Any] | None) -> Iterator[str]:
    """How far reviewers' looks bound the errors of what was merged unattended, a line a pattern."""
    if acceptance is None:
        return
    if acceptance["patterns"] is None:
        yield line("Acceptance", "no sampled looks asked for: no bound on the share of wrong merges is known")
        return
    confidence = f"{acceptance['confidence']:.0%}"
    yield line("Acceptance", f"{acceptance['plans_held']:,} ready plans held for looks")
    for one in acceptance["patterns"]:
        looks = (
            f"{one['wrong']:,} of {one['looks']:,} looks not right" if one["looks"] else "nobody has looked"
        )
        bound = f"at most {math.ceil(one['wrong_at_most'] * 1e4) / 100:.2f} % wrong ({confidence})"
        verdict = "released" if one["released"] else "held"
        yield line(f"  {verdict}", f"{one['plans']:,} plans: {one['pattern']}; {looks}, {bound}")


def _before_after(keys: Mapping[str, Any] | None) -> Iterator[str]:
    if not keys:
        return
    yield line("Ambiguous keys", "values that find more than one profile")
    for kind, figures in keys.items():
        after = f" → {figures['after']:,}" if figures.get("after") is not None else ""
        yield line(f"  {kind}", f"{figures['before']:,}{after} of {figures['asked']:,} asked")


def line(name: str, text: str) -> str:
    """A name in its column and what there is to say."""
    return f"{name:<{WIDTH - 1}} {text}"
