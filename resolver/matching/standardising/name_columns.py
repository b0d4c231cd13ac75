"""Personal names, whole columns at a time: what ``names`` says, mostly by expression."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.compiled import texts as compiled
from resolver.matching.lookups import look_up
from resolver.matching.standardising.coding import code, encode, placed
from resolver.matching.standardising.folding import folded, phrases, whole_words
from resolver.matching.standardising.names import (
    PersonName,
    family_name,
    given_words,
    middle_name,
    split_full_name,
)
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.model.reference import Reference

NAME_COLUMNS: Final = ("first_name", "middle_name", "last_name", "full_name", "name_suffix")
_PARTS: Final = PersonName._fields
_SCHEMA: Final = dict.fromkeys(_PARTS, pl.String)


class _Texts:
    """The distinct texts of one column: folded, as words, with what decides how a row's name is read."""

    def __init__(self, column: pl.Series, reference: Reference) -> None:
        [self.codes], texts = encode([column])
        self.plain = folded(texts)
        self.words = phrases(self.plain)
        unknown = self.words.is_in(sorted(reference.placeholders["name"]))
        self.words = self.words.set(unknown, "")
        spaces = self.words.str.count_matches(" ", literal=True).to_numpy()
        self.count = np.where((self.words == "").to_numpy(), 0, spaces + 1)


def cleaned_given(texts: _Texts, reference: Reference) -> pl.DataFrame:
    """``given_name`` of each text, as columns first, middle, last, suffix."""
    split = texts.words.str.splitn(" ", 2)
    first, rest = split.struct.field("field_0"), split.struct.field("field_1")
    marked = whole_words(texts.words, [*reference.titles, *reference.suffixes])
    return _by_hand(
        texts, _frame(first=first, middle=rest), marked, lambda t: given_words(t.split(), reference)
    )


def cleaned_middle(texts: _Texts, reference: Reference) -> pl.DataFrame:
    """``middle_name`` of each text."""
    marked = whole_words(texts.words, [*reference.suffixes, *reference.placeholders["name"]])
    return _by_hand(texts, _frame(middle=texts.words), marked, lambda t: middle_name(t, reference))


def cleaned_family(texts: _Texts, reference: Reference) -> pl.DataFrame:
    """``family_name`` of each text."""
    joined = texts.words.str.replace_all(" ", "", literal=True)
    marked = whole_words(texts.words, [*reference.titles, *reference.suffixes])
    return _by_hand(texts, _frame(last=joined), marked, lambda t: family_name(t, reference))


def cleaned_full(plain: pl.Series, reference: Reference) -> pl.DataFrame:
    """``split_full_name`` of folded texts: plain ones and "Last, First" all at once."""
    if not compiled.taken(plain):
        return _full_by_expression(plain, reference)
    special = [*reference.titles, *reference.suffixes, *reference.particles, "of"]
    first_words = {phrase_.split(" ")[0] for phrase_ in special}
    read, (first, middle, last) = compiled.full_names(plain, first_words, reference.dignities)
    quick = _frame(first=first, middle=middle, last=last)
    rows = pl.Series(np.flatnonzero(~read))
    if not len(rows):
        return quick
    left = _full_by_expression(plain.gather(rows), reference)
    return pl.DataFrame({part: placed(quick[part], rows, left[part]) for part in _PARTS})


def _full_by_expression(plain: pl.Series, reference: Reference) -> pl.DataFrame:
    turned = plain.str.replace(r"^([a-z'-]+) *, *([a-z][a-z' .-]*)$", "${2} \u0001${1}")
    usual = turned.str.contains(r"^[a-z' .-]+(?: \x01[a-z'-]+)?$")
    was_turned = turned.str.contains("\u0001", literal=True)
    every = phrases(turned)
    untitled = every.str.replace(f"^(?:{_any_of(reference.titles)}) (.+ .+)$", "${1}")
    suffixes = _any_of(reference.suffixes)
    suffix = untitled.str.extract(f" ({suffixes})$").replace(dict(reference.suffixes)).fill_null("")
    bare = untitled.str.replace(f"^(.+ .+) (?:{suffixes})$", "${1}")
    special = [*reference.titles, *reference.suffixes, *reference.particles, "of"]
    marked = whole_words(bare, special) | ~usual | ~bare.str.contains(" ", literal=True)
    ranked = every.str.extract("^([^ ]*)").is_in(sorted(reference.dignities)) | (bare != untitled)
    marked |= was_turned & ranked  # "Smith, Baron X" and "Smith, John Jr"
    quick = _frame(
        first=bare.str.extract(r"^([^ ]*)"),
        middle=bare.str.extract(r"^[^ ]* (.*) [^ ]*$"),
        last=bare.str.extract(r"([^ ]*)$"),
        suffix=suffix,
    )
    return _scatter(plain, quick, marked, lambda t: split_full_name(t, reference))


def _any_of(listed: object) -> str:
    return "|".join(re.escape(one) for one in sorted(listed, key=lambda w: (-len(w), w)))  # type: ignore[call-overload]


def _frame(**columns: pl.Series) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    blank = pl.repeat("", height, eager=True)
    return pl.DataFrame({part: columns.get(part, blank).fill_null("") for part in _PARTS})


def _by_hand(
    texts: _Texts, quick: pl.DataFrame, marked: pl.Series, clean: Callable[[str], PersonName]
) -> pl.DataFrame:
    return _scatter(texts.words, quick, marked, clean)


def _scatter(
    texts: pl.Series, quick: pl.DataFrame, marked: pl.Series, clean: Callable[[str], PersonName]
) -> pl.DataFrame:
    """The quick answers, in the marked rows the careful ones; the texts are distinct already."""
    rows = marked.arg_true()
    if not len(rows):
        return quick
    careful = pl.DataFrame([clean(text) for text in texts.gather(rows)], schema=_SCHEMA, orient="row")
    return pl.DataFrame({part: placed(quick[part], rows, careful[part]) for part in _PARTS})


def standardise_names(names: pl.DataFrame, reference: Reference) -> list[StandardisedField]:
    """first_name, middle_name and last_name with one vocabulary, and name_suffix.

    ``names`` has the NAME_COLUMNS. The vocabulary's ``root`` is the full name of a nickname, where it stands
    for one (of several, the usual one), else the text itself.
    """
    first, middle, last, full = (_Texts(names[name], reference) for name in NAME_COLUMNS[:4])
    apart = names["name_suffix"]
    del names  # a million texts each
    stack = _Stack()
    given = look_up(stack.add(cleaned_given(first, reference)), first.codes)
    between = look_up(stack.add(cleaned_middle(middle, reference)), middle.codes)
    family = look_up(stack.add(cleaned_family(last, reference)), last.codes)
    n_first, n_middle, n_last, n_full = (look_up(t.count, t.codes) for t in (first, middle, last, full))
    particles = last.words.str.extract("^([^ ]*)").is_in(sorted(reference.particles)).to_numpy()
    particle = look_up(particles, last.codes)
    in_full = n_full > 1
    in_first = ~in_full & (n_last == 0) & (n_middle == 0) & (n_first > 1)
    in_last = ~in_full & (n_first == 0) & (n_middle == 0) & (n_last > 1) & ~particle
    for texts, rows in ((full, in_full), (first, in_first), (last, in_last)):
        whole = np.flatnonzero(rows)
        if len(whole):
            distinct, which = np.unique(texts.codes[whole], return_inverse=True)
            split = stack.add(cleaned_full(texts.plain.gather(distinct), reference))[which]
            given[whole], family[whole], between[whole] = split, split, 0
    alone = np.flatnonzero((n_full == 1) & (n_first == 0) & (n_middle == 0) & (n_last == 0))
    if len(alone):
        distinct, which = np.unique(full.codes[alone], return_inverse=True)
        plain = _Texts(full.words.gather(distinct), reference)
        given[alone] = stack.add(cleaned_given(plain, reference))[plain.codes][which]
    return stack.fields((given, between, family), apart, reference)


class _Stack:
    """Readings of names under each other; row 0 is the unknown name."""

    def __init__(self) -> None:
        self.frames = [pl.DataFrame([PersonName()], schema=_SCHEMA, orient="row")]
        self.height = 1

    def add(self, readings: pl.DataFrame) -> np.ndarray:
        """The rows that the readings have now."""
        start, self.height = self.height, self.height + readings.height
        self.frames.append(readings)
        return np.arange(start, self.height, dtype=np.uint32)

    def fields(
        self, rows: tuple[np.ndarray, np.ndarray, np.ndarray], apart: pl.Series, reference: Reference
    ) -> list[StandardisedField]:
        """The fields of profiles whose given, middle and family name are read in those rows."""
        given, between, family = rows
        readings = pl.concat(self.frames, rechunk=True)
        held = (readings["middle"] != "").to_numpy()
        both = np.flatnonzero(look_up(held, given) & look_up(held, between))
        pairs, which = np.unique(
            given[both].astype(np.uint64) << np.uint64(32) | between[both], return_inverse=True
        )
        joined = (
            readings["middle"].gather(pairs >> np.uint64(32))
            + " "
            + readings["middle"].gather(pairs & np.uint64(2**32 - 1))
        )
        (firsts, middles, lasts, joins), texts = encode(
            [readings["first"], readings["middle"], readings["last"], joined]
        )
        middle = look_up(middles, given)
        middle = np.where(middle != 0, middle, look_up(middles, between))
        middle[both] = joins[which]
        roots = texts.replace({nickname: full[0] for nickname, full in reference.nicknames.items()})
        vocabulary = pl.DataFrame({"text": texts, "root": roots})
        codes = {
            "first_name": look_up(firsts, given),
            "middle_name": middle,
            "last_name": look_up(lasts, family),
        }
        fields = [StandardisedField(n, Kind.NAME, c.reshape(-1, 1), vocabulary) for n, c in codes.items()]
        coded = code(apart)
        written = phrases(folded(coded.texts))
        written = written.set(written.is_in(sorted(reference.placeholders["name"])), "").replace(
            dict(reference.suffixes)
        )
        (suffixes, others), texts = encode([readings["suffix"], written])
        chosen = look_up(others, coded.codes)
        for reading in (between, given, family):
            own = look_up(suffixes, reading)
            chosen = np.where(own != 0, own, chosen)
        return [
            *fields,
            StandardisedField("name_suffix", Kind.CATEGORY, chosen.reshape(-1, 1), texts.to_frame("text")),
        ]
