"""How the job stands, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.report.text import gate_lines, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def render_status(status: Mapping[str, Any]) -> str:
    """The status, a line or a few each."""
    return "\n".join(_lines(status))


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    yield line("Domain", status["domain"])
    yield line("Ledger", status["ledger"])
    if (run := status["last_run"]) is None:
        yield line("Last run", "none")
    else:
        end = run["outcome"] or "without a recorded end: it only planned, goes on, or died"
        yield line("Last run", f"{run['run_id']} ({run['command']} by {run['actor']}), {end}")
    if (gate := status["gate"]) is not None:
        yield line("Audited run", f"{gate['run_id']} of {gate['at']:%Y-%m-%d %H:%M} UTC")
        yield from gate_lines(gate)
        reviews = status["reviews"]
        yield line(
            "Reviews",
            f"{reviews['plans_for_review']:,} plans for a person, {reviews['clusters_judged']:,} judged",
        )
    waiting = ("open_intents", "unclear_merges", "unfinished_plans", "unfinished_restores")
    told = ", ".join(f"{status[name]:,} {name.replace('_', ' ')}" for name in waiting if status[name])
    yield line("In hand", told or "nothing")
    if asked := status["restores_asked"]:
        yield line("Restores", f"asked for: {', '.join(plan_id[:12] for plan_id in asked)}")
    if (lease := status["lease"]) is None:
        yield line("Lease", "free")
    else:
        ended = ", expired" if lease["expired"] else ""
        yield line("Lease", f"{lease['holder']} until {lease['expires_at']:%Y-%m-%d %H:%M:%S} UTC{ended}")
