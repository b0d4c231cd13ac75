"""Postal addresses, whole columns at a time: what ``addresses`` says, mostly by expression."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.compiled import texts as compiled
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
from resolver.matching.standardising.coding import Coded, code, encode, filled, placed, together
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
_AT_ONCE: Final = 131_072  # lines; a dozen columns of text are made of them on the way
_FEW: Final = 512  # lines that are split one by one
_THREADS: Final = 2
_WORD: Final = re.compile("[a-z0-9]+")
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


def cleaned_lines(lines: pl.Series, reference: Reference) -> dict[str, Coded]:
    """``split_line`` of each line, as house_number, street, unit; usual lines by expression.

    Lines that say nothing (``_says_something``) are unknown.
    """
    if len(lines) <= _AT_ONCE:
        return _cleaned_slice(lines, reference)

    def joined(part: str) -> Coded:
        codes, texts = together([one[part] for one in slices])
        return Coded(np.concatenate(codes), texts)

    with ThreadPoolExecutor(_THREADS) as pool:  # Polars releases the lock
        begins = range(0, len(lines), _AT_ONCE)
        slices = list(pool.map(lambda begin: _cleaned_slice(lines.slice(begin, _AT_ONCE), reference), begins))
        return dict(zip(_LINE_PARTS, pool.map(joined, _LINE_PARTS), strict=True))


def _cleaned_slice(lines: pl.Series, reference: Reference) -> dict[str, Coded]:
    """``cleaned_lines`` of some lines: those that kernels know are done by them."""
    if not compiled.taken(lines) or not all(_WORD.fullmatch(word) for word in reference.unit_words):
        return _cleaned_by_expression(lines, reference)
    usual, made = compiled.usual_lines(lines, *_listed(reference))
    quick = {part: code(texts) for part, texts in zip(_LINE_PARTS, made, strict=True)}
    del made
    rows = np.flatnonzero(~usual)
    others = lines.gather(rows)
    if len(rows) > _FEW:  # once more without accents; lines with digits say something
        usual, made = compiled.usual_lines(folded(others), *_listed(reference))
        usual &= others.str.contains("[0-9]").to_numpy()
        again = np.flatnonzero(usual)
        for part, texts in zip(_LINE_PARTS, made, strict=True):
            quick[part] = filled(quick[part], rows[again], code(texts.gather(again)))
        rows, others = rows[~usual], others.gather(np.flatnonzero(~usual))
    if not len(rows):
        return quick
    few = len(rows) <= _FEW
    left = _cleaned_one_by_one(others, reference) if few else _cleaned_by_expression(others, reference)
    return {part: filled(quick[part], rows, left[part]) for part in _LINE_PARTS}


def _cleaned_one_by_one(lines: pl.Series, reference: Reference) -> dict[str, Coded]:
    """Expressions take longer to be made than a few lines take."""
    return _split(code(lines.set(~_says_something(lines, reference), "")), reference)


def _split(lines: Coded, reference: Reference) -> dict[str, Coded]:
    """``split_line`` of each distinct line, called once for it."""
    answers = pl.DataFrame(
        [split_line(text, reference) for text in lines.texts],
        schema=dict.fromkeys(_LINE_PARTS, pl.String),
        orient="row",
    )
    return {part: lines.cleaned(answers[part]) for part in _LINE_PARTS}


def _listed(reference: Reference) -> tuple[dict[str, int], tuple[str, ...]]:
    """What single words are to ``usual_lines``, and the endings of streets' names."""
    kinds: dict[str, int] = {}
    for kind, words in (
        (1, reference.street_types),
        (2, [word for word, first in reference.street_types.items() if first]),
        (4, reference.directions),
        (8, reference.unit_words),
    ):
        for word in filter(_WORD.fullmatch, words):
            kinds[word] = kinds.get(word, 0) | kind
    return kinds, reference.street_endings


def _cleaned_by_expression(lines: pl.Series, reference: Reference) -> dict[str, Coded]:
    lines = lines.set(~_says_something(lines, reference), "")
    plain = folded(lines)
    split = plain.str.splitn(" ", 2).struct
    number, rest = split.field("field_0"), split.field("field_1").fill_null("")
    rest, unit, odd = _without_unit(rest, reference)
    usual = (
        number.str.contains(r"^[0-9]+[a-z]?$")
        & rest.str.contains(r"^[a-z0-9'.][a-z0-9 '.-]*$")
        & ~plain.str.contains_any(["box", "bp", "postfach", "apartado", "casella"])
        & ~odd
    )
    quick = {
        "house_number": number.str.strip_chars_start("0").set(~usual, ""),
        "street": rest.set(~usual, ""),
        "unit": unit.set(~usual, ""),
    }
    coded = {part: code(texts) for part, texts in quick.items()}
    coded["street"] = coded["street"].cleaned(cleaned_streets(coded["street"].texts, reference))
    rows = (~usual).arg_true().to_numpy()
    left = _split(code(lines.gather(rows)), reference)
    return {part: filled(coded[part], rows, left[part]) for part in _LINE_PARTS}


def _without_unit(rest: pl.Series, reference: Reference) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Lines behind the house number without a unit at their end, the units, and where more may be one."""
    blank = pl.repeat("", len(rest), eager=True, dtype=pl.String)
    nowhere = pl.repeat(value=False, n=len(rest), eager=True, dtype=pl.Boolean)
    listed = sorted(reference.unit_words, key=lambda word: (-len(word), word))
    rows = rest.str.contains_any(["#", ",", *listed]).arg_true()  # a fifth of the time of the words as words
    likely = rest.gather(rows)
    rows = rows.filter(likely.str.contains("[#,]") | likely.str.contains(rf"\b(?:{'|'.join(listed)})\b"))
    if not len(rows):
        return rest, blank, nowhere
    ends = (
        rest.gather(rows)
        .str.extract_groups(
            rf"^([a-z0-9 .'-]+?) ?,? ?(?:(?:{'|'.join(listed)})\.? |#)#?([a-z0-9]*[0-9][a-z0-9]*|[a-z])$"
        )
        .struct
    )
    bare, value = ends.field("1"), ends.field("2").fill_null("")
    short = value.str.strip_chars_start("0")
    bare = bare.zip_with(bare.is_not_null(), rest.gather(rows))
    odd = whole_words(bare.str.replace_all(r"[ .]+", " "), reference.unit_words)
    units = short.zip_with(short != "", value)
    return placed(rest, rows, bare), placed(blank, rows, units), placed(nowhere, rows, odd)


def cleaned_streets(distinct: pl.Series, reference: Reference) -> pl.Series:
    """``street_core`` of each folded text."""
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
    bare = _without_endings(own, reference)
    texts_of = [
        pl.when(pl.Series(kept[:, i])).then(bare.gather(word[:, i])).alias(str(i)) for i in range(_MOST_WORDS)
    ]
    joined = pl.select(pl.concat_str(texts_of, separator=" ", ignore_nulls=True)).to_series()
    long = columns[-1].fill_null("").str.contains(" ", literal=True)
    return by_hand(distinct, joined, ~long, lambda text: street_core(text, reference))


def _without_endings(streets: pl.Series, reference: Reference) -> pl.Series:
    """``without_ending`` of each word."""
    if not reference.street_endings:
        return streets
    ended = streets.str.contains("(?:" + "|".join(reference.street_endings) + ")$")
    return by_hand(streets, streets, ~ended, lambda word: without_ending(word, reference))


def cleaned_units(texts: pl.Series, reference: Reference) -> pl.Series:
    """``clean_unit`` of each text."""
    plain = phrases(folded(texts), parting="-")
    zeros = plain.str.contains(r"(?:^| )0")
    accepted = ~(zeros | whole_words(plain, reference.unit_words))
    return by_hand(plain, plain, accepted, lambda text: clean_unit(text, reference))


def cleaned_block(block: Mapping[str, pl.Series], reference: Reference) -> dict[str, Coded]:
    """The parts of one address block of every profile, empty where unknown; absent BLOCK_PARTS give none."""
    clean: dict[str, Callable[[pl.Series], pl.Series]] = {
        "city": lambda texts: _places(texts, reference),
        "county": lambda texts: _places(texts, reference),
        "state": lambda texts: _mapped(texts, clean_state, reference),
        "province": lambda texts: _mapped(texts, clean_state, reference),
        "postal_code": postal_codes,
        "country": lambda texts: _mapped(texts, clean_country, reference),
    }
    there = [name for name in clean if name in block]
    with ThreadPoolExecutor(_THREADS) as pool:
        coded = pool.map(lambda name: _per_value(block[name], clean[name], reference), there)
        lines = _line_parts([block[name] for name in _LINES if name in block], reference)  # meanwhile
        parts = dict(zip(there, coded, strict=True))
    states = [parts.pop(name) for name in ("state", "province") if name in parts]
    if states:
        (state, province), texts = together([states[0], states[-1]])
        parts["state"] = Coded(np.where(state != 0, state, province), texts)
    return lines | parts


def _per_value(column: pl.Series, clean: Callable[[pl.Series], pl.Series], reference: Reference) -> Coded:
    """``clean`` of the distinct texts of a column, back in its rows; placeholders and null are empty."""
    coded = code(column)
    unknown = phrases(folded(coded.texts)).is_in(sorted(reference.placeholders["any"]))
    return coded.cleaned(clean(coded.texts).set(unknown, ""))


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


def _line_parts(lines: Sequence[pl.Series], reference: Reference) -> dict[str, Coded]:
    """``clean_lines`` of the line columns."""
    parts: dict[str, Coded] = {}
    for line in lines:
        texts = line.fill_null("")
        if not parts:
            parts = cleaned_lines(texts, reference)
            continue
        open_ = _says_something(texts, reference).to_numpy() & (parts["unit"].codes == 0)
        bare = np.flatnonzero(open_ & (parts["street"].codes == 0))
        if len(bare):
            split = cleaned_lines(texts.gather(bare), reference)
            numberless = parts["house_number"].codes[bare] == 0
            split["house_number"] = split["house_number"].of(numberless)
            where = {"house_number": bare[numberless]}
            parts = {part: filled(parts[part], where.get(part, bare), split[part]) for part in _LINE_PARTS}
            open_[bare] = False
        rows = np.flatnonzero(open_)
        units = code(texts.gather(rows))
        parts["unit"] = filled(parts["unit"], rows, units.cleaned(cleaned_units(units.texts, reference)))
    return parts


def _says_something(texts: pl.Series, reference: Reference) -> pl.Series:
    """Whether each line has words and is no placeholder; lines with digits are not looked at closely."""
    close = ~texts.str.contains("[0-9]")
    rows = close.arg_true()
    plain = phrases(folded(texts.gather(rows)))
    return placed(~close, rows, (plain != "") & ~plain.is_in(sorted(reference.placeholders["any"])))


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
            coded, texts[part] = together(there)
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
