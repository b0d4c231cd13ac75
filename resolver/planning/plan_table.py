"""Plans as a table: what Parquet and JSONL hold, versioned, and back again without a difference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.errors import BadFrame, PlanRefused
from resolver.model.canonical import canonical_json
from resolver.model.frames import Band, Schema, conform
from resolver.model.merge_plan import Disposal, FieldChoice, MergePlan, MergeStep, PostStep
from resolver.planning.collecting import without_collector
from resolver.planning.identity import is_unaltered

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Raised by one whenever a column or the content of a JSON column changes its meaning.
SCHEMA_VERSION: Final = 1

#: One row a plan. ``steps``, ``field_choices``, ``predicted``, ``disposals``, ``fingerprints`` and
#: ``post_steps`` are JSON text with sorted keys; the rest is for filtering and counting.
PLANS: Final = Schema(
    "plans",
    {
        "schema_version": pl.UInt16,
        "plan_id": pl.String,
        "cluster_id": pl.String,
        "band": Band,
        "main_profile_id": pl.String,
        "main_reason": pl.String,
        "merged_profile_ids": pl.List(pl.String),
        "reasons": pl.List(pl.String),
        "second_opinion": pl.String,
        "after": pl.List(pl.String),
        "object_count": pl.UInt32,
        "given_up": pl.UInt32,
        "domain_name": pl.String,
        "rule_set_fingerprint": pl.String,
        "steps": pl.String,
        "field_choices": pl.String,
        "predicted": pl.String,
        "disposals": pl.String,
        "fingerprints": pl.String,
        "post_steps": pl.String,
    },
)


@without_collector()
def plans_to_frame(plans: Iterable[MergePlan]) -> pl.DataFrame:
    """A PLANS frame, one row a plan in the given order; the same plans give the same bytes."""
    return pl.DataFrame([_to_row(plan) for plan in plans], schema=PLANS.columns, orient="row")


def plans_from_frame(frame: pl.DataFrame) -> tuple[MergePlan, ...]:
    """The plans of a PLANS frame, also as read from JSONL without its schema.

    Raises:
        BadFrame: a column is missing or unreadable, the version is another, or a plan was altered.
    """
    try:
        frame = frame.cast({name: dtype for name, dtype in PLANS.columns.items() if name in frame.columns})
    except pl.exceptions.PolarsError as error:
        raise BadFrame(f"plans: not a table of plans: {type(error).__name__}") from error
    frame = conform(frame, PLANS)
    versions = frame["schema_version"].unique().to_list()
    if versions not in ([], [SCHEMA_VERSION]):
        raise BadFrame(f"plans: schema version {versions}, and this release reads {SCHEMA_VERSION}")
    plans = tuple(plan_from_row(row) for row in frame.iter_rows(named=True))
    altered = [plan.plan_id for plan in plans if not is_unaltered(plan)]
    if altered:
        raise BadFrame(f"plans: {len(altered)} were altered since they were made, e.g. {altered[0]}")
    return plans


def check_origin(plans: Iterable[MergePlan], domain_name: str | None, rule_set_fingerprint: str) -> None:
    """Refuse plans that were made for another domain or by another rule set.

    Raises:
        PlanRefused: counts the strangers and names the first.
    """
    plans = tuple(plans)
    strangers = [p for p in plans if p.domain_name != domain_name]
    if strangers:
        first = strangers[0]
        raise PlanRefused(
            f"{len(strangers)} of {len(plans)} plans were made for another domain than {domain_name}: "
            f"{first.plan_id} for {first.domain_name}"
        )
    strangers = [p for p in plans if p.rule_set_fingerprint != rule_set_fingerprint]
    if strangers:
        first = strangers[0]
        raise PlanRefused(
            f"{len(strangers)} of {len(plans)} plans were made by other rules than {rule_set_fingerprint}: "
            f"{first.plan_id} by {first.rule_set_fingerprint}"
        )


def _to_row(plan: MergePlan) -> tuple[Any, ...]:
    return (
        SCHEMA_VERSION,
        plan.plan_id,
        plan.cluster_id,
        plan.band,
        plan.main_profile_id,
        plan.main_reason,
        plan.merged_profile_ids,
        plan.reasons,
        plan.second_opinion,
        plan.after,
        plan.object_count,
        len(plan.given_up),
        plan.domain_name,
        plan.rule_set_fingerprint,
        canonical_json([_step(s) for s in plan.steps]),
        canonical_json([_choice(c) for c in plan.field_choices]),
        canonical_json(plan.predicted),
        canonical_json([_disposal(d) for d in plan.disposals]),
        canonical_json(plan.fingerprints),
        canonical_json([{"operation": s.operation, "request": s.request} for s in plan.post_steps]),
    )


def plan_from_row(row: dict[str, Any]) -> MergePlan:
    """The plan of one row of a PLANS frame."""
    main = row["main_profile_id"]
    return MergePlan(
        plan_id=row["plan_id"],
        cluster_id=row["cluster_id"],
        band=row["band"],
        main_profile_id=main,
        main_reason=row["main_reason"],
        merged_profile_ids=tuple(row["merged_profile_ids"]),
        steps=tuple(
            MergeStep(
                main, tuple(s["merged_profile_ids"]), tuple(FieldChoice(**c) for c in s["field_choices"])
            )
            for s in json.loads(row["steps"])
        ),
        field_choices=tuple(FieldChoice(**c) for c in json.loads(row["field_choices"])),
        predicted=json.loads(row["predicted"]),
        disposals=tuple(Disposal(**d) for d in json.loads(row["disposals"])),
        fingerprints=json.loads(row["fingerprints"]),
        reasons=tuple(row["reasons"]),
        second_opinion=row["second_opinion"],
        rule_set_fingerprint=row["rule_set_fingerprint"],
        after=tuple(row["after"]),
        post_steps=tuple(PostStep(**s) for s in json.loads(row["post_steps"])),
        object_count=row["object_count"],
        domain_name=row["domain_name"],
    )


def _step(step: MergeStep) -> dict[str, Any]:
    return {
        "merged_profile_ids": step.merged_profile_ids,
        "field_choices": [_choice(c) for c in step.field_choices],
    }


def _choice(choice: FieldChoice) -> dict[str, Any]:
    return {
        "field": choice.field,
        "source_profile_id": choice.source_profile_id,
        "value": choice.value,
        "strategy": choice.strategy,
    }


def _disposal(disposal: Disposal) -> dict[str, Any]:
    return {
        "field": disposal.field,
        "profile_id": disposal.profile_id,
        "value": disposal.value,
        "fate": disposal.fate,
        "target": disposal.target,
        "reason": disposal.reason,
    }
