"""The profiles of a frame as planning sees them: raw values by field, and what speaks for each profile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from resolver.model.canonical import canonical_json
from resolver.model.profile import ADDRESS_PARTS, ADDRESSES, PREFERENCES, SCALARS, Profile
from resolver.model.survivorship_policy import ATTRIBUTE_PREFIX
from resolver.planning.fingerprint import fingerprint_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.survivorship_policy import Survivorship

_KB: Final = 1024
#: Epoch numbers of more digits than this are milliseconds (ten digits of seconds reach the year 2286).
_MILLIS_DIGITS: Final = 12


class Member(NamedTuple):
    """One profile. A tuple, because a large run makes several hundred thousand of them.

    ``values`` holds every non-blank value: scalars, address blocks (dicts without blanks), engagement
    preferences (canonical JSON text: one value, moved whole) and ``Attributes.<key>``. ``seen_at`` is its
    newest date in microseconds since 1970, None without any; ``priority`` the rank of its best source (0 is
    best, None: not listed); ``size`` its objects' bytes.
    """

    profile_id: str
    values: dict[str, Any]
    fingerprint: str
    seen_at: int | None = None
    priority: int | None = None
    objects: int = 0
    size: int = 0
    shared_objects: frozenset[tuple[str, str]] = frozenset()


def nested(profile_id: str, values: dict[str, Any]) -> Profile:
    """Values by field in the API's shape, members and attribute keys in one fixed order."""
    profile: Profile = {"ProfileId": profile_id}
    attributes: dict[str, str] = {}
    for field in sorted(values):
        if field.startswith(ATTRIBUTE_PREFIX):
            attributes[field[len(ATTRIBUTE_PREFIX) :]] = values[field]
        else:
            profile[field] = json.loads(values[field]) if field in PREFERENCES else values[field]
    if attributes:
        profile["Attributes"] = attributes
    return profile


def flat(profile: Profile) -> dict[str, Any]:
    """The values of an API-shaped profile by field; the inverse of ``nested``."""
    values: dict[str, Any] = {}
    for name, value in profile.items():
        if name == "Attributes":
            values.update({ATTRIBUTE_PREFIX + key: text for key, text in value.items()})
        elif name != "ProfileId":
            values[name] = canonical_json(value) if name in PREFERENCES else value
    return values


def gather(profiles: pl.DataFrame, rules: Survivorship, objects: pl.DataFrame) -> list[Member]:
    """The rows of a PROFILES frame as members, in the frame's order; ``objects`` is an OBJECTS frame."""
    values = _values(profiles)
    fingerprints = fingerprint_rows(profiles)
    clocks = [[row.get(clock) for row in values] for clock in attribute_clocks(rules)]
    dates = newest_dates(profiles, clocks, rules, objects)
    priorities = best_priorities(profiles, rules, objects)
    holdings = holdings_of(profiles, objects)
    ids = profiles["profile_id"].to_list()
    if holdings is None:
        return list(map(Member, ids, values, fingerprints, dates, priorities))
    return list(map(Member, ids, values, fingerprints, dates, priorities, *holdings))


def _values(profiles: pl.DataFrame) -> list[dict[str, Any]]:
    """One dict a row. Loops, because a dict per profile is what is wanted; each visits filled cells only."""
    rows: list[dict[str, Any]] = [{} for _ in range(profiles.height)]
    for name, column in (*SCALARS.items(), *PREFERENCES.items()):
        if column in profiles.columns and profiles[column].dtype == pl.String:
            for row, value in zip(rows, profiles[column].to_list(), strict=True):
                if value:
                    row[name] = value
    for name, column in ADDRESSES.items():
        if column in profiles.columns and isinstance(profiles[column].dtype, pl.Struct):
            _put_blocks(rows, name, profiles[column].struct.unnest())
    if "attributes" in profiles.columns and isinstance(profiles["attributes"].dtype, pl.List):
        entries = profiles.select(pl.int_range(pl.len()).alias("row"), "attributes")
        entries = entries.explode("attributes").drop_nulls("attributes").unnest("attributes")
        entries = entries.drop_nulls("key").unique(["row", "key"], keep="last", maintain_order=True)
        entries = entries.filter(pl.col("value").str.len_bytes() > 0)
        for row_number, key, value in entries.select("row", "key", "value").iter_rows():
            rows[row_number][ATTRIBUTE_PREFIX + key] = value
    return rows


def _put_blocks(rows: list[dict[str, Any]], name: str, parts: pl.DataFrame) -> None:
    names = [(part, column) for part, column in ADDRESS_PARTS.items() if column in parts.columns]
    names = [(part, column) for part, column in names if parts[column].null_count() < parts.height]
    if not names:
        return
    labels = [part for part, _ in names]
    columns = [parts[column].to_list() for _, column in names]
    for row, texts in zip(rows, zip(*columns, strict=True), strict=True):
        block = {label: text for label, text in zip(labels, texts, strict=True) if text}
        if block:
            row[name] = block


def attribute_clocks(rules: Survivorship) -> list[str]:
    """The fields that the rules list as clocks."""
    return [clock for clock in rules.recency if clock.startswith(ATTRIBUTE_PREFIX)]


def newest_dates(
    profiles: pl.DataFrame,
    clocks: Sequence[Sequence[str | None]],
    rules: Survivorship,
    objects: pl.DataFrame,
) -> list[int | None]:
    """The newest date of each profile over the clocks that the rules list, microseconds since 1970.

    ``clocks``: the values of each of ``attribute_clocks``, row by row.
    """
    columns: list[Sequence[int | None]] = []
    ids = profiles.select("profile_id")
    if "profile" in rules.recency and "last_updated_at" in profiles.columns:
        columns.append(profiles["last_updated_at"].cast(pl.Datetime("us", "UTC")).to_physical().to_list())
    if "objects" in rules.recency and objects.height:
        newest = objects.group_by("profile_id").agg(pl.col("last_updated_at").max())
        joined = ids.join(newest, on="profile_id", how="left", maintain_order="left")
        columns.append(joined["last_updated_at"].to_physical().to_list())
    columns += [list(map(parse_instant, texts)) for texts in clocks]
    if not columns:
        return [None] * profiles.height
    if len(columns) == 1:
        return list(columns[0])
    return [max((d for d in dates if d is not None), default=None) for dates in zip(*columns, strict=True)]


def parse_instant(text: str | None) -> int | None:
    """Microseconds since 1970 of an ISO 8601 text or an epoch number in seconds or milliseconds; else None.

    A time without an offset is read as UTC.
    """
    if not text:
        return None
    text = text.strip()
    try:
        if text.isascii() and text.isdigit() and len(text) >= 9:  # noqa: PLR2004 - 1973 and later
            return int(text) * (1_000 if len(text) > _MILLIS_DIGITS else 1_000_000)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def best_priorities(profiles: pl.DataFrame, rules: Survivorship, objects: pl.DataFrame) -> list[int | None]:
    """The best rank of any of a profile's object types, or of its ``source``, in ``source_priority``."""
    if not rules.source_priority:
        return [None] * profiles.height
    ranks = {name: rank for rank, name in reversed(list(enumerate(rules.source_priority)))}
    mentions = [objects.select("profile_id", pl.col("object_type_name").alias("source"))]
    if "source" in profiles.columns:
        mentions.append(profiles.select("profile_id", pl.col("source").cast(pl.String)))
    best = (
        pl.concat(mentions)
        .with_columns(
            pl.col("source").replace_strict(ranks, default=None, return_dtype=pl.Int64).alias("rank")
        )
        .group_by("profile_id")
        .agg(pl.col("rank").min())
    )
    return (
        profiles.select("profile_id")
        .join(best, on="profile_id", how="left", maintain_order="left")["rank"]
        .to_list()
    )


def holdings_of(
    profiles: pl.DataFrame, objects: pl.DataFrame
) -> tuple[list[int], list[int], list[Any]] | None:
    """Objects, their bytes, and the keys of objects that several profiles hold; None without any objects."""
    if not objects.height:
        return None
    key = ["object_type_name", "unique_key"]
    distinct = objects.group_by("profile_id", *key).agg(pl.col("object").str.len_bytes().max().alias("size"))
    totals = distinct.group_by("profile_id").agg(pl.len().alias("objects"), pl.col("size").sum())
    joined = profiles.select("profile_id").join(totals, on="profile_id", how="left", maintain_order="left")
    held_twice = distinct.filter(pl.len().over(key) > 1)
    shared: dict[str, set[tuple[str, str]]] = {}
    for profile_id, type_name, unique_key in held_twice.select("profile_id", *key).iter_rows():
        shared.setdefault(profile_id, set()).add((type_name, unique_key))
    nothing: frozenset[tuple[str, str]] = frozenset()
    return (
        joined["objects"].fill_null(0).to_list(),
        joined["size"].fill_null(0).to_list(),
        [frozenset(shared[i]) if i in shared else nothing for i in joined["profile_id"].to_list()],
    )


def object_count(members: Sequence[Member]) -> int:
    """Objects of all members together; one that several hold (same type and key) counts once."""
    total = sum([m.objects for m in members])
    if not total:
        return 0
    shared = [key for m in members for key in m.shared_objects]
    return total - (len(shared) - len(set(shared)))


def size_in_kb(members: Sequence[Member]) -> float:
    """Size of all objects of the members together, in KB of JSON text."""
    return sum([m.size for m in members]) / _KB
