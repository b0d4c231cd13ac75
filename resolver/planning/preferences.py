"""Engagement preferences name other profiles by their ids: what a merge does to such references.

MergeProfiles moves the member whole and knows nothing of the ids inside it (assumed: no page says otherwise).
A plan therefore writes the survivor's own preferences anew where they name a profile that is merged away, and
goes to a person where the preferences of a profile outside the merge do.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from resolver.model.merge_plan import PostStep
from resolver.model.profile import PREFERENCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

#: A reference in canonical JSON text; inside a value the quotes would be escaped.
_REFERENCE: Final = r'"ProfileId":"[^"]*"'
_BEFORE, _AFTER = '"ProfileId":"', '"'


def references(profiles: pl.DataFrame) -> dict[str, frozenset[str]]:
    """The profiles that are named in preferences of a PROFILES frame: id → who names it."""
    found: dict[str, set[str]] = {}
    for column in PREFERENCES.values():
        if profiles.schema.get(column) != pl.String:
            continue
        named = profiles.select("profile_id", pl.col(column).str.extract_all(_REFERENCE).alias("named"))
        for referrer, reference in named.explode("named").drop_nulls("named").unique().iter_rows():
            referred = reference.removeprefix(_BEFORE).removesuffix(_AFTER)
            found.setdefault(referred, set()).add(referrer)
    return {referred: frozenset(referrers) for referred, referrers in found.items()}


def outside_references(
    known: Mapping[str, frozenset[str]], merged_ids: Iterable[str], members: Collection[str]
) -> frozenset[str]:
    """The profiles outside ``members`` whose preferences name a profile that would be merged away."""
    named = [known[i] for i in merged_ids if i in known]
    return frozenset[str]().union(*named).difference(members)


def repoint(main_id: str, merged_ids: Collection[str], values: Mapping[str, Any]) -> tuple[PostStep, ...]:
    """The call that makes the survivor's preferences name the survivor instead of who was merged into it.

    ``values`` are the survivor's, by field. Nothing to do where no such reference is there.
    """
    written = {}
    for name in PREFERENCES:
        text = values.get(name)
        if text is None:
            continue
        content = json.loads(text)
        changed = {
            kind: [_repointed(entry, main_id, merged_ids) for entry in entries]
            for kind, entries in content.items()
        }
        if changed != content:
            written[name] = changed
    return (PostStep("update_profile", {"ProfileId": main_id, **written}),) if written else ()


def _repointed(entry: Mapping[str, Any], main_id: str, merged_ids: Collection[str]) -> dict[str, Any]:
    return {**entry, "ProfileId": main_id} if entry.get("ProfileId") in merged_ids else dict(entry)
