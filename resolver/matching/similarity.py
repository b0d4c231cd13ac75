"""The tests that comparison levels are made of: the only place that calls rapidfuzz.

``TESTS`` is the whole list; a rule set names them in ``when``. Each takes the two sides of many pairs and a
limit and says for which pairs it holds. Integer tests come first wherever they can spare a string comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from resolver.matching.integer_tests import (
    date_digit_distance,
    day_month_swapped,
    days_apart,
    digit_distance,
    same,
    same_date_parts,
    same_month_day,
    same_year,
)
from resolver.matching.nearness import (
    ROUNDING,
    letters_apart,
    near_by_edits,
    near_by_ratio,
    near_by_winkler,
    winkler_may_reach,
)
from resolver.matching.pair_index import grouped_pairs
from resolver.matching.sides import Sides
from resolver.matching.word_tests import same_nickname, shared_words, words_contained

if TYPE_CHECKING:
    from collections.abc import Callable

    from resolver.matching.values import Array, Values

#: Pairs from which on equal value pairs are scored once.
_WORTH_GROUPING: Final = 64
#: Last characters in which numbers handed out one after another differ.
_TAIL: Final = 2


@dataclass(frozen=True, slots=True)
class Test:
    """A test, what its limit means, how many fields it looks at, and whether larger limits are laxer."""

    holds: Callable[[Sides, float], Array]
    meaning: str
    fields: int = 1
    at_most: bool = False


def _edit_distance(sides: Sides, limit: float) -> Array:
    return _where(
        near_by_edits(sides, limit),
        sides,
        lambda x, y: cpdist(x, y, scorer=OSA.distance, score_cutoff=int(limit)) <= limit,
    )


def _slip(sides: Sides, limit: float) -> Array:
    def holds(x: list[str], y: list[str]) -> Array:
        close = cpdist(x, y, scorer=OSA.distance, score_cutoff=int(limit)) <= limit
        tails = [one[-_TAIL:] == other[-_TAIL:] for one, other in zip(x, y, strict=True)]
        return close & np.array(tails, bool)

    return _where(near_by_edits(sides, limit), sides, holds)


def _jaro_winkler(sides: Sides, limit: float) -> Array:
    return _where(
        near_by_winkler(sides, limit),
        sides,
        lambda x, y: (
            cpdist(x, y, scorer=JaroWinkler.similarity, score_cutoff=limit, dtype=np.float32) >= limit - 1e-6
        ),
    )


def _text_ratio(sides: Sides, limit: float) -> Array:
    return _where(
        near_by_ratio(sides, limit),
        sides,
        lambda x, y: (
            cpdist(x, y, scorer=fuzz.ratio, score_cutoff=100 * limit, dtype=np.float32) >= 100 * limit - 1e-4
        ),
    )


def _prefix(sides: Sides, limit: float) -> Array:
    del limit
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    size = np.minimum(np.minimum(values.length[a], values.length[b]), 8).astype(np.uint64)
    shift = (8 - size) * np.uint64(8)
    known = size > 0
    same = known & ((values.word[a] >> shift % 64) == (values.word[b] >> shift % 64))
    exact = values.ascii[a] & values.ascii[b] & (np.minimum(values.length[a], values.length[b]) <= 8)  # noqa: PLR2004
    return _where(
        same & ~exact,
        sides,
        lambda x, y: np.array([p.startswith(q) or q.startswith(p) for p, q in zip(x, y, strict=True)], bool),
    ) | (same & exact)


def _any_word(sides: Sides, limit: float) -> Array:
    del limit
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    return _where(values.several_words[a] | values.several_words[b], sides, _some_word_meets)


def _some_word_meets(x: list[str], y: list[str]) -> Array:
    """Two words equal, one the initial of the other, or both sides equal without spaces."""
    out = np.zeros(len(x), bool)
    for i, (p, q) in enumerate(zip(x, y, strict=True)):  # middle names only; no expression pairs up words
        words, others = p.split(), q.split()
        out[i] = p.replace(" ", "") == q.replace(" ", "") or any(
            v == w or (1 in {len(v), len(w)} and v[0] == w[0]) for v in words for w in others
        )
    return out


def _part(sides: Sides, limit: float) -> Array:
    del limit
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    more, less = letters_apart(values, a, b)
    return _where(np.minimum(more, less) == 0, sides, _one_is_part)


def _one_is_part(x: list[str], y: list[str]) -> Array:
    """One side, of three letters or more, begins or ends the other, or is one of its words."""
    out = np.zeros(len(x), bool)
    for i, (p, q) in enumerate(
        zip(x, y, strict=True)
    ):  # few pairs pass the letter test; no expression compares ends
        short, long = sorted((p, q), key=len)
        out[i] = len(short) >= 3 and (long.startswith(short) or long.endswith(short))  # noqa: PLR2004
    return out


def _similar_mailbox(sides: Sides, limit: float) -> Array:
    """Local parts alike (Jaro-Winkler) and domains alike."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    same = values.domain[a] == values.domain[b]
    at = np.flatnonzero(same | (values.domain_start[a] == values.domain_start[b]))
    size, letters = values.mailbox_letters
    x, y = _shorter_first(values, a[at], b[at])
    plain = values.ascii[x] & values.ascii[y]
    more = np.bitwise_count(letters[x] & ~letters[y]) * plain
    less = np.bitwise_count(letters[y] & ~letters[x]) * plain
    starts = values.word[x] ^ values.word[y]
    may = np.flatnonzero(winkler_may_reach(limit, (size[x], size[y]), (more, less), starts))
    at, x, y = at[may], x[may], y[may]
    out = np.zeros(len(a), bool)
    for part, known in (("local", np.zeros(len(a), bool)), ("domain", same)):
        alike = known[at]
        open_ = np.flatnonzero(~alike)
        one, other = values.strings(x[open_], part), values.strings(y[open_], part)
        alike[open_] = (
            cpdist(one, other, scorer=JaroWinkler.similarity, score_cutoff=limit - ROUNDING, dtype=np.float32)
            >= limit
        )
        at, x, y = at[alike], x[alike], y[alike]
    out[at] = True
    return out


def _same_number_similar_street(sides: Sides, limit: float) -> Array:
    same = _same_number(sides, 1)
    out = np.zeros(len(sides), bool)
    out[same] = _street_alike(sides.take(same), limit)
    return out


def _same_street_near_number(sides: Sides, limit: float) -> Array:
    (number, _), (a, _), (b, _) = sides.values, sides.a, sides.b
    out = np.zeros(len(sides), bool)
    street = np.flatnonzero(_street_alike(sides, 0.9))
    x, y = a[street], b[street]
    missing = (x == 0) | (y == 0)
    out[street[missing]] = True
    both = ~missing
    out[street[both]] = _edit_distance(Sides((number,), (x[both],), (y[both],)), limit)
    return out


def _same_number_no_street(sides: Sides, limit: float) -> Array:
    return _same_number(sides, limit) & ((sides.a[1] == 0) | (sides.b[1] == 0))


def _same_number(sides: Sides, limit: float) -> Array:
    del limit
    return (sides.a[0] > 0) & (sides.a[0] == sides.b[0])


def _same_address_text(sides: Sides, limit: float) -> Array:
    """House number and street as one text: survives digits that were misread and numbers parted wrongly."""
    (number, street), (n1, s1), (n2, s2) = sides.values, sides.a, sides.b
    out = np.zeros(len(sides), bool)
    size_a, size_b = (number.length[n] + street.length[s] + 1 for n, s in ((n1, s1), (n2, s2)))
    x, y = (number.letters[n] | street.letters[s] for n, s in ((n1, s1), (n2, s2)))
    plain = number.ascii[n1] & number.ascii[n2] & street.ascii[s1] & street.ascii[s2]
    shared = np.minimum(size_a - np.bitwise_count(x & ~y) * plain, size_b - np.bitwise_count(y & ~x) * plain)
    near = 2 * shared >= limit * (size_a + size_b)
    at = np.flatnonzero(near & (s1 > 0) & (s2 > 0))
    if len(at):
        one, other = (
            (number.text.gather(a) + " " + street.text.gather(b)).to_list()
            for a, b in ((n1[at], s1[at]), (n2[at], s2[at]))
        )
        ratio = cpdist(one, other, scorer=fuzz.ratio, score_cutoff=100 * limit, dtype=np.float32)
        out[at] = ratio >= 100 * limit - 1e-4
    return out


def _street_alike(sides: Sides, limit: float) -> Array:
    (_, street), (_, a), (_, b) = sides.values, sides.a, sides.b
    out = (a > 0) & (a == b)
    other = np.flatnonzero((a > 0) & (b > 0) & (a != b))
    if limit < 1 and len(other):
        out[other] = _text_ratio(Sides((street,), (a[other],), (b[other],)), limit)
    return out


def _where(near: Array, sides: Sides, holds: Callable[[list[str], list[str]], Array]) -> Array:
    """A test on strings for the pairs that are near enough to need it; equal value pairs are tested once."""
    (values,), (a,), (b,) = sides.values, sides.a, sides.b
    out = np.zeros(len(a), bool)
    at = np.flatnonzero(near)
    if not len(at):
        return out
    x, y = _shorter_first(values, a[at], b[at])
    back: Array | None = None
    if len(at) >= _WORTH_GROUPING and not sides.distinct:
        x, y, back = grouped_pairs(x, y)
    result = holds(values.strings(x), values.strings(y))
    out[at] = result if back is None else result[back]
    return out


def _shorter_first(values: Values, x: Array, y: Array) -> tuple[Array, Array]:
    """The pairs as scorers see them: the answer must not depend on which side is left."""
    size, word = values.length, values.word
    swap = (size[x] > size[y]) | ((size[x] == size[y]) & (word[x] > word[y]))
    return np.where(swap, y, x), np.where(swap, x, y)


TESTS: Final[dict[str, Test]] = {
    "jaro_winkler": Test(_jaro_winkler, "Jaro-Winkler similarity, 0 to 1, at least"),
    "edit_distance": Test(
        _edit_distance, "letters changed, added, left out or exchanged with a neighbour, at most"
    ),
    "slip": Test(
        _slip, "as edit_distance, but not in the last two characters, where numbers in sequence differ"
    ),
    "text_ratio": Test(_text_ratio, "share of characters in common and in order, 0 to 1, at least"),
    "prefix": Test(_prefix, "1: one value begins the other (initials too)"),
    "part": Test(_part, "1: one value of three letters or more begins or ends the other"),
    "same_nickname": Test(
        same_nickname, "1: may be short for one first name (rules/reference/nicknames.csv)"
    ),
    "any_word": Test(_any_word, "1: a word of one side is a word of the other, or its initial"),
    "days_apart": Test(days_apart, "days between two dates, at most", at_most=True),
    "date_digit_distance": Test(
        date_digit_distance,
        "digits off at most between two full dates; neighbours exchanged count",
        at_most=True,
    ),
    "digit_distance": Test(
        digit_distance, "digits off at most, of equally many; two neighbours exchanged count"
    ),
    "day_month_swapped": Test(day_month_swapped, "1: same date with day and month exchanged"),
    "same_date_parts": Test(same_date_parts, "how many of year, month, day are equal, at least"),
    "same_year": Test(same_year, "1: same year"),
    "same_month_day": Test(same_month_day, "1: same month and day"),
    "same_phone_base": Test(same("phone_base"), "1: same number when extensions are left out"),
    "same_local_part": Test(same("local_part"), "1: same text before the @ (role mailboxes do not count)"),
    "same_own_domain": Test(same("own_domain"), "1: same domain that is no public mail provider"),
    "similar_mailbox": Test(
        _similar_mailbox, "Jaro-Winkler of both the part before and after the @, at least"
    ),
    "shared_words": Test(shared_words, "overlap of words weighted by rarity, 0 to 1, at least"),
    "words_contained": Test(
        words_contained, "all words of one side in the other, with an overlap of at least"
    ),
    "same_sound": Test(same("sound"), "1: same first letter and same consonants behind it, as they sound"),
    "same_letters": Test(same("anagram"), "1: the same letters in another order, four or more"),
    "same_without_spaces": Test(same("squeezed"), "1: equal without spaces"),
    "same_postal_area": Test(same("postal_area"), "1: same outward code, or same first three characters"),
    "same_number_similar_street": Test(
        _same_number_similar_street, "same house number and a street with a text ratio of at least", 2
    ),
    "same_address_text": Test(
        _same_address_text, "number and street as one text, a text ratio of at least", 2
    ),
    "same_street_near_number": Test(
        _same_street_near_number, "same street, house number missing or edits off at most", 2, at_most=True
    ),
    "same_number_no_street": Test(
        _same_number_no_street, "1: same house number, street missing on a side", 2
    ),
    "same_street": Test(_street_alike, "street with a text ratio of at least", 2),
    "same_number": Test(_same_number, "1: same house number", 2),
}
