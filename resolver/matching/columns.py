"""A rule set's comparisons laid over the fields of one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import gathering, library
from resolver.matching.sorting import dense_ranks
from resolver.matching.values import Values
from resolver.model.rule_set import EVERY_CATEGORY, EVERY_IDENTIFIER
from resolver.model.standardised import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from resolver.matching.tokens import KnownValues
    from resolver.matching.values import Array
    from resolver.model.reference import Reference
    from resolver.model.rule_set import Comparison, RuleSet
    from resolver.model.standardised import Standardised, StandardisedField

#: Every field that standardising can give; a comparison names some of them.
FIELDS: Final = (
    *(
        "first_name",
        "middle_name",
        "last_name",
        "name_suffix",
        "birth_date",
        "phone",
        "email",
        "business_name",
    ),
    *("house_number", "street", "unit", "city", "county", "state", "postal_code", "country"),
    *("gender", "party_type", "account_number", EVERY_IDENTIFIER, EVERY_CATEGORY),
)


_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Column:
    """One comparison on this file.

    ``codes`` holds one UInt32 array (profiles, slots) per field of the comparison; ``whole`` (profiles,
    slots) codes of all its fields together, 0 unless every field is known: equal wholes are the top level.
    ``wholes`` is the number of different ones, 0 included.
    """

    name: str
    comparison: Comparison
    values: tuple[Values, ...]
    codes: tuple[Array, ...]
    whole: Array
    wholes: int

    @property
    def top(self) -> int:
        """The level index of equality."""
        return len(self.comparison.levels) - 1

    def equal_bytes(self, bins: Array) -> Array:
        """The byte of two equal values, per whole value: the top level with its bin of frequency.

        Equal single letters agree in the initial only, where the comparison has a level for that.
        """
        out = (1 + self.top + bins).astype(np.uint8)
        if self.comparison.initials is not None and len(out) == len(self.values[0].length):
            single = self.values[0].length == 1
            out[single] = 1 + self.comparison.index(self.comparison.initials)
        return out

    @cached_property
    def whole_words(self) -> Array:
        """A word per whole value, equal for equal values in every file; 0 for the unknown one."""
        if self.values[0].kind == Kind.BUSINESS:
            values = self.values[0]
            out = np.zeros(self.wholes, np.uint64)
            out[values.squeezed] = values.coded(values.text.str.replace_all(" ", "", literal=True))
            return out
        if len(self.codes) == 1:
            return self.values[0].coded(self.values[0].text)
        if not self.whole.size:
            return np.zeros(self.wholes, np.uint64)
        example = np.zeros(self.wholes, np.int64)
        example[self.whole.ravel()] = np.arange(self.whole.size)
        out = np.zeros(self.wholes, np.uint64)
        for codes, values in zip(self.codes, self.values, strict=True):
            out = (out * _MIX) ^ values.coded(values.text)[codes.ravel()[example]]
            out ^= out >> np.uint64(31)
        out |= np.uint64(1)
        out[0] = 0
        return out

    def forget_tables(self) -> None:
        """Free what was derived of values to compare pairs and count; it is derived again when asked for."""
        for values in self.values:
            values.forget_tables()
        for name in ("shared", "times", "whole_words"):
            self.__dict__.pop(name, None)

    def forget_presence(self) -> None:
        """Free ``known`` and ``complete``, a byte a profile each; they are derived again when asked for."""
        for name in ("known", "complete"):
            self.__dict__.pop(name, None)

    @property
    def slots(self) -> int:
        """Values that one profile may have."""
        return self.whole.shape[1]

    @cached_property
    def times(self) -> Array:
        """How often each whole value stands in the file; of 0 how often none does."""
        if library.there():
            return gathering.code_counts(self.whole, self.wholes)
        return np.bincount(self.whole.ravel(), minlength=self.wholes).astype(np.int32)

    @cached_property
    def shared(self) -> tuple[Array, Array]:
        """Whole values of two profiles or more, and 64 bits a word that say which they are."""
        more = np.zeros((self.wholes // 64 + 1) * 64, bool)
        np.greater(self.times, 1, out=more[: self.wholes])
        more[0] = False
        return np.flatnonzero(more).astype(np.uint32), np.packbits(more, bitorder="little").view("<u8")

    @cached_property
    def complete(self) -> Array:
        """Which profiles have a whole value."""
        if len(self.codes) == 1:
            return self.known
        out = self.whole[:, 0] > 0
        for slot in range(1, self.slots):
            out |= self.whole[:, slot] > 0
        return out

    @cached_property
    def known(self) -> Array:
        """Which profiles have any value to compare."""
        out = np.zeros(len(self.whole), bool)
        for codes in self.codes:
            for slot in range(codes.shape[1]):
                out |= codes[:, slot] > 0
        return out


def columns_of(rules: RuleSet, standardised: Standardised) -> tuple[Column, ...]:
    """The comparisons of the rule set that this file has fields for, in the rule set's order.

    A comparison of every attribute of a kind becomes one column per attribute, by name. Attributes that
    repeat an earlier field value for value are left out: a copied column is not a second piece of evidence.
    """
    fields = standardised.fields
    out: list[Column] = []
    attributes: list[StandardisedField] = []
    for comparison in rules.comparisons:
        if comparison.fields in ((EVERY_IDENTIFIER,), (EVERY_CATEGORY,)):
            kind = Kind.IDENTIFIER if comparison.fields == (EVERY_IDENTIFIER,) else Kind.CATEGORY
            for name in sorted(n for n in fields if n.startswith("attribute:") and fields[n].kind == kind):
                others = [fields[n] for n in fields if not n.startswith("attribute:")] + attributes
                if not any(_same_partition(fields[name], other) for other in others):
                    attributes.append(fields[name])
                    out.append(_column(name, comparison, [fields[name]], rules.reference))
        elif all(name in fields for name in comparison.fields[-1:]):
            there = [fields.get(name) for name in comparison.fields]
            if None in there:
                continue
            present = [f for f in there if f is not None]
            out.append(_column(comparison.name, comparison, present, rules.reference))
    return tuple(out)


def columns_named(
    rules: RuleSet,
    fields: Mapping[str, StandardisedField],
    known: Mapping[str, KnownValues | None],
) -> tuple[Column, ...]:
    """The columns of those names (as ``known`` lists them), with what is known of their values as a whole.

    They are there even if no profile has them: the profiles are a part of a file that did.
    """
    comparisons = {comparison.name: comparison for comparison in rules.comparisons}
    every = {comparison.fields: comparison for comparison in rules.comparisons}
    out = []
    for name, values in known.items():
        if name.startswith("attribute:"):
            wildcard = EVERY_IDENTIFIER if fields[name].kind == Kind.IDENTIFIER else EVERY_CATEGORY
            column = _column(name, every[(wildcard,)], [fields[name]], rules.reference)
        else:
            comparison = comparisons[name]
            column = _column(name, comparison, [fields[n] for n in comparison.fields], rules.reference)
        first = replace(column.values[0], known=values)
        out.append(replace(column, values=(first, *column.values[1:])))
    return tuple(out)


def _column(
    name: str, comparison: Comparison, fields: Sequence[StandardisedField], reference: Reference
) -> Column:
    codes = tuple(np.ascontiguousarray(field.codes) for field in fields)
    values = tuple(Values.of(field, reference) for field in fields)
    if values[0].kind == Kind.BUSINESS:  # names that differ in spaces only are one name
        squeezed = values[0].squeezed
        return Column(name, comparison, values, codes, squeezed[codes[0]], int(squeezed.max(initial=0)) + 1)
    if len(codes) == 1:
        return Column(name, comparison, values, codes, codes[0], len(fields[0].vocabulary))
    joint = np.zeros(codes[0].shape, np.uint64)
    complete = np.ones(codes[0].shape, bool)
    for part, field in zip(codes, fields, strict=True):
        joint = joint * np.uint64(len(field.vocabulary)) + part
        complete &= part > 0
    whole_of, examples = dense_ranks(joint[complete])
    whole = np.zeros(codes[0].shape, np.uint32)
    whole[complete] = (whole_of + 1).astype(np.uint32)
    return Column(name, comparison, values, codes, whole, len(examples) + 1)


def _same_partition(one: StandardisedField, other: StandardisedField) -> bool:
    """Whether the two fields tell profiles apart in exactly the same way."""
    if one.codes.shape[1] != 1 or other.codes.shape[1] != 1:
        return False
    a, b = one.codes[:, 0], other.codes[:, 0]
    if not np.array_equal(a > 0, b > 0):
        return False
    kinds = len(np.unique(a))
    if kinds != len(np.unique(b)):
        return False
    joint = (a.astype(np.uint64) << np.uint64(32)) | b
    return len(np.unique(joint)) == kinds


def slot_pairs(column: Column) -> Iterator[tuple[int, int]]:
    """Every slot of one side with every slot of the other."""
    for i in range(column.slots):
        for j in range(column.slots):
            yield i, j
