"""Postal addresses, one text at a time: number, street core, unit and the names of places.

These functions say what is meant; ``address_columns`` does the same to whole columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from resolver.matching.standardising.folding import fold, phrase, split_words, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_PO_BOX: Final = re.compile(
    r"\b(?:p\.?\s*o\.?\s*box|post office box|postfach|apartado(?: postal)?|casella postale|bp)\s*#?\s*(\w+)"
)
_UNIT_SLASH: Final = re.compile(r"^\s*(\d+[a-z]?)\s*/\s*(\d+[a-z]?)\b")
_LEADING_NUMBER: Final = re.compile(
    r"^\s*(?:no\.?|nr\.?|#)?\s*(\d+\s+1/2|\d+[a-z](?=[\s,]|$)|\d+(?:-\d+)?)(?=[\s,]|$)"
)
_TRAILING_NUMBER: Final = re.compile(r"[\s,](?:no\.?|nr\.?|n)?\s*(\d+(?:-\d+)?\s?[a-z]?)\s*$")
_HASH_UNIT: Final = re.compile(r"#\s*([a-z0-9-]+)")
_ORDINAL: Final = re.compile(r"^0*(\d+)(?:st|nd|rd|th)$")
_ZIP_PLUS_4: Final = re.compile(r"^(\d{5})-?\d{4}$")


class CleanLine(NamedTuple):
    """An address line, its parts empty where not there."""

    house_number: str = ""
    street: str = ""
    unit: str = ""


def clean_lines(lines: Sequence[str | None], reference: Reference) -> CleanLine:
    """The lines of one block: the first that says anything is split, the next is the unit if none was in it.

    A first line with a house number only is continued by the next.
    """
    number, street, unit = CleanLine()
    for line in lines:
        if not line or not words(line) or phrase(line) in reference.placeholders["any"]:
            continue
        if not street and not unit:
            more = split_line(line, reference)
            number, street, unit = number or more.house_number, more.street, more.unit
        elif not unit:
            unit = clean_unit(line, reference)
    return CleanLine(number, street, unit)


def split_line(line: str, reference: Reference) -> CleanLine:
    """House number, street core and unit of an address line."""
    plain = " ".join(fold(line).replace(",", " , ").split())
    if m := _PO_BOX.search(plain):
        return CleanLine(m[1].lstrip("0"), "po box", "")
    plain, unit = _take_unit(plain, reference)
    number = ""
    if m := _UNIT_SLASH.match(plain):
        unit, number, plain = unit or clean_unit(m[1], reference), m[2], plain[m.end() :]
    elif m := _LEADING_NUMBER.match(plain):
        number, plain = m[1], plain[m.end() :]
    elif (m := _TRAILING_NUMBER.search(plain)) and words(plain[: m.start()]):
        number, plain = m[1], plain[: m.start()]
    return CleanLine(_house_number(number), street_core(plain, reference), unit)


def _house_number(text: str) -> str:
    return text.replace(" 1/2", "h").replace(" ", "").lstrip("0")


def _take_unit(plain: str, reference: Reference) -> tuple[str, str]:
    """The line without its unit, and the unit's own letters and digits."""
    parts = plain.split()
    bare = [part.strip(".,#:") for part in parts]
    for i, word in enumerate(bare[:-1]):
        value = bare[i + 1]
        if word in reference.unit_words and (any(c.isdigit() for c in value) or len(value) == 1):
            return " ".join(parts[:i] + parts[i + 2 :]).strip(" ,"), clean_unit(value, reference)
    if (m := _HASH_UNIT.search(plain)) and m.start() > 0:
        return f"{plain[: m.start()]} {plain[m.end() :]}".strip(" ,"), clean_unit(m[1], reference)
    return plain, ""


def clean_unit(text: str, reference: Reference) -> str:
    """A unit without the word for it: Apt. 5 → 5, Rowethorpe → rowethorpe."""
    parts = split_words(text)
    kept = [part for part in parts if part not in reference.unit_words] or parts
    return " ".join(part.lstrip("0") or part for part in kept)


def street_core(text: str, reference: Reference) -> str:
    """The street's own name: types and directions out, ordinals to numbers; never emptied by that."""
    parts = [_number_word(word) for word in split_words(text)]
    if len(parts) > 1 and reference.street_types.get(parts[0]):
        parts = parts[1:]
    inner = [word for word in parts if word not in reference.directions] or parts
    kept = [word for i, word in enumerate(inner) if i == 0 or word not in reference.street_types]
    return " ".join(without_ending(word, reference) for word in kept)


def _number_word(word: str) -> str:
    m = _ORDINAL.match(word)
    return m[1] if m else word


def without_ending(word: str, reference: Reference) -> str:
    """A street's name without the type glued to it: hauptstrasse → haupt."""
    for ending in reference.street_endings:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word.removesuffix(ending)
    return word


def clean_place(text: str, reference: Reference) -> str:
    """A city or county: folded words, St and Mt written out."""
    return " ".join(reference.place_words.get(word, word) for word in split_words(text))


def clean_state(text: str, reference: Reference) -> str:
    """The abbreviation of a known state or province, else its folded words."""
    plain = " ".join(split_words(text))
    return reference.states.get(plain, plain)


def clean_country(text: str, reference: Reference) -> str:
    """ISO alpha-2 in lower case where known, else the folded words."""
    plain = " ".join(split_words(text.replace(".", "")))
    return reference.countries.get(plain, plain)


def clean_postal_code(text: str) -> str:
    """Letters and digits; a ZIP+4 loses its last four."""
    plain = fold(text).strip()
    if m := _ZIP_PLUS_4.match(plain):
        return m[1]
    return "".join(words(plain))
