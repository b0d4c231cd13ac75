"""Values that differ in form only: case, spaces, punctuation, the order in which a date is written.

For counting votes and for judging a loss, never for writing: a golden record holds raw values only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from resolver.model.profile import EMAILS, PHONES

_NON_DIGITS: Final = re.compile(r"\D+")
_NON_WORDS: Final = re.compile(r"[\W_]+")
_YEAR: Final = range(1850, 2100)
_PHONES: Final = frozenset(PHONES)
_EMAILS: Final = frozenset(EMAILS)


def likeness(field: str, value: Any) -> Any:
    """What two values of a field share when a reader would call them the same.

    Phones: their digits. E-mails: case. Birth dates: the numbers of the date in any order, so that
    ``2/1/1980`` counts as ``1980-01-02`` (both readings of an ambiguous date are alike). All else: the words,
    without case and punctuation.
    """
    if isinstance(value, dict):
        return frozenset([(part, _of_text("", text)) for part, text in value.items()])
    return _of_text(field, value)


@lru_cache(maxsize=65_536)
def _of_text(field: str, value: str) -> Any:
    """Cached, because the members of a cluster mostly hold the same few texts."""
    if field in _PHONES:
        return _NON_DIGITS.sub("", value) or value
    if field in _EMAILS:
        return value.strip().casefold()
    if field == "BirthDate":
        return _date_numbers(value)
    return _words(value)


def _words(text: str) -> str:
    return _NON_WORDS.sub(" ", text).strip().casefold() or text


def _date_numbers(text: str) -> Any:
    day = text.strip().split("T")[0].split(" 00:")[0]
    numbers = [int(n) for n in _NON_DIGITS.split(day) if n]
    if len(numbers) == 1 and len(_NON_DIGITS.sub("", day)) == 8:  # noqa: PLR2004 - yyyymmdd or ddmmyyyy
        digits = _NON_DIGITS.sub("", day)
        parts = (digits[:4], digits[4:6], digits[6:])
        if int(parts[0]) not in _YEAR:
            parts = (digits[4:], digits[:2], digits[2:4])
        numbers = [int(p) for p in parts]
    if len(numbers) == 3 and day.isascii() and not any(c.isalpha() for c in day):  # noqa: PLR2004 - y, m, d
        return tuple(sorted(numbers))
    return _words(text)
