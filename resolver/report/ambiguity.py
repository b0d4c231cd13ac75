"""Keys that find more than one profile: what a contact centre feels of its duplicates.

With two profiles under a caller's number the agent has to pick, and contact records cannot be associated
(AWS, "Associate the contact record with one profile found using the _phone key").
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Key name of the API → what people call it.
KINDS = {"_phone": "phones", "_email": "e-mails"}


def count_ambiguous(
    found: Iterable[tuple[str, str, str]], survivors: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Per kind of key: values ``asked``, how many find several profiles ``before``, and ``after`` the merges.

    Args:
        found: key name, normalised value, profile id: one for every hit.
        survivors: merged-away profile → survivor. A merge moves all keys to the survivor, so that what found
            either finds it; without this, ``after`` is null.
    """
    owners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, value, profile_id in found:
        owners[name, value].add(profile_id)
    return {kind: _figures(owners, name, survivors) for name, kind in KINDS.items()}


def _figures(
    owners: Mapping[tuple[str, str], set[str]], kind: str, survivors: Mapping[str, str] | None
) -> dict[str, Any]:
    groups = [ids for (name, _), ids in owners.items() if name == kind]
    after = None
    if survivors is not None:
        after = sum(len({survivors.get(i, i) for i in ids}) > 1 for ids in groups)
    return {"asked": len(groups), "before": sum(len(ids) > 1 for ids in groups), "after": after}
