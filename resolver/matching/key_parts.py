"""What blocking keys are made of: parts of values as codes, computed once per distinct value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.model.standardised import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array, Values

    Table = Callable[[Values], Array]
    _Few = Callable[[Values], tuple[Values, Array]]

#: Words and letters per value that a part may use; names and company names rarely have more.
_MOST_WORDS: Final = 8
_MOST_LETTERS: Final = 12
#: Parts whose words depend on other values too: on a number's base, on days that far too many dates have.
_OF_OTHERS: Final = frozenset({"phone", "birth date", "birth year", "birth day"})
#: The columns of a vocabulary that PARTS are made of, where there are others; a part of another adds it here.
_READ: Final = {Kind.EMAIL: ("text", "local", "role")}


@dataclass(frozen=True, eq=False)
class Part:
    """One part of keys: codes per profile and slot, and what each code is turned into (0: no key).

    Equal texts are turned into equal words in every file: blocks can be looked up from one run to the next.

    ``make`` gives that table for some values, in full when a key first needs it: most parts of a large file
    are never used. A table with a second axis gives each code several alternatives.
    """

    name: str
    codes: Array
    make: Callable[[Values], Array] | None = None
    values: Values | None = None

    @cached_property
    def table(self) -> Array | None:
        """What each code is turned into; None: itself."""
        return None if self.make is None else self.make(self.values)  # type: ignore[arg-type]

    def of(self, rows: Array) -> Part:
        """The same part of those profiles only, looked up once for all keys that share it."""
        return looked_up([self], rows)[0]

    def _looked_up(self, codes: Array, few: _Few) -> Part:
        values, table = self.values, self.make
        if table is None or values is None or self.name in _OF_OTHERS or 2 * codes.size > len(values.text):
            words = self._words(self.table, codes)
        else:
            own, place = few(values)
            words = self._words(table(own), place)
        return Part(self.name, words.reshape(len(codes), -1).astype(np.uint64))

    def _words(self, table: Array | None, codes: Array) -> Array:
        return codes if table is None else table[codes]

    def word(self, alternative: int, rows: Array) -> Array:
        """One word for each of the profiles in ``rows``, of one of their alternatives; 0 where unknown."""
        slot, turn = divmod(alternative, self._per_code)
        codes = self.codes[:, slot][rows]  # one axis at a time: twice as fast as both
        if self.table is not None:
            table = self.table if self.table.ndim == 1 else self.table[:, turn]
            codes = table[codes]
        return codes.astype(np.uint64, copy=False)

    def passed(self, alternative: int) -> tuple[Array, Array | None, int]:
        """What kernels look ``word`` up in: codes, what they are turned into, and a slot."""
        slot, turn = divmod(alternative, self._per_code)
        table = self.table
        if table is not None:
            table = np.ascontiguousarray(table if table.ndim == 1 else table[:, turn], np.uint64)
        return np.ascontiguousarray(self.codes), table, slot

    def held(self, table: Callable[[Values], Array] | None) -> Part:
        """The same part with its table at hand."""
        return replace(self, make=table, values=None)

    def known(self, alternative: int) -> Array:
        """The profiles that may have a word there."""
        return np.flatnonzero(self.codes[:, alternative // self._per_code])

    @property
    def alternatives(self) -> int:
        """Words per profile."""
        return self.codes.shape[1] * self._per_code

    @property
    def _per_code(self) -> int:
        return 1 if self.table is None or self.table.ndim == 1 else self.table.shape[1]


def looked_up(parts: Sequence[Part], rows: Array) -> list[Part]:
    """Parts that have codes and values in common, of those profiles only.

    Where these are few, tables are made for their values alone, which are picked once.
    """
    codes = parts[0].codes[rows]

    @cache
    def few(values: Values) -> tuple[Values, Array]:
        there = np.zeros(len(values.text), bool)
        there[codes] = there[0] = True
        own = np.flatnonzero(there)
        place = np.empty(len(there), np.uint32)
        place[own] = np.arange(len(own), dtype=np.uint32)
        return values.only(own, _READ.get(values.kind)), place[codes]

    return [part._looked_up(codes, few) for part in parts]  # noqa: SLF001 - its own kind


class _EitherOrder(Part):
    """Two codes per profile that make one word, whichever stands first."""

    @property
    def alternatives(self) -> int:
        return 1

    def word(self, alternative: int, rows: Array) -> Array:
        del alternative
        return self._words(self.table, self.codes[rows]).ravel()

    def passed(self, alternative: int) -> tuple[Array, Array | None, int]:
        del alternative
        return self._both, None, 0

    @cached_property
    def _both(self) -> Array:
        return self._words(self.table, self.codes)

    def _words(self, table: Array | None, codes: Array) -> Array:
        return _in_either_order(super()._words(table, codes))


def _whole(values: Values) -> Array:
    return values.coded(values.text)


def _cut(start: int, length: int | None = None) -> Table:
    """A stretch of the text without spaces; shorter texts count whole."""

    def table(values: Values) -> Array:
        return values.coded(values.text.str.replace_all(" ", "", literal=True).str.slice(start, length))

    return table


def _end(length: int) -> Table:
    def table(values: Values) -> Array:
        return values.coded(values.text.str.replace_all(" ", "", literal=True).str.tail(length))

    return table


def _half(*, second: bool) -> Table:
    """The first or second half of values of five characters or more."""

    def table(values: Values) -> Array:
        size = values.text.str.len_chars()
        frame = pl.DataFrame({"text": values.text, "half": (size + 1) // 2, "size": size})
        half = (
            pl.col("text").str.slice(pl.col("half"))
            if second
            else pl.col("text").str.slice(0, pl.col("half"))
        )
        enough = pl.col("size") >= 5  # noqa: PLR2004 - two characters alone say nothing
        return values.coded(frame.select(pl.when(enough).then(half).otherwise(pl.lit(""))).to_series())

    return table


def _subscriber(values: Values) -> Array:
    """The last seven digits of a phone number without its extension: area codes change."""
    return values.coded(values.text.str.replace(r"x.*$", "").str.tail(7))


def _mailbox_digits(values: Values) -> Array:
    return values.coded(values.vocabulary["local"].str.extract(r"(\d{5,})"))


def _birth_day(values: Values) -> Array:
    _, month, day = values.date_parts
    return np.where((month > 0) & (day > 0), month * 100 + day, 0)


def _less_a_letter(values: Values) -> Array:
    """The text, and the text without each of its letters: texts one slip apart share one of them."""
    table = np.zeros((len(values.text), 1 + _MOST_LETTERS), np.uint64)
    table[:, 0] = values.coded(values.text)
    for k in range(_MOST_LETTERS):
        longer = np.flatnonzero(values.length > max(k, 3))
        text = values.text.gather(longer)
        table[longer, 1 + k] = values.coded(text.str.slice(0, k) + text.str.slice(k + 1))
    return table


def _words(values: Values) -> Array:
    tokens = values.tokens
    words = values.coded(tokens.words)
    count = np.diff(tokens.start)
    table = np.zeros((len(count), max(min(int(count.max(initial=0)), _MOST_WORDS), 1)), np.uint64)
    for k in range(table.shape[1]):
        has = count > k
        table[has, k] = words[tokens.token[tokens.start[:-1][has] + k]]
    return table


def _acronym(values: Values) -> Array:
    """First letters of the words, or the whole text where it is one word."""
    letters = values.text.str.split(" ").list.eval(pl.element().str.slice(0, 1)).list.join("")
    several = letters.str.len_chars() > 1
    return values.coded(pl.select(pl.when(several).then(letters).otherwise(values.text)).to_series())


def _root_of_words(values: Values) -> Array:
    return np.where(values.length > 1, values.root, np.uint64(0))  # an initial is no word


def _start_of_words(values: Values) -> Array:
    return np.where(values.length > 1, _cut(0, 3)(values), np.uint64(0))


def _in_either_order(roots: Array) -> Array:
    """One word for two names, whichever stands first; 0 where one is unknown."""
    low, high = np.minimum(roots[:, 0], roots[:, 1]), np.maximum(roots[:, 0], roots[:, 1])
    both = np.where(low > 0, low * np.uint64(0x9E3779B97F4A7C15) ^ high, np.uint64(0))
    return both.reshape(-1, 1)


#: Part → its column, the field within the column, and the table from values to codes.
PARTS: Final[Mapping[str, tuple[str, int, Table]]] = {
    "phone": ("phone", 0, lambda v: _whole(v)[v.phone_base]),
    "last 7 digits of phone": ("phone", 0, _subscriber),
    "e-mail": ("email", 0, _whole),
    "mailbox": ("email", 0, lambda v: v.local_part),
    "digits of e-mail": ("email", 0, _mailbox_digits),
    "birth date": ("birth_date", 0, _whole),
    "birth year": ("birth_date", 0, lambda v: v.date_parts[0]),
    "birth day": ("birth_date", 0, _birth_day),
    "house number": ("address", 0, _whole),
    "street": ("address", 1, _whole),
    "start of street": ("address", 1, _cut(0, 4)),
    "unit": ("unit", 0, _whole),
    "city": ("city", 0, _whole),
    "postal code": ("postal_code", 0, _whole),
    "postal area": ("postal_code", 0, lambda v: v.postal_area),
    "state": ("state", 0, _whole),
    "country": ("country", 0, _whole),
    "first name": ("first_name", 0, lambda v: v.root),
    "first initial": ("first_name", 0, _cut(0, 1)),
    "start of first name": ("first_name", 0, _cut(0, 3)),
    "last name": ("last_name", 0, _whole),
    "last initial": ("last_name", 0, _cut(0, 1)),
    "start of last name": ("last_name", 0, _cut(0, 3)),
    "last name less a letter": ("last_name", 0, _less_a_letter),
    "first name less a letter": ("first_name", 0, _less_a_letter),
    "business name": ("business_name", 0, _cut(0)),
    "start of business name": ("business_name", 0, _cut(0, 6)),
    "end of business name": ("business_name", 0, _end(6)),
    "first letters of business name": ("business_name", 0, _cut(0, 3)),
    "word of business name": ("business_name", 0, _words),
    "acronym of business name": ("business_name", 0, _acronym),
}


def parts_of(columns: Sequence[Column]) -> dict[str, Part]:
    """Every part that this file's columns allow, by name. Attributes are parts by their own names."""
    there = {column.name: column for column in columns}
    parts: dict[str, Part] = {}
    for name, (column, field, table) in PARTS.items():
        if column in there:
            values = there[column].values[field]
            parts[name] = Part(name, there[column].codes[field], table, values)
    if "address" in there:
        address = there["address"]
        parts["address"] = Part("address", address.whole, lambda _: address.whole_words)
    for column_ in identifiers_of(columns):
        for name, table in (
            (column_.name, _whole),
            (f"first half of {column_.name}", _half(second=False)),
            (f"second half of {column_.name}", _half(second=True)),
        ):
            parts[name] = Part(name, column_.codes[0], table, column_.values[0])
    for column_ in categories_of(columns):
        parts[column_.name] = Part(column_.name, column_.codes[0], _whole, column_.values[0])
    return parts | _name_parts(there)


def _name_parts(there: Mapping[str, Column]) -> dict[str, Part]:
    """Parts over several name fields at once, which share one vocabulary."""
    names = [there[n] for n in ("first_name", "last_name", "middle_name") if n in there]
    if not names:
        return {}
    values = names[0].values[0]
    codes = np.concatenate([column.codes[0] for column in names], axis=1)
    parts = [
        Part("a name", codes, _root_of_words, values),
        Part("sound of a name", codes, lambda v: v.sound, values),
        Part("start of a name", codes, _start_of_words, values),
    ]
    if "first_name" in there and "last_name" in there:
        both = np.concatenate([there["first_name"].codes[0], there["last_name"].codes[0]], axis=1)
        parts.append(_EitherOrder("first and last name", both, lambda v: v.root, values))
    return {part.name: part for part in parts}


def identifiers_of(columns: Sequence[Column]) -> list[Column]:
    """Columns whose values are handed out once."""
    return [column for column in columns if column.values[0].kind == Kind.IDENTIFIER]


def categories_of(columns: Sequence[Column]) -> list[Column]:
    """Attributes that sort profiles into groups."""
    return [c for c in columns if c.name.startswith("attribute:") and c.values[0].kind == Kind.CATEGORY]
