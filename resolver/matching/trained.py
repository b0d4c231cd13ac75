"""A model as it was learned from one file, kept so that the same answer can be given again, or for a part.

All that a run takes from the file as a whole is in here: parameters, frequencies, the blocking keys and how
large their blocks may be, parts of the file, how values are read. With it an answer depends on each profile's
own neighbourhood alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.blocking import row_bits
from resolver.matching.columns import Column, columns_named
from resolver.matching.frequency import bins_of, entities_with
from resolver.matching.keys import keys_of
from resolver.matching.passes import View
from resolver.matching.strata import Strata
from resolver.matching.tokens import KnownValues
from resolver.model.standardised import Kind, Standardised, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from resolver.matching.keys import Key
    from resolver.matching.parameters import Parameters
    from resolver.matching.results import Answer
    from resolver.matching.standardising.context import Context
    from resolver.matching.values import Array
    from resolver.model.rule_set import RuleSet


#: Tests that weigh words by how many values hold them.
_WEIGH_WORDS: Final = frozenset({"shared_words", "words_contained"})


@dataclass(frozen=True, eq=False)
class Frequencies:
    """Bins of one column's values at first and at last.

    ``words`` (sorted, see ``Column.whole_words``) are the values with a bin of their own; all others, and
    those never seen, have ``usual``.
    """

    words: Array
    first: Array
    last: Array
    usual: tuple[int, int]

    def of(self, column: Column) -> tuple[Array, Array]:
        """The bins per whole value of a column, at first and at last."""
        wanted = column.whole_words
        out = (np.full(len(wanted), self.usual[0], np.uint8), np.full(len(wanted), self.usual[1], np.uint8))
        if len(self.words):
            at = np.minimum(np.searchsorted(self.words, wanted), len(self.words) - 1)
            known = self.words[at] == wanted
            out[0][known], out[1][known] = self.first[at[known]], self.last[at[known]]
        return out


@dataclass(frozen=True, eq=False)
class Trained:
    """A learned model.

    ``start`` says which candidates are hopeless, ``model`` what pairs weigh; ``columns`` and ``fields`` are
    names. ``keys`` are names with the largest block of each, None where every pair is compared. ``bits`` is
    how many bits row numbers take in blocks.
    """

    profiles: int
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    context: Context
    start: Parameters
    model: Parameters
    keys: tuple[tuple[str, int], ...] | None
    bits: int
    parts: tuple[str, ...]
    present: tuple[tuple[bool, ...], ...]
    known: Mapping[str, KnownValues]
    frequencies: tuple[Frequencies, ...]

    def columns_of(self, rules: RuleSet, standardised: Standardised) -> tuple[Column, ...]:
        """The model's columns over profiles standardised in its context, whatever they hold."""
        there = dict(standardised.fields)
        kinds = {f"attribute:{name}": kind for name, kind in self.context.attributes.items()}
        for name in {*self.fields, *self.columns} - there.keys():
            there[name] = _nothing(name, kinds.get(name, Kind.PLACE), standardised.profiles)
        return columns_named(rules, there, {name: self.known.get(name) for name in self.columns})

    def fields_of(self, standardised: Standardised) -> Standardised:
        """The fields that order the profiles."""
        kept = {name: field for name, field in standardised.fields.items() if name in self.fields}
        return Standardised(standardised.profiles, kept)

    def views(self, columns: tuple[Column, ...]) -> tuple[View, View]:
        """What the first pass and the last take as known, of profiles with these columns."""
        profiles = len(columns[0].whole)
        both = [own.of(column) for own, column in zip(self.frequencies, columns, strict=True)]
        strata = self.strata(np.stack([column.known for column in columns], axis=1))
        first, last = (
            View(
                columns,
                tuple(bins[k] for bins in both),
                np.empty(0, np.uint64),
                np.empty((len(columns), 0), np.uint8),
                np.zeros((len(columns), 256), np.intp),
                replace(model, profiles=profiles),
                strata,
            )
            for k, model in enumerate((self.start, self.model))
        )
        return first, last

    def strata(self, known: Array) -> Strata:
        """The parts of profiles by which columns (second axis) each has."""
        part = np.zeros(len(known), np.uint8)
        for number, words in enumerate(self.parts):
            here = np.ones(len(known), bool)
            for word in filter(None, words.split(", ")):
                has, _, name = word.partition(" ")
                here &= known[:, self.columns.index(name)] == (has == "with")
            part[here] = number
        return Strata.of_parts(part, self.parts, np.array(self.present, bool))

    def keys_of(self, columns: Sequence[Column]) -> list[Key]:
        """The model's blocking keys over these columns."""
        there = {key.name: key for key in keys_of(columns, small=True)}
        return [there[name] for name, _ in self.keys or ()]


def _nothing(name: str, kind: Kind, profiles: int) -> StandardisedField:
    """A field that no profile has."""
    nothing = pl.DataFrame({"text": [""]}, schema={"text": pl.String})
    return StandardisedField(name, kind, np.zeros((profiles, 1), np.uint32), nothing)


def trained_by(answer: Answer, rules: RuleSet) -> Trained:
    """The model of a run that has learned it."""
    view, learned, candidates = answer.view, answer.learned, answer.candidates
    keys = tuple(zip(candidates.names, candidates.allowed, strict=True)) if candidates.allowed else None
    rarities = [[column.rarity for column in model.columns] for model in (learned.model, view.model)]
    frequencies = tuple(
        _frequencies(column, (learned.bins[k], view.bins[k]), usual)
        for k, (column, usual) in enumerate(zip(view.columns, _usual(rules, view, rarities), strict=True))
    )
    return Trained(
        view.model.profiles,
        learned.fields,
        tuple(column.name for column in view.columns),
        learned.context,
        learned.model,
        view.model,
        keys,
        row_bits(view.model.profiles),
        view.strata.names,
        tuple(tuple(row) for row in view.strata.present.tolist()),
        {column.name: known for column in view.columns if (known := _known(column)) is not None},
        frequencies,
    )


def _usual(rules: RuleSet, view: View, rarities: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """The bins at first and at last of a value that one entity has, per column."""
    step = rules.estimation.frequency_step
    one = np.ones(1)
    return [
        (
            int(bins_of(one, entities_with(column, None), first, step)[0]),
            int(bins_of(one, entities_with(column, view.entity), last, step)[0]),
        )
        for column, first, last in zip(view.columns, *rarities, strict=True)
    ]


def _frequencies(column: Column, bins: tuple[Array, Array], usual: tuple[int, int]) -> Frequencies:
    at = np.flatnonzero((bins[0] != usual[0]) | (bins[1] != usual[1]))
    words = column.whole_words[at]
    at, words = at[words > 0], words[words > 0]
    order = np.argsort(words, kind="stable")
    return Frequencies(words[order], bins[0][at[order]], bins[1][at[order]], usual)


def _known(column: Column) -> KnownValues | None:
    """What comparing values takes from their vocabulary as a whole."""
    values = column.values[0]
    if values.kind is Kind.DATE:
        return KnownValues(len(values.text), {}, values.vague_days)
    if not _WEIGH_WORDS & {test for level in column.comparison.rising for test in level.when}:
        return None
    tokens = values.tokens
    often = np.flatnonzero(tokens.seen > 1)
    words = dict(zip(tokens.words.gather(often).to_list(), tokens.seen[often].tolist(), strict=True))
    return KnownValues(len(values.text), words, ())
