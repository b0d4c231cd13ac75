"""Mailboxes that say again what the names have said.

anna.miller23@ and anna.miller8911@ are alike because both are Anna Millers: the names are similar. Between
namesakes it is nearly sure, between strangers as rare as the name; a comparison that takes fields for
independent would count the name twice. What is left to say is whether the two share a domain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array
    from resolver.model.rule_set import Level

#: Letters beside the names that are still the name: initials.
_INITIALS: Final = 2
#: Names of fewer letters are found in any mailbox.
_LONG_ENOUGH: Final = 3
_NO_LETTER: Final = re.compile("[^a-z]+")
_NO_DIGIT: Final = re.compile("[^0-9]+")


def echoes(columns: Sequence[Column], pairs: tuple[Array, Array], out: Array) -> tuple[int, Array]:
    """Which pairs have e-mails that are alike, but not equal, for being made of the names beside them.

    Both mailboxes must be made of their profiles' own names; digits that both share are evidence beside them.
    Returns the e-mails' place in ``columns`` and the pairs' places; ``out`` holds the bytes of ``compare``.
    """
    place = {column.name: k for k, column in enumerate(columns)}
    if not place.keys() >= {"first_name", "last_name", "email"}:
        return 0, np.empty(0, np.intp)
    k = place["email"]
    email = columns[k]
    named = [columns[place[name]] for name in ("first_name", "last_name")]
    alike = [1 + index for index, level in enumerate(email.comparison.rising) if _by_spelling(level)]
    at = np.flatnonzero(np.isin(out[k], alike))
    left, right = (side[at] for side in pairs)
    rows = np.unique(np.concatenate([left, right]))
    beside = dict(zip(rows.tolist(), _beside_names(email, named, rows), strict=True))
    found = [
        (a := beside[x]) is not None and (b := beside[y]) is not None and not a & b
        for x, y in zip(left.tolist(), right.tolist(), strict=True)
    ]
    return k, at[np.array(found, bool)]


def without_spelling(column: Column) -> Column:
    """The column with no level for mailboxes that are alike: what is left to say of echoes."""
    levels = tuple(
        level.model_copy(update={"when": {}}) if _by_spelling(level) else level
        for level in column.comparison.levels
    )
    return replace(column, comparison=column.comparison.model_copy(update={"levels": levels}))


def _by_spelling(level: Level) -> bool:
    return not level.when.keys().isdisjoint(("similar_mailbox", "same_local_part"))


def _beside_names(email: Column, named: Sequence[Column], rows: Array) -> list[frozenset[str] | None]:
    """Digits in the mailboxes of each row; None where a mailbox is not made of the names."""
    texts = [column.values[0].strings(column.codes[0][rows, 0].astype(np.intp)) for column in named]
    slots = [
        email.values[0].strings(email.codes[0][rows, slot].astype(np.intp), "local")
        for slot in range(email.slots)
    ]
    out: list[frozenset[str] | None] = []
    for names, locals_ in zip(zip(*texts, strict=True), zip(*slots, strict=True), strict=True):
        parts = sorted((name.replace(" ", "") for name in names), key=len, reverse=True)
        rests = [_rest(local, parts) for local in locals_ if local]
        out.append(None if None in rests else frozenset(rest for rest in rests if rest))
    return out


def _rest(local: str, names: Sequence[str]) -> str | None:
    """The digits of a mailbox that is made of the names, else None."""
    letters = _NO_LETTER.sub("", local)
    left = letters
    for name in names:
        if len(name) >= _LONG_ENOUGH:
            left = left.replace(name, "", 1)
    return _NO_DIGIT.sub("", local) if left != letters and len(left) <= _INITIALS else None
