"""Merge plans made by hand, for tests of what carries them out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from embedded import NAME

from resolver.model.canonical import canonical_json
from resolver.model.merge_plan import MAX_MERGED_PER_STEP, FieldChoice, MergePlan, MergeStep
from resolver.model.profile import UNSTEERABLE, by_id
from resolver.planning.fingerprint import fingerprint_profile
from resolver.planning.simulation import simulate_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def plan_of_group(
    group: Sequence[dict[str, Any]], sources: Mapping[str, str] | None = None, **facts: Any
) -> MergePlan:
    """The first profile takes in the others, twenty a call; ``sources`` are field → donor.

    Every field that two profiles of a batch could give gets a donor, so that nothing undocumented matters.
    """
    main, *others = (profile["ProfileId"] for profile in group)
    there = by_id(group)
    steps = []
    for start in range(0, len(others), MAX_MERGED_PER_STEP):
        batch = others[start : start + MAX_MERGED_PER_STEP]
        steps.append(MergeStep(main, tuple(batch), _choices([main, *batch], there, sources or {})))
    content = {
        "cluster_id": main,
        "band": "merge",
        "main_profile_id": main,
        "main_reason": "by hand",
        "merged_profile_ids": tuple(others),
        "steps": tuple(steps),
        "field_choices": (),
        "predicted": simulate_steps(there, steps),
        "disposals": (),
        "fingerprints": {i: fingerprint_profile(profile) for i, profile in there.items()},
        "reasons": (),
        "second_opinion": "none",
        "rule_set_fingerprint": "r1",
    } | facts
    identity = canonical_json([content["fingerprints"], [step.field_sources for step in steps]])
    return MergePlan(plan_id=hashlib.sha256(identity.encode()).hexdigest(), **content)


def _choices(
    members: Sequence[str], there: Mapping[str, dict[str, Any]], sources: Mapping[str, str]
) -> tuple[FieldChoice, ...]:
    fields: dict[str, list[str]] = {}
    for profile_id in members:
        for field in _flat(there[profile_id]):
            fields.setdefault(field, []).append(profile_id)
    choices = []
    for field, holders in fields.items():
        donor = sources.get(field, holders[0])
        if donor in members and len(holders) > 1 and (donor != members[0] or field in sources):
            choices.append(FieldChoice(field, donor, _flat(there[donor])[field], "by hand"))
    return tuple(choices)


def _flat(profile: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("ProfileId", "Attributes", *UNSTEERABLE)
    flat = {name: value for name, value in profile.items() if name not in left_out}
    return flat | {f"Attributes.{key}": value for key, value in profile.get("Attributes", {}).items()}


def put_crm_type(client: Any, field: str, key: str) -> None:
    """An object type ``Crm`` of the domain: told apart by ``id``, found to belong by a field under a key."""
    client.put_profile_object_type(
        DomainName=NAME,
        ObjectTypeName="Crm",
        Description="crm",
        Fields={"id": {"Source": "_source.id"}, field: {"Source": f"_source.{field}"}},
        Keys={
            "crmId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE"]}],
            key: [{"FieldNames": [field], "StandardIdentifiers": ["PROFILE"]}],
        },
    )
