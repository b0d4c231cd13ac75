"""Personal names: titles and suffixes out, full names split, everything in one vocabulary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode
from resolver.matching.standardising.folding import fold, phrase, words
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_ORDINAL = re.compile(r"\b\d+(st|nd|rd|th)\b")
_OF = re.compile(r"\bof\b")
_BRACKETS = re.compile(r"\([^)]*\)|\"[^\"]*\"")
NAME_COLUMNS = ("first_name", "middle_name", "last_name", "full_name", "name_suffix")


class PersonName(NamedTuple):
    """The parts of one name, empty where unknown. ``middle`` may hold several words."""

    first: str
    middle: str
    last: str
    suffix: str


def _without_titles(parts: Sequence[str], reference: Reference, *, alone: bool) -> list[str]:
    """The words after leading titles; the last word stays unless it is a title wherever it stands."""
    kept = list(parts)
    while kept and kept[0] in reference.titles and (len(kept) > 1 or (alone and reference.titles[kept[0]])):
        kept.pop(0)
    return kept


def _without_suffixes(parts: Sequence[str], reference: Reference) -> tuple[list[str], str]:
    kept, suffix = list(parts), ""
    while len(kept) > 1 and kept[-1] in reference.suffixes:
        suffix = reference.suffixes[kept.pop()] or suffix
    return kept, suffix


def _last_name_start(parts: Sequence[str], reference: Reference) -> int:
    """Where the last name begins: its last word and the particles before it (van der Berg)."""
    start = len(parts) - 1
    while start > 1 and parts[start - 1] in reference.particles:
        start -= 1
    return start


def _in_order(text: str, reference: Reference) -> str:
    """A full name as first, middle, last: "Last, First" turned, ranks and places after it cut off."""
    plain = _BRACKETS.sub(" ", fold(text))
    before, comma, after = plain.partition(",")
    if comma:
        behind = [w for w in words(after.split(",")[0]) if w not in reference.suffixes]
        dignity = not behind or behind[0] in reference.titles or _ORDINAL.search(after) or _OF.search(after)
        family = _without_suffixes(words(before), reference)[0]
        if not dignity and (len(family) == 1 or set(family[:-1]) <= reference.particles):
            return f"{after} {before}".replace(",", " ")
        suffixes = [w for w in words(after) if w in reference.suffixes]
        plain = " ".join([before, *suffixes])
    for cut in (_ORDINAL.search(plain), _OF.search(plain)):
        if cut and words(plain[: cut.start()]) and cut.group() not in reference.suffixes:
            plain = plain[: cut.start()]
    return plain


def split_full_name(text: str, reference: Reference) -> PersonName:
    """The parts of a name written in one field; a single word is a first name."""
    parts, suffix = _without_suffixes(words(_in_order(text, reference)), reference)
    parts = _without_titles(parts, reference, alone=True)
    if len(parts) < 2:  # noqa: PLR2004 - one word has no last name
        return PersonName("".join(parts), "", "", suffix)
    start = _last_name_start(parts, reference)
    return PersonName(parts[0], " ".join(parts[1:start]), "".join(parts[start:]), suffix)


def clean_name(values: Sequence[str | None], reference: Reference) -> PersonName:
    """The name of one profile from its NAME_COLUMNS.

    A full name wins over its parts, as it holds more; a name written whole into the first or the last field
    is split. The first word of the first name is the first name, the rest goes to the middle name; words of
    a last name are joined (de la Cruz = Delacruz).
    """
    unknown = reference.placeholders["name"]
    first, middle, last, full, suffix = ("" if v is None or phrase(v) in unknown else v for v in values)
    given_suffix = reference.suffixes.get(phrase(suffix), phrase(suffix))
    if full and len(words(full)) > 1:
        name = split_full_name(full, reference)
        return name._replace(suffix=name.suffix or given_suffix)
    if not last and not middle and len(words(first)) > 1:
        name = split_full_name(first, reference)
        return name._replace(suffix=name.suffix or given_suffix)
    last_words = words(last)
    if not first and not middle and len(last_words) > 1 and last_words[0] not in reference.particles:
        name = split_full_name(last, reference)
        return name._replace(suffix=name.suffix or given_suffix)
    if not (first or middle or last) and full:
        first = full
    first_words, suffix_1 = _without_suffixes(words(first), reference)
    first_words = _without_titles(first_words, reference, alone=True)
    last_words, suffix_2 = _without_suffixes(_without_titles(last_words, reference, alone=False), reference)
    middle_words = [w for w in words(middle) if w not in unknown]
    middle_words, suffix_3 = _without_suffixes(["", *middle_words], reference)
    return PersonName(
        first_words[0] if first_words else "",
        " ".join([*first_words[1:], *middle_words[1:]]),
        "".join(last_words),
        suffix_2 or suffix_1 or suffix_3 or given_suffix,
    )


def standardise_names(names: pl.DataFrame, reference: Reference) -> list[StandardisedField]:
    """first_name, middle_name and last_name with one vocabulary, and name_suffix.

    ``names`` has the NAME_COLUMNS. The vocabulary's ``root`` is the full name of a nickname, where it stands
    for one (of several, the first in the alphabet), else the text itself.
    """
    numbers, cleaned = clean_distinct(names, lambda *values: clean_name(values, reference))
    parts = pl.DataFrame(cleaned, schema=dict.fromkeys(PersonName._fields, pl.String), orient="row")
    codes, texts = encode([parts["first"], parts["middle"], parts["last"]])
    roots = [min(reference.nicknames.get(text, (text,))) for text in texts]
    vocabulary = pl.DataFrame({"text": texts, "root": pl.Series(roots, dtype=pl.String)})
    [suffixes], suffix_texts = encode([parts["suffix"]])
    fields = [
        StandardisedField(name, Kind.NAME, _column(code, numbers), vocabulary)
        for name, code in zip(("first_name", "middle_name", "last_name"), codes, strict=True)
    ]
    suffix_vocabulary = suffix_texts.to_frame("text")
    return [
        *fields,
        StandardisedField("name_suffix", Kind.CATEGORY, _column(suffixes, numbers), suffix_vocabulary),
    ]


def _column(codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    if not len(codes):
        return np.zeros((len(numbers), 1), np.uint32)
    column: np.ndarray = codes[numbers].reshape(-1, 1)
    return column
