"""What a profile's content hashes to, so that a change between planning and merging is seen."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import polars as pl

from resolver.model.canonical import canonical_json
from resolver.model.profile import without_blanks
from resolver.planning.json_columns import (
    CANONICAL,
    attribute_entries,
    json_of_attributes,
    json_of_members,
    json_of_objects,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def fingerprint_profile(profile: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the profile's canonical JSON without ``FoundByItems`` and blanks.

    A member that plans do not know counts too: a profile that has one never equals what was planned on, so
    its merge is refused rather than done blindly.
    """
    return hash_text(canonical_json(without_blanks(profile)))


def fingerprint_rows(profiles: pl.DataFrame) -> list[str]:
    """``fingerprint_profile`` of each row of a PROFILES frame.

    The canonical JSON is written column by column: the encoder would take ten times longer.
    """
    return fingerprint_columns(profiles["profile_id"], json_of_members(profiles), attribute_entries(profiles))


def fingerprint_columns(
    profile_ids: pl.Series, members: Mapping[str, pl.Series], entries: pl.DataFrame
) -> list[str]:
    """The same of profiles whose members are JSON text already (``json_columns``)."""
    rows = len(profile_ids)
    whole = {**members, "ProfileId": quoted(profile_ids)}
    if entries.height:
        whole["Attributes"] = json_of_attributes(entries, rows)
    return hash_texts(json_of_objects({name: whole[name] for name in sorted(whole)}, CANONICAL))


def hash_text(text: str) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def hash_texts(texts: pl.Series) -> list[str]:
    """``hash_text`` of each, without a call for each."""
    digest = hashlib.sha256
    return [digest(text).hexdigest() for text in texts.cast(pl.Binary).to_list()]
