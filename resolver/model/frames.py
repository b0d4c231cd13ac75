"""Named Polars schemas: many of a kind is a frame, and these are its shapes.

``conform`` is the check at the door; inside, frames are trusted. Null means unknown everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from resolver.errors import BadFrame
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, PREFERENCES, SCALARS

#: What may happen to a pair or a cluster: merged without a person, shown to one, or left apart.
BANDS: Final = ("distinct", "review", "merge")
Band = pl.Enum(BANDS)

AddressBlock = pl.Struct(dict.fromkeys(ADDRESS_PARTS.values(), pl.String))
Attributes = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of one kind of frame.

    ``optional`` columns may be absent, which reads as all null: a million profiles without a shipping address
    should not pay for forty empty columns. ``open`` frames carry further columns of their own
    (``<comparison>_level``).
    """

    name: str
    columns: dict[str, pl.DataType | type[pl.DataType]]
    optional: frozenset[str] = frozenset()
    open: bool = False


_FIELDS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    **dict.fromkeys(SCALARS.values(), pl.String),
    **dict.fromkeys(ADDRESSES.values(), AddressBlock),
    **dict.fromkeys(PREFERENCES.values(), pl.String),
    "attributes": Attributes,
    "last_updated_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
}

#: One row a profile: ``profile_id`` and the API's fields. An address struct may hold any subset of its parts;
#: ``engagement_preferences`` is canonical JSON text of the API's member.
PROFILES: Final = Schema("profiles", {"profile_id": pl.String, **_FIELDS}, optional=frozenset(_FIELDS))

#: One row an object: its type, opaque key, the JSON text and when its source says it last changed.
OBJECTS: Final = Schema(
    "objects",
    {
        "profile_id": pl.String,
        "object_type_name": pl.String,
        "unique_key": pl.String,
        "object": pl.String,
        "last_updated_at": pl.Datetime("us", "UTC"),
    },
)

#: The store's own matches as rows: one per profile of a group. What belongs to the group, not to a pair: its
#: ``confidence_score`` where the store's model found it (GetMatches), its ``rule_level`` where its rules did.
MATCH_GROUPS: Final = Schema(
    "match groups",
    {
        "match_id": pl.String,
        "profile_id": pl.String,
        "confidence_score": pl.Float64,
        "rule_level": pl.UInt8,
    },
    optional=frozenset({"rule_level"}),
)

#: Row numbers of two profiles, ``left < right``, and the first blocking rule that brought them together.
CANDIDATE_PAIRS: Final = Schema(
    "candidate pairs", {"left": pl.UInt32, "right": pl.UInt32, "blocking_rule": pl.String}
)

#: A candidate pair with one ``<comparison>_level`` each (-1 unknown, 0 else, rising with agreement) and
#: ``<comparison>_weight`` (log2), their sum with prior and relation discount, its probability and band.
SCORED_PAIRS: Final = Schema(
    "scored pairs",
    {
        "left": pl.UInt32,
        "right": pl.UInt32,
        "match_weight": pl.Float64,
        "match_probability": pl.Float64,
        "band": Band,
    },
    open=True,
)

#: Every profile exactly once. ``core_id`` groups the members that evidence fit for an unattended merge holds
#: together (equal to ``cluster_id`` where that is the whole cluster); ``weakest_link`` is the smallest match
#: weight on the cluster's strongest spanning tree, null for a single profile.
CLUSTERS: Final = Schema(
    "clusters",
    {
        "cluster_id": pl.String,
        "profile_id": pl.String,
        "core_id": pl.String,
        "size": pl.UInt32,
        "weakest_link": pl.Float64,
        "contested": pl.Boolean,
        "band": Band,
    },
)

#: Where each field of a golden record comes from. ``value`` is JSON text for address blocks.
FIELD_CHOICES: Final = Schema(
    "field choices",
    {
        "cluster_id": pl.String,
        "field": pl.String,
        "source_profile_id": pl.String,
        "value": pl.String,
        "strategy": pl.String,
    },
)

#: People's verdicts: pairs of profile ids, ``verdict`` one of match, non_match, unsure.
DECISIONS: Final = Schema(
    "decisions",
    {
        "profile_id_left": pl.String,
        "profile_id_right": pl.String,
        "verdict": pl.Enum(("match", "non_match", "unsure")),
        "reviewer": pl.String,
        "reason": pl.String,
        "decided_at": pl.Datetime("us", "UTC"),
    },
)


def empty(schema: Schema) -> pl.DataFrame:
    """A frame of that schema without rows, optional columns included."""
    return pl.DataFrame(schema=schema.columns)


def conform(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """The frame with the schema's columns in its order; optional columns that are absent stay absent.

    Columns that the schema does not know are dropped, or kept at the end where the schema is open.

    Raises:
        BadFrame: names every missing column and every column of another type, and what is there instead.
    """
    missing = [c for c in schema.columns if c not in frame.columns and c not in schema.optional]
    wrong = [
        f"{name} is {frame.schema[name]}, not {dtype}"
        for name, dtype in schema.columns.items()
        if name in frame.columns and not _fits(frame.schema[name], dtype)
    ]
    if missing or wrong:
        faults = ([f"no column {', '.join(missing)}"] if missing else []) + wrong
        there = ", ".join(frame.columns) or "nothing"
        raise BadFrame(f"{schema.name}: {'; '.join(faults)} (columns there: {there})")
    known = [c for c in schema.columns if c in frame.columns]
    extra = [c for c in frame.columns if c not in schema.columns] if schema.open else []
    # not by an expression: where columns lie in different pieces, it would copy all of them
    return pl.DataFrame([frame[name] for name in known + extra])


def _fits(there: pl.DataType, wanted: pl.DataType | type[pl.DataType]) -> bool:
    if there in (wanted, pl.Null):
        return True
    if isinstance(wanted, pl.Struct) and isinstance(there, pl.Struct):
        parts = {field.name: field.dtype for field in wanted.fields}
        return all(f.name in parts and (f.dtype == parts[f.name] or f.dtype == pl.Null) for f in there.fields)
    return False
