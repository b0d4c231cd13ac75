"""``plan_group`` for many groups at once, as rows of a PLANS frame: columns for what every group needs.

Whatever is rare is left to the careful path; a property test holds the two to the same plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from resolver.model.frames import FIELD_CHOICES, Band, empty
from resolver.model.merge_plan import MAX_MERGED_PER_STEP
from resolver.model.profile import ADDRESSES
from resolver.planning.bands import MAX_PROFILE_BYTES
from resolver.planning.board import Board
from resolver.planning.cells import Column, cannot_be_steered, cells_of, columns_of, raw_texts
from resolver.planning.choice_columns import choose_all
from resolver.planning.concluded import Concluded
from resolver.planning.fates import GIVEN_UP, dispose_all, survivors
from resolver.planning.groups import FILL
from resolver.planning.json_columns import SPACED, address_parts, json_of_blocks
from resolver.planning.main_columns import choose_mains
from resolver.planning.plan_table import PLANS, SCHEMA_VERSION
from resolver.planning.plan_texts import Texts, write_texts
from resolver.planning.reason_columns import reasons_of
from resolver.planning.sheet import make_sheet, plain_groups, seat

if TYPE_CHECKING:
    from resolver.planning.group_plan import Planner
    from resolver.planning.sheet import Bools, Ints, Seats, Sheet

#: Groups that are planned at a time: their columns are all that is held in memory beside the plans.
BATCH = 50_000


@dataclass(frozen=True)
class Drawn:
    """What became of a batch: rows of a PLANS frame and of a FIELD_CHOICES frame, and which groups they are.

    ``done`` by group of the batch: whether it is among them. Rows stand in the order of the groups.
    """

    table: pl.DataFrame
    field_choices: pl.DataFrame
    done: Bools


def takes_columns(planner: Planner) -> bool:
    """Whether columns may plan by these rules: not where displaced values are written into fields."""
    preservation = planner.rules.preservation
    return not preservation.free_slots and preservation.attribute_prefix is None


def plan_columns(planner: Planner, profiles: pl.DataFrame, groups: pl.DataFrame, rows: Ints) -> Drawn:
    """The plans of those GROUPS that columns may plan; ``rows``: their members' rows in ``profiles``."""
    present, places = np.unique(rows, return_inverse=True)
    members = profiles[present]
    objects = planner.facts.objects.join(members.select("profile_id"), on="profile_id", how="semi")
    sheet = make_sheet(members, planner.survivorship, objects)
    seats = seat(groups["profile_ids"].list.len().to_numpy().astype(np.int64), places.astype(np.int64))
    limits = planner.rules.merging, MAX_MERGED_PER_STEP + 1
    done = plain_groups(sheet, seats, limits, planner.references)
    seats = seats.only(done)
    columns = columns_of(sheet, seats)
    steered = ~cannot_be_steered(columns, seats)
    if not steered.all():
        done[done] = steered
        seats = seats.only(steered)
        columns = columns_of(sheet, seats)
    if not seats.groups:
        return Drawn(empty(PLANS), empty(FIELD_CHOICES), done)
    concluded = _conclude(planner, groups.filter(pl.Series(done)), (sheet, seats, columns))
    texts = write_texts(concluded, planner)
    small = (texts.predicted.str.len_bytes() <= MAX_PROFILE_BYTES).to_numpy()
    done[done] = small
    table = _table(planner, concluded, texts)
    choices = _field_choices(concluded, small)
    return Drawn(table if small.all() else table.filter(pl.Series(small)), choices, done)


def _conclude(planner: Planner, groups: pl.DataFrame, where: tuple[Sheet, Seats, list[Column]]) -> Concluded:
    sheet, seats, columns = where
    rules = planner.survivorship
    main, reason = choose_mains(columns, sheet, seats, rules)
    board = Board(sheet, seats, columns, main, rules, planner.rules.preservation.search_keys)
    cells = cells_of(board)
    choices = choose_all(cells, board)
    survivor = survivors(cells, choices, board)
    fates = dispose_all(cells, choices, survivor, board)
    return Concluded(groups, board, reason, cells, choices, survivor, fates)


def _table(planner: Planner, concluded: Concluded, texts: Texts) -> pl.DataFrame:
    """The PLANS rows of all groups, ``after`` left empty."""
    groups, seats, fates = concluded.groups, concluded.board.seats, concluded.fates
    given_up = fates.cell[fates.outcome >= GIVEN_UP]
    reasons = reasons_of(planner, concluded)
    band = pl.select(
        pl.when(reasons.list.len() > 0).then(pl.lit("review")).otherwise(groups["band"])
    ).to_series()
    values = {
        "schema_version": pl.repeat(SCHEMA_VERSION, groups.height, dtype=pl.UInt16, eager=True),
        "plan_id": texts.plan_id,
        "cluster_id": groups["cluster_id"],
        "band": band.cast(Band),
        "main_profile_id": texts.main_id,
        "main_reason": concluded.main_reason,
        "merged_profile_ids": texts.merged_ids,
        "reasons": reasons,
        "second_opinion": groups["opinion"],
        "after": pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, groups.height),
        "object_count": pl.Series(seats.sum(concluded.board.sheet.objects[seats.row]), dtype=pl.UInt32),
        "given_up": pl.Series(
            np.bincount(concluded.cells.group[given_up], minlength=groups.height), dtype=pl.UInt32
        ),
        "domain_name": pl.repeat(planner.facts.domain_name, groups.height, dtype=pl.String, eager=True),
        "rule_set_fingerprint": pl.repeat(planner.fingerprint, groups.height, dtype=pl.String, eager=True),
        "steps": texts.steps,
        "field_choices": texts.field_choices,
        "predicted": texts.predicted,
        "disposals": texts.disposals,
        "fingerprints": texts.fingerprints,
        "post_steps": texts.post_steps,
    }
    return pl.DataFrame({name: values[name].alias(name) for name in PLANS.columns})


def _field_choices(concluded: Concluded, small: Bools) -> pl.DataFrame:
    """FIELD_CHOICES rows of the last group of each cluster, in no order."""
    golden = concluded.groups["golden"].to_numpy() & small
    cells, choices = concluded.cells, concluded.choices
    segment = np.flatnonzero(golden[cells.group[cells.begin]])
    winner, fields = choices.winner[segment], pl.Series(cells.fields, dtype=pl.String)
    source = choices.source[segment]
    parts = [
        _choice_rows(
            concluded,
            (cells.group[winner], fields.gather(cells.field[winner]), source),
            _values(concluded, cells.field[winner], cells.source[winner]),
            choices.rule.gather(segment),
        )
    ]
    for number, column in enumerate(concluded.survivor.columns.values()):
        there = np.flatnonzero(golden & (column.first >= 0) & ~column.disputed)
        at = column.first[there]
        of_main = np.zeros(len(concluded.board.seats.row), np.bool_)
        of_main[
            column.seat[concluded.board.main[concluded.board.seats.group[column.seat]] == column.seat]
        ] = True
        blank = ~of_main[concluded.board.main[there]]
        there, at = there[blank], at[blank]
        names = pl.repeat(column.field, len(there), dtype=pl.String, eager=True)
        numbers = np.full(len(there), number, np.int64)
        rule = pl.repeat(FILL, len(there), dtype=pl.String, eager=True)
        values = _values(concluded, numbers, column.source[at])
        parts.append(_choice_rows(concluded, (there, names, column.seat[at]), values, rule))
    return pl.concat(parts)


def _choice_rows(
    concluded: Concluded, where: tuple[Ints, pl.Series, Ints], values: pl.Series, rule: pl.Series
) -> pl.DataFrame:
    group, fields, source = where
    return pl.DataFrame(
        {
            "cluster_id": concluded.groups["cluster_id"].gather(group),
            "field": fields,
            "source_profile_id": concluded.board.sheet.ids.gather(concluded.board.seats.row[source]),
            "value": values,
            "strategy": rule,
        },
        schema=FIELD_CHOICES.columns,
    )


def _values(concluded: Concluded, field: Ints, source: Ints) -> pl.Series:
    """Values as FIELD_CHOICES holds them, by field and row of it."""
    texts = pl.Series([None], dtype=pl.String).new_from_index(0, len(field))
    for number in np.unique(field):
        at = np.flatnonzero(field == number)
        name = concluded.cells.fields[number]
        if name in ADDRESSES:
            parts = address_parts(concluded.board.sheet.profiles, name)
            values = json_of_blocks({p: t.gather(source[at]) for p, t in parts.items()}, SPACED)
        else:
            values = raw_texts(concluded.board.sheet, name).gather(source[at])
        texts = texts.scatter(at, values)
    return texts
