"""Blocking keys: tuples of parts of values; profiles that agree on a key are compared.

A key is cheap to state and costs nothing until it is evaluated: words of hash and row number, one sort.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

import numpy as np

from resolver.compiled import blocking, library
from resolver.matching.key_parts import categories_of, identifiers_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.key_parts import Part
    from resolver.matching.values import Array

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_AGAIN: Final = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, eq=False)
class Key:
    """A blocking key: profiles that agree on every part are candidates."""

    parts: tuple[Part, ...]
    always: bool = False

    @property
    def name(self) -> str:
        """The parts' names, joined by " + "."""
        return " + ".join(part.name for part in self.parts)

    @property
    def one_block(self) -> bool:
        """Whether a profile stands in one block of the key at most."""
        return all(part.alternatives == 1 for part in self.parts)

    def words(self, bits: int) -> Array:
        """Words (hash << bits | row) of every complete combination of alternatives."""
        if library.there():
            turns = product(*(range(part.alternatives) for part in self.parts))
            found = [
                blocking.key_words([p.passed(turn) for p, turn in zip(self.parts, own, strict=True)], bits)
                for own in turns
            ]
            return found[0] if len(found) == 1 else np.concatenate(found)
        hashes, owner = self.hashes()
        return (hashes << np.uint64(bits)) | owner.astype(np.uint64)

    def hashes(self) -> tuple[Array, Array]:
        """Hash and profile of every complete combination of alternatives."""
        hashes, owners = [], []
        for turns in product(*(range(part.alternatives) for part in self.parts)):
            rows = self.parts[0].known(turns[0])
            mixed = np.zeros(len(rows), np.uint64)
            for part, turn in zip(self.parts, turns, strict=True):
                word = part.word(turn, rows)
                there = np.flatnonzero(word)
                if len(there) < len(rows):  # what lacks a part is not looked at again
                    word, rows, mixed = word[there], rows[there], mixed[there]
                mixed = _mixed(mixed ^ word)
            hashes.append(mixed)
            owners.append(rows)
        return np.concatenate(hashes), np.concatenate(owners)


def _mixed(words: Array) -> Array:
    words = (words ^ (words >> np.uint64(31))) * _MIX
    return (words ^ (words >> np.uint64(29))) * _MIX_AGAIN


#: Keys of one part that are always used: values handed out once, and a whole address.
ALWAYS: Final = ("phone", "e-mail", "address")

#: Further keys of one part.
SINGLE: Final = (
    *(
        "last 7 digits of phone",
        "digits of e-mail",
        "postal code",
        "birth date",
        "a name",
        "first and last name",
    ),
    *("business name", "start of business name", "end of business name"),
)

#: Further pairs of parts.
PAIRS: Final = (
    ("house number", "start of street"),
    ("first initial", "last name"),
    ("first name", "last initial"),
    ("first name", "last name less a letter"),
    ("first name less a letter", "last name"),
    ("start of first name", "start of last name"),
    *product(("birth date", "birth year"), ("city", "postal code", "street")),
    *product(
        ("business name", "first letters of business name", "word of business name"),
        ("city", "postal code", "street"),
    ),
    *product(("address",), ("city", "postal code")),
)

#: Names beside each of these; a name with a birth date is always used.
BESIDE_A_NAME: Final = (
    *("birth date", "birth year", "birth day", "city", "postal code", "postal area", "street"),
)

#: A name that may be misspelt needs company that few share.
BESIDE_A_MISSPELT_NAME: Final = (
    "birth date",
    "birth year",
    "birth day",
    "city",
    "postal code",
    "postal area",
)

#: Fields that say little alone: every two of them, alone and with an initial, and every three.
WEAK: Final = (
    "birth year",
    "birth day",
    "street",
    "city",
    "postal code",
    "postal area",
    "state",
    "country",
    "unit",
)


def keys_of(columns: Sequence[Column], *, small: bool) -> list[Key]:
    """Every key that this file's fields allow, each once. Some are for ``small`` files only."""
    parts = parts_of(columns)
    identifiers = [column.name for column in identifiers_of(columns)]
    categories = [column.name for column in categories_of(columns)]
    keys: dict[str, Key] = {}
    for names, always in _stated(identifiers, categories, small=small):
        if all(name in parts for name in names):
            key = Key(tuple(parts[name] for name in names), always)
            keys.setdefault(key.name, key)
    return list(keys.values())


def _stated(
    identifiers: Sequence[str], categories: Sequence[str], *, small: bool
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """All keys as tuples of part names, and whether they are always used."""
    for name in (*ALWAYS, *identifiers):
        yield (name,), True
    for name in SINGLE:
        yield (name,), False
    for name in identifiers:
        yield (f"first half of {name}",), False
        yield (f"second half of {name}",), False
    yield from _named(categories, small=small)
    if small:
        yield ("word of business name",), False
        yield ("acronym of business name",), False
    for names in PAIRS:
        yield names, False
    weak = (*WEAK, *categories)
    for two in combinations(weak, 2):
        yield two, False
        yield (*two, "first initial"), False
    for three in combinations(weak, 3):
        yield three, False


def _named(categories: Sequence[str], *, small: bool) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Keys of a name and something else."""
    for beside in (*BESIDE_A_NAME, *categories):
        yield ("a name", beside), beside == "birth date"
        yield ("start of a name", beside), False
        if small:
            yield ("sound of a name", beside), False
    if small:
        for beside in (*BESIDE_A_MISSPELT_NAME, *categories):
            yield ("last name less a letter", beside), False
            yield ("first name less a letter", beside), False
