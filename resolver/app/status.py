"""Use case: how the job stands in a domain, from the ledger alone. Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from resolver.app.gating import describe_gate

if TYPE_CHECKING:
    from datetime import datetime

    from resolver.ledger.ledger import Ledger


def status_of(domain_name: str, ledger: Ledger, now: datetime) -> dict[str, Any]:
    """Last run, gate, reviews, merges in hand, lease; ids, counts and times only.

    ``reviews`` speaks of the latest audited run: plans that need a person, and clusters judged since.
    """
    gate = ledger.latest_gate(domain_name)
    lease = ledger.lease_of(domain_name)
    if lease is not None:
        lease["expired"] = lease["expires_at"] <= now
    return {
        "domain": domain_name,
        "ledger": ledger.place,
        "last_run": ledger.last_run(domain_name),
        "gate": None if gate is None else {"run_id": gate.run_id, "at": gate.at, **describe_gate(gate)},
        "reviews": None
        if gate is None
        else {
            "plans_for_review": int(gate.figures.get("plans_review", 0)),
            "clusters_judged": ledger.judged(domain_name, gate.run_id),
        },
        "open_intents": len(ledger.open_intents(domain_name)),
        "unclear_merges": len(ledger.unclear(domain_name)),
        "unfinished_plans": len(ledger.unfinished_plans(domain_name)),
        "unfinished_restores": len(set(ledger.restoring(domain_name).values())),
        "restores_asked": ledger.restores_asked(domain_name),
        "lease": lease,
    }
