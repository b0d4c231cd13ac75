"""Postal addresses, whole columns at a time: what ``addresses`` says, mostly by expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.standardising.addresses import (
    CleanLine,
    clean_country,
    clean_place,
    clean_state,
    clean_unit,
    split_line,
    street_core,
    without_ending,
)
from resolver.matching.standardising.coding import encode
from resolver.matching.standardising.folding import by_hand, folded, phrases, whole_words
from resolver.model.profile import ADDRESS_PARTS
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from resolver.model.reference import Reference

BLOCK_PARTS: Final = tuple(ADDRESS_PARTS.values())
_LINES: Final = ("address1", "address2", "address3", "address4")
_LINE_PARTS: Final = CleanLine._fields
_MOST_WORDS: Final = 6  # longer streets go to the careful function
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


def cleaned_lines(lines: pl.Series, reference: Reference) -> pl.DataFrame:
    """``split_line`` of each line, as columns house_number, street, unit; usual lines by expression."""
    plain = folded(lines)
    split = plain.str.splitn(" ", 2).struct
    number, rest = split.field("field_0"), split.field("field_1").fill_null("")
    units = "|".join(sorted(reference.unit_words, key=lambda word: (-len(word), word)))
    unit = pl.repeat("", len(lines), eager=True)
    spaced = rest.str.replace_all(r"[.,#]+", " ").str.replace_all(r" +", " ")
    rows = (rest.str.contains("#", literal=True) | whole_words(spaced, reference.unit_words)).arg_true()
    if len(rows):
        ends = (
            rest.gather(rows)
            .str.extract_groups(
                rf"^([a-z0-9 .'-]+?) ?,? ?(?:(?:{units})\.? |#)#?([a-z0-9]*[0-9][a-z0-9]*|[a-z])$"
            )
            .struct
        )
        value = ends.field("2")
        unit = unit.scatter(rows, value.fill_null(""))
        rest = rest.scatter(rows, pl.select(pl.coalesce(ends.field("1"), rest.gather(rows))).to_series())
        spaced = spaced.scatter(
            rows, rest.gather(rows).str.replace_all(r"[.]+", " ").str.replace_all(" +", " ")
        )
    usual = (
        number.str.contains(r"^[0-9]+[a-z]?$")
        & rest.str.contains(r"^[a-z0-9'.][a-z0-9 '.-]*$")
        & ~plain.str.contains_any(["box", "bp", "postfach", "apartado", "casella"])
        & ~whole_words(spaced, reference.unit_words)
    )
    streets = cleaned_streets(rest, usual, reference)
    quick = {
        "house_number": number.str.strip_chars_start("0"),
        "street": streets,
        "unit": pl.select(
            pl.when(unit.str.contains("^0*$")).then(unit).otherwise(unit.str.strip_chars_start("0"))
        ).to_series(),
    }
    rows = (~usual).arg_true()
    [codes], distinct = encode([lines.gather(rows)])
    careful = [split_line(text, reference) for text in distinct]
    answers = pl.DataFrame(careful, schema=dict.fromkeys(_LINE_PARTS, pl.String), orient="row")
    return pl.DataFrame(
        {part: quick[part].scatter(rows, answers[part].gather(codes)) for part in _LINE_PARTS}
    )


def cleaned_streets(texts: pl.Series, usual: pl.Series, reference: Reference) -> pl.Series:
    """``street_core`` of each folded text, blank where not usual."""
    [numbers], distinct = encode([texts.set(~usual, "")])
    every = phrases(distinct, parting="-")
    split = every.str.splitn(" ", _MOST_WORDS).struct
    columns = [split.field(f"field_{i}") for i in range(_MOST_WORDS)]
    codes, vocabulary = encode(columns)
    word = np.stack(codes, axis=1)
    own = vocabulary.str.replace(r"^0*(\d+)(?:st|nd|rd|th)$", "${1}")
    is_type = own.is_in(sorted(reference.street_types)).to_numpy()
    leads = own.is_in(sorted(w for w, first in reference.street_types.items() if first)).to_numpy()
    is_direction = own.is_in(sorted(reference.directions)).to_numpy()
    there = word != 0
    there[:, 0] &= ~(leads[word[:, 0]] & there[:, 1])
    inner = there & ~is_direction[word]
    kept = np.where(inner.any(axis=1, keepdims=True), inner, there)
    first = kept & (np.cumsum(kept, axis=1) == 1)
    kept &= first | ~is_type[word]
    bare = pl.Series([without_ending(w, reference) for w in own], dtype=pl.String)
    texts_of = [
        pl.when(pl.Series(kept[:, i])).then(bare.gather(word[:, i])).alias(str(i)) for i in range(_MOST_WORDS)
    ]
    joined = pl.select(pl.concat_str(texts_of, separator=" ", ignore_nulls=True)).to_series()
    long = columns[-1].fill_null("").str.contains(" ", literal=True)
    return by_hand(distinct, joined, ~long, lambda text: street_core(text, reference)).gather(numbers)


def cleaned_units(texts: pl.Series, reference: Reference) -> pl.Series:
    """``clean_unit`` of each text."""
    plain = phrases(folded(texts), parting="-")
    zeros = plain.str.contains(r"(?:^| )0")
    accepted = ~(zeros | whole_words(plain, reference.unit_words))
    return by_hand(plain, plain, accepted, lambda text: clean_unit(text, reference))


def cleaned_block(block: Mapping[str, pl.Series], reference: Reference) -> dict[str, pl.Series]:
    """The parts of one address block of every profile, empty where unknown; absent BLOCK_PARTS give none."""
    parts = _line_parts([block[name] for name in _LINES if name in block], reference)
    for part in ("city", "county"):
        if part in block:
            parts[part] = _per_value(block[part], lambda texts: _places(texts, reference), reference)
    states = [
        _per_value(block[name], lambda texts: _mapped(texts, clean_state, reference), reference)
        for name in ("state", "province")
        if name in block
    ]
    if states:
        parts["state"] = states[0].zip_with(states[0] != "", states[-1])
    if "postal_code" in block:
        parts["postal_code"] = _per_value(block["postal_code"], postal_codes, reference)
    if "country" in block:
        parts["country"] = _per_value(
            block["country"], lambda texts: _mapped(texts, clean_country, reference), reference
        )
    return parts


def _per_value(column: pl.Series, clean: Callable[[pl.Series], pl.Series], reference: Reference) -> pl.Series:
    """``clean`` of the distinct texts of a column, back in its rows; placeholders and null are empty."""
    [numbers], texts = encode([column])
    unknown = phrases(folded(texts)).is_in(sorted(reference.placeholders["any"]))
    return clean(texts).set(unknown, "").gather(numbers)


def _places(texts: pl.Series, reference: Reference) -> pl.Series:
    plain = phrases(folded(texts), parting="-")
    return by_hand(
        plain, plain, ~whole_words(plain, reference.place_words), lambda t: clean_place(t, reference)
    )


def _mapped(texts: pl.Series, clean: Callable[[str, Reference], str], reference: Reference) -> pl.Series:
    """States and countries are few."""
    return pl.Series([clean(text, reference) for text in texts], dtype=pl.String)


def postal_codes(texts: pl.Series) -> pl.Series:
    """Letters and digits of each text; a ZIP+4 loses its last four."""
    plain = folded(texts).str.strip_chars()
    return plain.str.replace(r"^([0-9]{5})-?[0-9]{4}$", "${1}").str.replace_all("[^a-z0-9]+", "")


def _line_parts(lines: Sequence[pl.Series], reference: Reference) -> dict[str, pl.Series]:
    """``clean_lines`` of the line columns."""
    parts: dict[str, pl.Series] = {}
    for line in lines:
        [numbers], texts = encode([line])
        known = _says_something(texts, reference)
        if not parts:
            split = cleaned_lines(texts.set(~known, ""), reference)
            parts = {part: split[part].gather(numbers) for part in _LINE_PARTS}
            continue
        rows = pl.Series(known.to_numpy()[numbers]) & (parts["unit"] == "")
        bare = rows & (parts["street"] == "")
        if bare.any():
            where = bare.arg_true()
            split = cleaned_lines(texts.gather(numbers[where]), reference)
            number = parts["house_number"].gather(where)
            split = split.with_columns(
                number.zip_with(number != "", split["house_number"]).alias("house_number")
            )
            parts = {part: parts[part].scatter(where, split[part]) for part in _LINE_PARTS}
        where = (rows & ~bare).arg_true()
        units = cleaned_units(texts, reference)
        parts["unit"] = parts["unit"].scatter(where, units.gather(numbers[where]))
    return parts


def _says_something(texts: pl.Series, reference: Reference) -> pl.Series:
    """Whether each line has words and is no placeholder; lines with digits are not looked at closely."""
    close = ~texts.str.contains("[0-9]")
    rows = close.arg_true()
    plain = phrases(folded(texts.gather(rows)))
    return (~close).scatter(rows, (plain != "") & ~plain.is_in(sorted(reference.placeholders["any"])))


def standardise_addresses(
    blocks: Sequence[Mapping[str, pl.Series]], reference: Reference
) -> list[StandardisedField]:
    """The parts of all blocks; slot i of every part is one address, distinct ones packed to the left.

    Each block holds some of the BLOCK_PARTS as columns.
    """
    cleaned = [cleaned_block(block, reference) for block in blocks]
    codes: dict[str, np.ndarray] = {}
    texts: dict[str, pl.Series] = {}
    for part in _KINDS:
        there = [block[part] for block in cleaned if part in block]
        if there:
            coded, texts[part] = encode(there)
            slots = iter(coded)
            nothing = np.zeros(len(coded[0]), np.uint32)
            codes[part] = np.stack([next(slots) if part in block else nothing for block in cleaned], axis=1)
    order = _distinct_first(list(codes.values()))
    return [
        StandardisedField(part, _KINDS[part], _packed(slots, order), texts[part].to_frame("text"))
        for part, slots in codes.items()
    ]


def _distinct_first(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """By row and slot, which block stands there (-1: none); None where there is one block at most."""
    if not parts or parts[0].shape[1] == 1:
        return None
    height, blocks = parts[0].shape
    order = np.full((height, blocks), -1, np.int8)
    filled = np.zeros(height, np.intp)
    for block in range(blocks):
        new = np.any([part[:, block] != 0 for part in parts], axis=0)
        for earlier in range(block):
            new &= np.any([part[:, block] != part[:, earlier] for part in parts], axis=0)
        rows = np.flatnonzero(new)
        order[rows, filled[rows]] = block
        filled[rows] += 1
    return order[:, : max(1, int(filled.max(initial=0)))]


def _packed(slots: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    if order is None:
        return np.ascontiguousarray(slots)
    picked = np.take_along_axis(slots, np.maximum(order, 0).astype(np.intp), axis=1)
    picked[order < 0] = 0
    return picked
