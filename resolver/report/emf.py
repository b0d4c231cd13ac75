"""A run's figures as one line of CloudWatch's embedded metric format. Counts only, no personal data.

The format: AWS, "Specification: Embedded metric format" (``_aws`` with ``Timestamp`` in milliseconds and
``CloudWatchMetrics``; metric values are members of the root).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAMESPACE: Final = "Resolver"


def emf_line(report: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The line of a run's report, stamped ``at``; one metric each, dimension Domain."""
    values = dict(_values(report))
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Domain"]], "Metrics": metrics}],
        },
        "Domain": report["domain"],
        "RunId": report["run_id"],
        **values,
    }


def _values(report: Mapping[str, Any]) -> dict[str, int]:
    applied = report["apply"] or {}
    keys = report["ambiguous_keys"]
    ambiguous = {kind: _latest(figures) for kind, figures in keys.items()}
    return {
        "Profiles": report["profiles"]["found"],
        "CandidatePairs": report["pairs"]["candidates"],
        "PlansReady": report["plans"]["merge"],
        "PlansForReview": report["plans"]["review"],
        "ProfilesMergedAway": applied.get("profiles_merged_away", 0),
        "PlansNotApplied": applied.get("plans", 0) - applied.get("by_result", {}).get("applied", 0),
        "AmbiguousPhones": ambiguous["phones"],
        "AmbiguousEmails": ambiguous["e-mails"],
        "FiguresBeyondLimit": len(report["gate"]["breaches"]),
        "Held": int(report["gate"]["state"] == "held"),
        "ServiceCalls": sum(report["profiles"]["calls"].values()),
    }


def _latest(figures: Mapping[str, Any]) -> int:
    return int(figures["before"] if figures.get("after") is None else figures["after"])
