"""Between the API's shapes and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.frames import MATCH_GROUPS, OBJECTS, PROFILES
from resolver.model.profile import to_row, without_blanks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from resolver.profiles.object_times import ObjectType


def profiles_frame(profiles: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """API-shaped profiles as a PROFILES frame with all its columns, blanks as null."""
    rows = [to_row(without_blanks(profile)) for profile in profiles]
    return pl.DataFrame(rows, schema=PROFILES.columns)


def match_groups_frame(groups: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Groups of GetMatches and of GetSimilarProfiles as MATCH_GROUPS, sorted; a profile once per group."""
    rows = [
        (group["MatchId"], profile_id, group.get("ConfidenceScore"), group.get("RuleLevel"))
        for group in groups
        for profile_id in group.get("ProfileIds", ())
    ]
    frame = pl.DataFrame(rows, schema=MATCH_GROUPS.columns, orient="row")
    return frame.unique(["match_id", "profile_id"]).sort("match_id", "profile_id")


def objects_frame(profile_id: str, type_: ObjectType, items: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The Items of ListProfileObjects as an OBJECTS frame, in the order given."""
    rows = [
        (
            profile_id,
            item["ObjectTypeName"],
            item["ProfileObjectUniqueKey"],
            item.get("Object"),
            type_.moment_of(item.get("Object")),
        )
        for item in items
    ]
    return pl.DataFrame(rows, schema=OBJECTS.columns, orient="row")
