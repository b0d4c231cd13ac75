"""What a drill works on: seven profiles, and the plan that makes one of them in three merges."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from resolver.model.merge_plan import FieldChoice, MergePlan, MergeStep, PostStep
from resolver.planning.fingerprint import fingerprint_profile
from resolver.planning.simulation import simulate_steps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.model.profile import Profile

OBJECT_TYPE: Final[dict[str, Any]] = {
    "ObjectTypeName": "Crm",
    "Description": "objects of the drill",
    "Fields": {"id": {"Source": "_source.id"}},
    "Keys": {
        "crmId": [{"FieldNames": ["id"], "StandardIdentifiers": ["UNIQUE"]}],
        "_account": [{"FieldNames": ["id"], "StandardIdentifiers": ["PROFILE"]}],
    },
}
PEOPLE: Final[list[dict[str, Any]]] = [
    {
        "AccountNumber": f"account-{n}",
        "FirstName": f"First{n}",
        "EmailAddress": f"person{n}@example.com",
        "Address": {"City": f"City{n}"},
        "Attributes": {f"from_{n}": "yes", "shared": str(n)},
    }
    for n in range(7)
]


def plan_chain(there: Mapping[str, Profile], ids: Sequence[str], domain_name: str) -> MergePlan:
    """The first takes in the others, two a call; of each pair the second gives one field and an attribute."""
    main = ids[0]
    steps = []
    for start in (1, 3, 5):
        pair = (ids[start], ids[start + 1])
        donor = there[pair[1]]
        choices = (
            FieldChoice("EmailAddress", pair[1], donor["EmailAddress"], "drill"),
            FieldChoice("Attributes.shared", pair[1], donor["Attributes"]["shared"], "drill"),
        )
        steps.append(MergeStep(main, pair, choices))
    post_steps = (
        PostStep("update_profile", {"ProfileId": main, "HomePhoneNumber": "0800"}),
        PostStep("add_profile_key", {"ProfileId": main, "KeyName": "_phone", "Values": ["0900"]}),
        PostStep("update_profile", {"ProfileId": main, "Attributes": {"was": "First1"}}),
    )
    return MergePlan(
        plan_id=hashlib.sha256(" ".join(ids).encode()).hexdigest(),
        cluster_id=main,
        band="merge",
        main_profile_id=main,
        main_reason="drill",
        merged_profile_ids=tuple(ids[1:]),
        steps=tuple(steps),
        field_choices=(),
        predicted=simulate_steps(there, steps),
        disposals=(),
        fingerprints={i: fingerprint_profile(profile) for i, profile in there.items()},
        reasons=(),
        second_opinion="none",
        rule_set_fingerprint="drill",
        post_steps=post_steps,
        domain_name=domain_name,
    )
