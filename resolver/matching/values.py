"""What is derived once per distinct value, so that pairs are compared by integers wherever possible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from resolver.compiled import library, texts
from resolver.matching.sounds import sounds
from resolver.matching.text_bytes import bytes_of, first_eight, letters_of
from resolver.matching.tokens import Tokens
from resolver.model.standardised import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.tokens import KnownValues
    from resolver.model.reference import Reference
    from resolver.model.standardised import StandardisedField

Array: TypeAlias = NDArray[Any]

#: Vocabularies of up to so many texts are kept as Python strings once they are asked for.
_KEPT_AS_STRINGS: Final = 262_144
#: The columns of a vocabulary that tables are made of, where there are others.
_READ: Final = {Kind.PHONE: ("text", "base"), Kind.BUSINESS: ("text",)}
#: What stays when tables are forgotten: the vocabulary, and what takes long to be told of it again.
_KEPT: Final = ("name", "kind", "vocabulary", "reference", "known", "tokens", "vague_days")
#: A day of the year on more than this share of distinct dates is a placeholder: chance gives it 0.3 %.
_STANDS_FOR_UNKNOWN: Final = 0.05


@dataclass(frozen=True, eq=False)
class Values:
    """The vocabulary of one field with tables beside it, all indexed by code. Code 0 is unknown."""

    name: str
    kind: Kind
    vocabulary: pl.DataFrame
    reference: Reference
    known: KnownValues | None = None

    @classmethod
    def of(cls, field: StandardisedField, reference: Reference) -> Values:
        """The tables of a standardised field; nothing is computed before it is asked for."""
        read = _READ.get(field.kind)
        vocabulary = field.vocabulary if read is None else field.vocabulary.select(read)
        return cls(field.name, field.kind, vocabulary, reference)

    def only(self, codes: Array, columns: Sequence[str] | None = None) -> Values:
        """Some of the values by themselves: tables of what each text says alone are the same.

        ``columns`` are those of the vocabulary that will be asked for, if not all.
        """
        vocabulary = self.vocabulary if columns is None else self.vocabulary.select(columns)
        return Values(self.name, self.kind, vocabulary[codes], self.reference, self.known)

    def forget_tables(self) -> None:
        """Free all tables but those that say something of the vocabulary as a whole."""
        for name in [name for name in self.__dict__ if name not in _KEPT]:
            del self.__dict__[name]

    @cached_property
    def text(self) -> pl.Series:
        """The values themselves."""
        return self.vocabulary["text"]

    @cached_property
    def _strings(self) -> dict[str, Array]:
        return {}

    def strings(self, codes: Array, column: str = "text") -> list[str]:
        """The texts of the codes in a column of the vocabulary.

        A string that is there already is handed out in a fifth of the time that it takes to make one.
        """
        texts = self.vocabulary[column]
        if len(texts) > _KEPT_AS_STRINGS:
            return texts.gather(codes).to_list()
        kept = self._strings.get(column)
        if kept is None:
            kept = self._strings[column] = np.array(texts.to_list(), dtype=object)
        found: list[str] = kept[codes].tolist()
        return found

    @cached_property
    def spelling(self) -> Array:
        """What ``length``, ``ascii``, ``letters`` and ``word`` say, side by side, for kernels."""
        return texts.spelled(self.text)

    @cached_property
    def length(self) -> Array:
        """Characters per value."""
        if library.there():
            return self.spelling["length"]
        return self.text.str.len_chars().to_numpy().astype(np.int32)

    @cached_property
    def ascii(self) -> Array:
        """Whether a value is plain ASCII: one byte a character, so that ``letters`` bounds similarities."""
        if library.there():
            return self.spelling["ascii"].astype(bool)
        return self.text.str.len_bytes().to_numpy() == self.length

    @cached_property
    def several_words(self) -> Array:
        """Which values hold a space."""
        return self.text.str.contains(" ", literal=True).to_numpy()

    @property
    def letters(self) -> Array:
        """Bit k is set where the value holds a byte that is k modulo 64."""
        return self._spelled[0]

    @property
    def word(self) -> Array:
        """The first eight bytes as one big-endian number: order and prefixes by integers."""
        return self._spelled[1]

    @cached_property
    def _spelled(self) -> tuple[Array, Array]:
        if library.there():
            return self.spelling["letters"], self.spelling["word"]
        joined, starts = bytes_of(self.text)
        return letters_of(joined, starts), first_eight(joined, starts)

    @cached_property
    def digits(self) -> Array:
        """The digits of a value, four bits each, the last in the lowest bits; only the last 15 are kept."""
        if library.there():
            return self._numbered[0]
        plain = self.text.str.strip_prefix("+")
        mixed = pl.Series(self.digit_count != plain.str.len_bytes().to_numpy()).arg_true()
        if len(mixed):
            plain = plain.scatter(mixed, plain.gather(mixed).str.replace_all("[^0-9]", ""))
        # read as hexadecimal, every decimal digit is its own four bits
        return (
            plain.str.tail(15).str.to_integer(base=16, dtype=pl.UInt64, strict=False).fill_null(0).to_numpy()
        )

    @cached_property
    def _numbered(self) -> tuple[Array, Array]:
        return texts.digits_of(self.text)

    @cached_property
    def digit_count(self) -> Array:
        """How many digits a value holds."""
        if library.there():
            return self._numbered[1]
        joined, starts = bytes_of(self.text)
        out = np.zeros(len(starts) - 1, np.int32)
        full = np.flatnonzero(starts[1:] > starts[:-1])
        if len(full):
            is_digit = (joined >= ord("0")) & (joined <= ord("9"))
            out[full] = np.add.reduceat(is_digit, starts[full], dtype=np.int32)
        return out

    def coded(self, text: pl.Series) -> Array:
        """One word per text derived from the values, equal for equal texts, 0 where it is null or empty.

        A 64-bit hash: ranking a vocabulary of e-mail addresses would take longer than all that is done with
        it.
        """
        clean = text.fill_null("") if text.null_count() else text
        return np.where((clean != "").to_numpy(), clean.hash(0).to_numpy() | np.uint64(1), np.uint64(0))

    @cached_property
    def root(self) -> Array:
        """Names: the full name that a nickname stands for."""
        return self.coded(self.vocabulary["root"])

    @cached_property
    def full_names(self) -> Tokens:
        """Names: each text with all the full names that it may be short for."""
        known = self.reference.nicknames
        short = self.text.filter(self.text.is_in(list(known)))
        spelled = {text: " ".join([text, *sorted(known[text])]) for text in short}
        return Tokens.of(self.text.replace(spelled) if spelled else self.text)

    @cached_property
    def sound(self) -> Array:
        """Names: the first letter and the consonants behind it: what survives most misspellings."""
        return self.coded(sounds(self.text))

    @cached_property
    def anagram(self) -> Array:
        """What texts of the same letters in any order share, from four letters on: a scramble keeps it."""
        mixed = np.arange(1, 257, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        if texts.taken(self.text):
            out = texts.anagrams(self.text, mixed)
        else:
            joined, starts = bytes_of(self.text)
            owner = np.repeat(np.arange(len(self.length)), starts[1:] - starts[:-1])
            out = np.zeros(len(self.length), np.uint64)
            np.add.at(out, owner, mixed[joined])
        return np.where(self.length > 3, out | np.uint64(1), np.uint64(0))  # noqa: PLR2004 - Amy and May

    @cached_property
    def days(self) -> Array:
        """Dates: days since year 0 on a calendar of equal months, -1 where a part is unknown."""
        year, month, day = self.date_parts
        return np.where((year > 0) & (month > 0) & (day > 0), year * 365.25 + month * 30.44 + day, -1.0)

    @cached_property
    def date_parts(self) -> tuple[Array, Array, Array]:
        """Dates: year, month and day, 0 where the text is not eight digits or the part is 0.

        A day of the year that far too many dates have stands for an unknown one (1850-01-01): year only.
        """
        eight = (self.length == 8) & (self.digit_count == 8)  # noqa: PLR2004 - yyyymmdd
        digits = np.where(eight, self.digits, np.uint64(0))

        def number(places: tuple[int, ...]) -> Array:
            out = np.zeros(len(digits), np.int32)
            for place in places:
                out = out * 10 + ((digits >> np.uint64(4 * place)) & np.uint64(15)).astype(np.int32)
            return out

        year, month, day = number((7, 6, 5, 4)), number((3, 2)), number((1, 0))
        day_of_year = month * 100 + day
        vague = eight & np.isin(day_of_year, self._vague_days(day_of_year[eight]))
        return year, np.where(vague, 0, month), np.where(vague, 0, day)

    def _vague_days(self, day_of_year: Array) -> list[int]:
        """Days of the year (100 * month + day) that far too many dates have."""
        if self.known is not None:
            return list(self.known.vague_days)
        enough = max(_STANDS_FOR_UNKNOWN * len(day_of_year), 20)
        return np.flatnonzero(np.bincount(day_of_year, minlength=1) > enough).tolist()

    @cached_property
    def vague_days(self) -> tuple[int, ...]:
        """Dates: days of the year that stand for an unknown one."""
        eight = (self.length == 8) & (self.digit_count == 8)  # noqa: PLR2004 - yyyymmdd
        day_of_year = self.text.filter(pl.Series(eight)).str.tail(4).cast(pl.Int32).to_numpy()
        return tuple(self._vague_days(day_of_year))

    @cached_property
    def phone_base(self) -> Array:
        """Phones: the number without its extension."""
        return self.vocabulary["base"].to_numpy()

    @cached_property
    def local_part(self) -> Array:
        """E-mails: what stands before the @, 0 for mailboxes that are not one person's."""
        own = self.vocabulary["local"].str.len_chars() >= 4  # noqa: PLR2004 - anna@ is nobody in particular
        return self.coded(_only(self.vocabulary["local"], own & ~self.vocabulary["role"]))

    @cached_property
    def domain(self) -> Array:
        """E-mails: what stands after the @."""
        return self.coded(self.vocabulary["domain"])

    @cached_property
    def domain_start(self) -> Array:
        """E-mails: the first five letters of the domain."""
        return self.coded(self.vocabulary["domain"].str.slice(0, 5))

    @cached_property
    def mailbox_letters(self) -> tuple[Array, Array]:
        """E-mails: characters before the @, and their bytes as ``letters`` has them."""
        local = self.vocabulary["local"]
        if texts.taken(local):
            spelled = texts.spelled(local)
            return spelled["length"], spelled["letters"]
        return local.str.len_chars().to_numpy().astype(np.int32), letters_of(*bytes_of(local))

    @cached_property
    def own_domain(self) -> Array:
        """E-mails: the domain, 0 for those that anybody can have."""
        return self.coded(_only(self.vocabulary["domain"], ~self.vocabulary["free_provider"]))

    @cached_property
    def squeezed(self) -> Array:
        """The text without spaces, as dense codes: 0 for the empty text of row 0."""
        bare = self.text.str.replace_all(" ", "", literal=True)
        return bare.rank("dense").to_numpy().astype(np.uint32) - np.uint32(1)

    @cached_property
    def postal_area(self) -> Array:
        """Postal codes: without the last three characters if lettered, else the first three."""
        lettered = self.text.str.contains("[a-z]")
        front = pl.select(
            pl.when(lettered & (self.text.str.len_chars() > 4))  # noqa: PLR2004 - a British code has at least five
            .then(self.text.str.head(-3))
            .otherwise(self.text.str.slice(0, 3))
        ).to_series()
        return self.coded(front)

    @cached_property
    def tokens(self) -> Tokens:
        """The words of each value."""
        return Tokens.of(self.text, self.known)


def _only(text: pl.Series, kept: pl.Series) -> pl.Series:
    return pl.select(pl.when(kept).then(text).otherwise(pl.lit(""))).to_series()
