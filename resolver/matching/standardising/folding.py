"""Any script to plain words: lower-case ASCII letters and digits.

``fold``, ``words`` and ``phrase`` say what is meant, one text at a time; ``folded`` and ``phrases`` do the
same to a column and agree with them on every text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from anyascii import anyascii

from resolver.compiled import texts as compiled
from resolver.matching.standardising.coding import placed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

_JOINERS: Final = "'`\u00b4\u2018\u2019\u02bc\u2032-"
_JOINER: Final = re.compile(f"[{_JOINERS}]")
_WORD: Final = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """The text in lower-case ASCII: accents dropped, other scripts transliterated, punctuation as it was."""
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return (plain if plain.isascii() else anyascii(plain)).lower()


def words(text: str) -> list[str]:
    """The words of a text, folded; hyphens and apostrophes join (O'Neill → oneill)."""
    if text.isascii() and text.isalnum():
        return [text.lower()]
    return _WORD.findall(_JOINER.sub("", fold(text)))


def split_words(text: str) -> list[str]:
    """The words of a text, folded; hyphens part, apostrophes join (Stratford-on-Avon → three words)."""
    return words(fold(text).replace("-", " "))


def phrase(text: str) -> str:
    """The words of a text with single spaces."""
    return " ".join(words(text))


def folded(texts: pl.Series) -> pl.Series:
    """``fold`` of each text, nulls empty."""
    if compiled.taken(texts, nulls=True):
        held = compiled.letters_of(texts)
        # fold works letter by letter: what decomposition reorders are accents, and those are dropped
        return compiled.folded(texts, held, [_folded_letter(letter) for letter in held])
    lower = _of(texts, lambda text: text.fill_null("").str.to_lowercase())
    rows = _of(lower, lambda text: (text.str.len_bytes() != text.str.len_chars()).arg_true())
    if not len(rows):
        return lower
    original = texts.gather(rows)
    letters = sorted(letter for letter in set("".join(original)) if not letter.isascii())
    written = [_folded_letter(letter) for letter in letters]  # letter by letter, as above
    plain = original.str.replace_many(letters, written).str.to_lowercase()
    return placed(lower, rows, plain)


@cache
def _folded_letter(letter: str) -> str:
    return fold(letter)


def _of(texts: pl.Series, made: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """An expression of a column: one query, where each method of a series is one."""
    return texts.alias("text").to_frame().select(made(pl.col("text"))).to_series()


def by_hand(
    texts: pl.Series, quick: pl.Series, accepted: pl.Series, careful: Callable[[str], str]
) -> pl.Series:
    """``quick`` where accepted, elsewhere ``careful`` of the text, called once per distinct one."""
    rows = (~accepted).arg_true()
    if not len(rows):
        return quick
    left = texts.gather(rows)
    distinct = left.unique()
    cleaned = pl.Series([careful(text) for text in distinct], dtype=pl.String)
    return placed(quick, rows, left.replace_strict(distinct, cleaned, return_dtype=pl.String))


def phrases(plain: pl.Series, *, parting: str = "") -> pl.Series:
    """``phrase`` of texts that are folded already; the characters in ``parting`` part words, too."""
    if compiled.taken(plain):
        return compiled.phrased(plain, parting)

    def phrase_of(text: pl.Expr) -> pl.Expr:
        for mark in parting:
            text = text.str.replace_all(mark, " ", literal=True)
        joined = text.str.replace_all(f"[{_JOINERS}]", "")
        return joined.str.replace_all(r"[^a-z0-9]+", " ").str.strip_chars(" ")

    return _of(plain, phrase_of)


def among(texts: pl.Series, listed: Collection[str]) -> pl.Series:
    """Whether each text, folded, is one of the phrases; nulls are empty."""
    if not compiled.taken(texts, nulls=True) or len(listed) > compiled.MOST_LISTED:
        return phrases(folded(texts)).is_in(sorted(listed))
    found = compiled.among(texts, listed)
    rows = pl.Series(np.flatnonzero(found > 1))
    left = phrases(folded(texts.gather(rows))).is_in(sorted(listed))
    return placed(pl.Series(found == 1), rows, left)


def whole_words(texts: pl.Series, listed: Iterable[str]) -> pl.Series:
    """Whether a text of words with single spaces holds any of the listed phrases as whole words."""
    patterns = [f" {one} " for one in listed]
    if not patterns:
        return pl.repeat(value=False, n=len(texts), eager=True, dtype=pl.Boolean)
    return (" " + texts + " ").str.contains_any(patterns)
