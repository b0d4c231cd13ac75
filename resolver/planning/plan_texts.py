"""The JSON columns of a PLANS frame, and the plans' ids, from what columns concluded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.model.survivorship_policy import ATTRIBUTE_PREFIX
from resolver.planning.conservation import KEY_OF
from resolver.planning.fates import ADDED, OUTCOMES
from resolver.planning.fingerprint import hash_texts
from resolver.planning.identity import ID_DIGITS
from resolver.planning.json_columns import (
    CANONICAL,
    between,
    join_texts,
    json_of_objects,
    quoted,
    spell,
)

if TYPE_CHECKING:
    from resolver.planning.concluded import Concluded
    from resolver.planning.group_plan import Planner
    from resolver.planning.sheet import Bools, Ints


@dataclass(frozen=True)
class Texts:
    """By group: the plan's id, ids of its profiles, and the JSON columns of PLANS."""

    plan_id: pl.Series
    main_id: pl.Series
    merged_ids: pl.Series
    steps: pl.Series
    field_choices: pl.Series
    predicted: pl.Series
    disposals: pl.Series
    fingerprints: pl.Series
    post_steps: pl.Series


@dataclass(frozen=True)
class _Seating:
    """Ids by seat, raw and as JSON, and the seats that are merged away."""

    ids: pl.Series
    json: pl.Series
    fingerprints: pl.Series
    merged: Ints
    group: Ints
    groups: int

    def join(self, texts: pl.Series, group: Ints, separator: str) -> pl.Series:
        """Texts by group, joined; blank where there are none."""
        return join_texts(texts, pl.Series(group), self.groups, separator).fill_null("")


def write_texts(concluded: Concluded, planner: Planner) -> Texts:
    """All texts of the batch."""
    seats, sheet = concluded.board.seats, concluded.board.sheet
    by_main = np.zeros(len(seats.row), np.bool_)
    by_main[concluded.board.main] = True
    seating = _Seating(
        sheet.ids.gather(seats.row),
        quoted(sheet.ids).gather(seats.row),
        sheet.fingerprints.gather(seats.row),
        np.flatnonzero(~by_main),
        seats.group,
        seats.groups,
    )
    rows = seats.groups
    choices = _choices(concluded, seating)
    segments = concluded.cells.group[concluded.cells.begin]
    sent = concluded.choices.source != concluded.board.main[segments]
    sent_choices = seating.join(choices.filter(pl.Series(sent)), segments[sent], ",")
    merged_group = seating.group[seating.merged]
    merged_json = seating.join(seating.json.gather(seating.merged), merged_group, ",")
    post_steps, requests = _post_steps(concluded, seating)
    members = spell((seating.json, ":", between('"', seating.fingerprints, '"')), len(seating.json))
    displaced = concluded.cells.group[concluded.fates.cell]
    main_id = seating.ids.gather(concluded.board.main)
    return Texts(
        _plan_ids(concluded, planner, seating, (sent, requests)),
        main_id,
        _merged_lists(seating),
        spell(('[{"field_choices":[', sent_choices, '],"merged_profile_ids":[', merged_json, "]}]"), rows),
        between("[", seating.join(choices, segments, ","), "]"),
        _predicted(concluded, seating),
        between("[", seating.join(_disposals(concluded, seating), displaced, ","), "]"),
        between("{", seating.join(members, seating.group, ","), "}"),
        between("[", post_steps, "]"),
    )


def _merged_lists(seating: _Seating) -> pl.Series:
    """The merged profiles' ids, by group; every group has some."""
    frame = pl.DataFrame(
        {
            "group": pl.Series(seating.group[seating.merged]).set_sorted(),
            "id": seating.ids.gather(seating.merged),
        }
    )
    return frame.group_by("group", maintain_order=True).agg("id")["id"]


def _choices(concluded: Concluded, seating: _Seating) -> pl.Series:
    """The choice of each segment, as JSON."""
    cells, choices = concluded.cells, concluded.choices
    fields = quoted(pl.Series(cells.fields, dtype=pl.String))
    pieces = (
        '{"field":',
        fields.gather(cells.field[choices.winner]),
        ',"source_profile_id":',
        seating.json.gather(choices.source),
        ',"strategy":"',
        choices.rule,
        '","value":',
        cells.json.gather(choices.winner),
        "}",
    )
    return spell(pieces, len(choices.winner))


def _disposals(concluded: Concluded, seating: _Seating) -> pl.Series:
    """The fate of each displaced value, as JSON."""
    cells, fates = concluded.cells, concluded.fates
    fields = quoted(pl.Series(cells.fields, dtype=pl.String))
    fate = pl.Series([fate for fate, _ in OUTCOMES]).gather(fates.outcome)
    reason = pl.Series([reason for _, reason in OUTCOMES]).gather(fates.outcome)
    pieces = (
        '{"fate":"',
        fate,
        '","field":',
        fields.gather(cells.field[fates.cell]),
        ',"profile_id":',
        seating.json.gather(cells.seat[fates.cell]),
        ',"reason":"',
        reason,
        '","target":',
        between('"', fates.target, '"').fill_null("null"),
        ',"value":',
        cells.json.gather(fates.cell),
        "}",
    )
    return spell(pieces, len(fates.cell))


def _predicted(concluded: Concluded, seating: _Seating) -> pl.Series:
    """The profile after the merge, as canonical JSON."""
    everyone = np.arange(seating.groups)
    members = {"ProfileId": seating.json.gather(concluded.board.main)}
    attributes = {}
    for field in concluded.survivor.columns:
        values = concluded.survivor.json(field, everyone)
        if field.startswith(ATTRIBUTE_PREFIX):
            attributes[field.removeprefix(ATTRIBUTE_PREFIX)] = values
        else:
            members[field] = values
    if attributes:
        members["Attributes"] = json_of_objects(dict(sorted(attributes.items())), CANONICAL)
    return json_of_objects(dict(sorted(members.items())), CANONICAL)


def _post_steps(concluded: Concluded, seating: _Seating) -> tuple[pl.Series, pl.Series]:
    """By group: the added search keys as JSON, and as lines of the plan's id."""
    cells, fates = concluded.cells, concluded.fates
    added = fates.cell[fates.outcome == ADDED]
    keys = sorted(set(KEY_OF.values()))
    key_of_field = np.array([keys.index(KEY_OF[f]) if f in KEY_OF else -1 for f in cells.fields], np.int64)
    values = pl.DataFrame(
        {
            "key": cells.group[added] * len(keys) + key_of_field[cells.field[added]],
            "json": cells.json.gather(added),
        },
        schema={"key": pl.Int64, "json": pl.String},
    ).unique()
    alone = values.filter(pl.col("key").is_unique())
    several = values.filter(~pl.col("key").is_unique()).group_by("key").agg("json")
    lists = [",".join(sorted(texts, key=_unquoted)) for texts in several["json"].to_list()]
    joined = pl.concat([alone, several.select("key", pl.Series("json", lists, pl.String))]).sort("key")
    group = joined["key"].to_numpy() // len(keys)
    name = pl.Series(keys).gather(joined["key"].to_numpy() % len(keys))
    pieces = (
        '{"KeyName":"',
        name,
        '","ProfileId":',
        seating.json.gather(concluded.board.main[group]),
        ',"Values":[',
        joined["json"],
        "]}",
    )
    requests = spell(pieces, joined.height)
    steps = between('{"operation":"add_profile_key","request":', requests, "}")
    lines = between("\nadd_profile_key ", requests, "")
    return seating.join(steps, group, ","), seating.join(lines, group, "")


def _unquoted(text: str) -> str:
    """For the order of values: that of the texts, not of their JSON."""
    return str(json.loads(text)) if "\\" in text else text[1:-1]


def _plan_ids(
    concluded: Concluded, planner: Planner, seating: _Seating, told: tuple[Bools, pl.Series]
) -> pl.Series:
    """``identify`` of every group."""
    sent, requests = told
    cells, choices = concluded.cells, concluded.choices
    segments = np.flatnonzero(sent)
    fields = pl.Series(cells.fields, dtype=pl.String).gather(cells.field[choices.winner[segments]])
    donors = seating.ids.gather(choices.source[segments])
    lines = (
        f"{planner.facts.domain_name or ''}\n{planner.fingerprint}\n",
        concluded.groups["cluster_id"],
        "\n",
        seating.ids.gather(concluded.board.main),
        seating.join(
            spell(("\n", seating.ids, " ", seating.fingerprints), len(seating.ids)), seating.group, ""
        ),
        "\n",
        seating.join(seating.ids.gather(seating.merged), seating.group[seating.merged], " "),
        seating.join(
            spell(("\n", donors, " ", fields), len(segments)), cells.group[choices.winner[segments]], ""
        ),
        requests,
    )
    return pl.Series(hash_texts(spell(lines, seating.groups)), dtype=pl.String).str.slice(0, ID_DIGITS)
