"""Personal names, one text at a time: titles and suffixes out, full names split.

These functions say what is meant; ``name_columns`` does the same to whole columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from resolver.matching.standardising.folding import fold, phrase, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_ORDINAL: Final = re.compile(r"\b\d+(st|nd|rd|th)\b")
_OF: Final = re.compile(r"\bof\b")
_BRACKETS: Final = re.compile(r"\([^)]*\)|\"[^\"]*\"")


class PersonName(NamedTuple):
    """The parts of one name, empty where unknown. ``middle`` may hold several words."""

    first: str = ""
    middle: str = ""
    last: str = ""
    suffix: str = ""


def clean_name(values: Sequence[str | None], reference: Reference) -> PersonName:
    """The name of one profile from first, middle and last name, full name and suffix.

    A full name wins over its parts, as it holds more; a name written whole into the first or the last field
    is split. A text without words and a placeholder are unknown.
    """
    first, middle, last, full, suffix = (known(value, reference) for value in values)
    apart = reference.suffixes.get(phrase(suffix), phrase(suffix))
    if len(words(full)) > 1:
        name = split_full_name(full, reference)
    elif not last and not middle and len(words(first)) > 1:
        name = split_full_name(first, reference)
    elif not first and not middle and len(words(last)) > 1 and words(last)[0] not in reference.particles:
        name = split_full_name(last, reference)
    else:
        alone = not first and not middle and not last
        given = given_name(full if alone else first, reference)
        between, family = middle_name(middle, reference), family_name(last, reference)
        name = PersonName(
            given.first,
            " ".join(part for part in (given.middle, between.middle) if part),
            family.last,
            family.suffix or given.suffix or between.suffix,
        )
    return name._replace(suffix=name.suffix or apart)


def known(text: str | None, reference: Reference) -> str:
    """The text, or nothing where it has no words or is a placeholder."""
    plain = phrase(text or "")
    return (text or "") if plain and plain not in reference.placeholders["name"] else ""


def given_name(text: str, reference: Reference) -> PersonName:
    """A first-name field: its first word, the rest as middle name."""
    return given_words(words(text), reference)


def given_words(given: Sequence[str], reference: Reference) -> PersonName:
    """``given_name`` of a field's words."""
    parts, suffix = _without_suffixes(given, reference)
    parts = _without_titles(parts, reference, alone=True)
    return PersonName(first="".join(parts[:1]), middle=" ".join(parts[1:]), suffix=suffix)


def middle_name(text: str, reference: Reference) -> PersonName:
    """A middle-name field, placeholders within it left out."""
    parts, suffix = _without_suffixes(["", *words(text)], reference)
    return PersonName(
        middle=" ".join(p for p in parts[1:] if p not in reference.placeholders["name"]), suffix=suffix
    )


def family_name(text: str, reference: Reference) -> PersonName:
    """A last-name field, its words joined (de la Cruz = Delacruz)."""
    parts, suffix = _without_suffixes(_without_titles(words(text), reference, alone=False), reference)
    return PersonName(last="".join(parts), suffix=suffix)


def split_full_name(text: str, reference: Reference) -> PersonName:
    """The parts of a name written in one field; a single word is a first name."""
    parts, suffix = _without_suffixes(words(_in_order(text, reference)), reference)
    parts = _without_titles(parts, reference, alone=True)
    if len(parts) < 2:  # noqa: PLR2004 - one word has no last name
        return PersonName(first="".join(parts), suffix=suffix)
    start = _last_name_start(parts, reference)
    return PersonName(parts[0], " ".join(parts[1:start]), "".join(parts[start:]), suffix)


def _without_titles(parts: Sequence[str], reference: Reference, *, alone: bool) -> list[str]:
    """The words after leading titles; the last word stays unless it is a title wherever it stands."""
    kept = list(parts)
    while kept and kept[0] in reference.titles and (len(kept) > 1 or (alone and reference.titles[kept[0]])):
        kept.pop(0)
    return kept


def _without_suffixes(parts: Sequence[str], reference: Reference) -> tuple[list[str], str]:
    """The words before the suffixes behind them, and the first of those that tells someone apart."""
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
        dignity = (
            not behind or behind[0] in reference.dignities or _ORDINAL.search(after) or _OF.search(after)
        )
        family = _without_suffixes(words(before), reference)[0]
        if not dignity and (len(family) == 1 or set(family[:-1]) <= reference.particles):
            return f"{after} {before}".replace(",", " ")
        plain = " ".join([before, *(w for w in words(after) if w in reference.suffixes)])
    for cut in (_ORDINAL.search(plain), _OF.search(plain)):
        if cut and words(plain[: cut.start()]) and cut.group() not in reference.suffixes:
            plain = plain[: cut.start()]
    return plain
