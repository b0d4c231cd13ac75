"""Postal addresses: number, street core, unit and place of up to four distinct blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode, pack
from resolver.matching.standardising.folding import fold, phrase, split_words, words
from resolver.model.profile import ADDRESS_PARTS
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

BLOCK_PARTS: Final = tuple(ADDRESS_PARTS.values())
_PO_BOX: Final = re.compile(
    r"\b(?:p\.?\s*o\.?\s*box|post office box|postfach|apartado(?: postal)?|casella postale|bp)\s*#?\s*(\w+)"
)
_UNIT_SLASH: Final = re.compile(r"^\s*(\d+[a-z]?)\s*/\s*(\d+[a-z]?)\b")
_LEADING_NUMBER: Final = re.compile(
    r"^\s*(?:no\.?|nr\.?|n°|#)?\s*(\d+\s+1/2|\d+[a-z](?=[\s,]|$)|\d+(?:-\d+)?)(?=[\s,]|$)"
)
_TRAILING_NUMBER: Final = re.compile(r"[\s,](?:no\.?|nr\.?|n)?\s*(\d+(?:-\d+)?\s?[a-z]?)\s*$")
_HASH_UNIT: Final = re.compile(r"#\s*([a-z0-9-]+)")
_ORDINAL: Final = re.compile(r"^0*(\d+)(?:st|nd|rd|th)$")
_ZIP_PLUS_4: Final = re.compile(r"^(\d{5})-?\d{4}$")


class CleanAddress(NamedTuple):
    """The parts of one block, empty where unknown."""

    house_number: str
    street: str
    unit: str
    city: str
    county: str
    state: str
    postal_code: str
    country: str


def clean_address(values: Sequence[str | None], reference: Reference) -> CleanAddress:
    """One block from its BLOCK_PARTS.

    The unit is what stands in the first line behind a unit word or ``#``, else the second line whole.
    """
    unknown = reference.placeholders["any"]
    known = ["" if v is None or phrase(v) in unknown else v for v in values]
    block = dict(zip(BLOCK_PARTS, known, strict=True))
    lines = [block[name] for name in ("address1", "address2", "address3", "address4") if block[name]]
    number, street, unit = split_line(lines[0], reference) if lines else ("", "", "")
    for line in lines[1:]:
        if not street and not unit and words(line):
            more = split_line(line, reference)
            number, street, unit = number or more[0], more[1], more[2]
        elif not unit:
            unit = clean_unit(line, reference)
    return CleanAddress(
        number,
        street,
        unit,
        clean_place(block["city"], reference),
        clean_place(block["county"], reference),
        clean_state(block["state"] or block["province"], reference),
        clean_postal_code(block["postal_code"]),
        clean_country(block["country"], reference),
    )


def split_line(line: str, reference: Reference) -> tuple[str, str, str]:
    """House number, street core and unit of an address line, empty where not there."""
    plain = " ".join(fold(line).replace(",", " , ").split())
    if m := _PO_BOX.search(plain):
        return m[1].lstrip("0"), "po box", ""
    plain, unit = _take_unit(plain, reference)
    number = ""
    if m := _UNIT_SLASH.match(plain):
        unit, number, plain = unit or m[1], m[2], plain[m.end() :]
    elif m := _LEADING_NUMBER.match(plain):
        number, plain = m[1], plain[m.end() :]
    elif (m := _TRAILING_NUMBER.search(plain)) and words(plain[: m.start()]):
        number, plain = m[1], plain[: m.start()]
    return _house_number(number), street_core(plain, reference), unit


def _house_number(text: str) -> str:
    return text.replace(" 1/2", "h").replace(" ", "").lstrip("0")


def _take_unit(plain: str, reference: Reference) -> tuple[str, str]:
    """The line without its unit, and the unit's own letters and digits."""
    parts = plain.split()
    bare = [part.strip(".,#:") for part in parts]
    for i, word in enumerate(bare):
        if word in reference.unit_words and i + 1 < len(parts):
            value = bare[i + 1]
            if value and (any(c.isdigit() for c in value) or len(value) == 1):
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
    if len(parts) > 1 and parts[0] in reference.street_types and reference.street_types[parts[0]]:
        parts = parts[1:]
    inner = [word for word in parts if word not in reference.directions] or parts
    kept = [word for i, word in enumerate(inner) if i == 0 or word not in reference.street_types]
    return " ".join(_without_ending(word, reference) for word in kept)


def _number_word(word: str) -> str:
    m = _ORDINAL.match(word)
    return m[1] if m else word


def _without_ending(word: str, reference: Reference) -> str:
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


_KINDS: Final = {
    "house_number": Kind.HOUSE_NUMBER,
    "street": Kind.STREET,
    "unit": Kind.UNIT,
    "city": Kind.PLACE,
    "county": Kind.PLACE,
    "state": Kind.PLACE,
    "postal_code": Kind.PLACE,
    "country": Kind.PLACE,
}


def standardise_addresses(blocks: Sequence[pl.DataFrame], reference: Reference) -> list[StandardisedField]:
    """The parts of all blocks; slot i of every part is one address, distinct ones packed to the left.

    Each block is a frame with the BLOCK_PARTS.
    """
    numbers, cleaned = clean_distinct(
        pl.concat(list(blocks)), lambda *values: clean_address(values, reference)
    )
    parts = pl.DataFrame(cleaned, schema=dict.fromkeys(CleanAddress._fields, pl.String), orient="row")
    distinct = parts.unique(maintain_order=True).filter(pl.any_horizontal(pl.all() != ""))
    numbered = distinct.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("block"))
    block = parts.join(numbered, on=parts.columns, how="left", maintain_order="left")["block"].fill_null(0)
    slots = pack(np.ascontiguousarray(block.to_numpy()[numbers].reshape(len(blocks), -1).T))
    fields = []
    for name, kind in _KINDS.items():
        [codes], texts = encode([distinct[name]])
        by_block = np.concatenate([np.zeros(1, np.uint32), codes])
        fields.append(StandardisedField(name, kind, by_block[slots], texts.to_frame("text")))
    return fields
