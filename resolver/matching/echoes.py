"""Mailboxes that say again what the names have said.

anna.miller23@ and anna.miller8911@ are alike because both are Anna Millers: the names are similar. Between
namesakes it is nearly sure, between strangers as rare as the name; a comparison that takes fields for
independent would count the name twice. What is left to say is whether the two share a domain.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.compiled import texts
from resolver.matching.columns import slot_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.matching.columns import Column
    from resolver.matching.values import Array
    from resolver.model.rule_set import Level

#: Letters beside the names that are still the name: initials.
_INITIALS: Final = 2
#: Names of fewer letters are found in any mailbox.
_LONG_ENOUGH: Final = 3


def echoes(columns: Sequence[Column], pairs: tuple[Array, Array], out: Array) -> tuple[int, Array]:
    """Which pairs have e-mails that are alike, but not equal, for being made of the names beside them.

    Both mailboxes must be made of their profiles' own names; digits that both share are evidence beside them.
    Returns the e-mails' place in ``columns`` and the pairs' places; ``out`` holds the bytes of ``compare``.
    """
    place = {column.name: k for k, column in enumerate(columns)}
    if not place.keys() >= {"first_name", "last_name", "email"}:
        return 0, np.empty(0, np.intp)
    k = place["email"]
    rising = columns[k].comparison.rising
    at = np.flatnonzero(np.isin(out[k], [1 + n for n, level in enumerate(rising) if _by_spelling(level)]))
    if not len(at):
        return k, at
    rows, back = np.unique(np.concatenate([side[at] for side in pairs]), return_inverse=True)
    made, digits = _made_of_names(
        [columns[place[name]] for name in ("first_name", "last_name", "email")], rows
    )
    left, right = back[: len(at)], back[len(at) :]
    found = made[left] & made[right]
    for i, j in slot_pairs(columns[k]):
        found &= (digits[i][left] == 0) | (digits[i][left] != digits[j][right])
    return k, at[found]


def without_spelling(column: Column) -> Column:
    """The column with no level for mailboxes that are alike: what is left to say of echoes."""
    levels = tuple(
        level.model_copy(update={"when": {}}) if _by_spelling(level) else level
        for level in column.comparison.levels
    )
    return replace(column, comparison=column.comparison.model_copy(update={"levels": levels}))


def _by_spelling(level: Level) -> bool:
    return not level.when.keys().isdisjoint(("similar_mailbox", "same_local_part"))


def _made_of_names(columns: Sequence[Column], rows: Array) -> tuple[Array, list[Array]]:
    """Whether all mailboxes of a row are made of its names; per slot a number for their digits, or 0."""
    *named, email = columns
    held = [(column.values[0].vocabulary["text"], column.codes[0]) for column in named]
    held.append((email.values[0].vocabulary["local"], email.codes[0]))
    if all(texts.taken(own) for own, _ in held):
        return texts.made_of_names(held, rows)
    first, last = (_texts(column, rows, 0, "text").str.replace_all(" ", "", literal=True) for column in named)
    longer = first.str.len_bytes() >= last.str.len_bytes()
    names = first.zip_with(longer, last), last.zip_with(longer, first)
    made, digits = np.ones(len(rows), bool), []
    for slot in range(email.slots):
        local = _texts(email, rows, slot, "local")
        letters = local.str.replace_all("[^a-z]+", "")
        rest = letters
        for name in names:
            rest = _less(rest, name)
        none = (local == "").to_numpy()
        made &= none | ((rest != letters) & (rest.str.len_bytes() <= _INITIALS)).to_numpy()
        digits.append(local.str.replace_all("[^0-9]+", ""))
    ranks = pl.concat([pl.Series([""]), *digits]).rank("dense").to_numpy().astype(np.intp)
    return made, np.split(ranks[1:] - 1, email.slots)  # no digits come before any


def _texts(column: Column, rows: Array, slot: int, what: str) -> pl.Series:
    return column.values[0].vocabulary[what].gather(column.codes[0][rows, slot])


def _less(letters: pl.Series, names: pl.Series) -> pl.Series:
    """The texts with the first place of each name left out."""
    text, name = pl.col("text"), pl.col("name")
    at, size = text.str.find(name, literal=True), name.str.len_bytes()
    without = text.str.slice(0, at) + text.str.slice(at + size)
    found = at.is_not_null() & (size >= _LONG_ENOUGH)
    return pl.DataFrame({"text": letters, "name": names}).select(
        pl.when(found).then(without).otherwise(text)
    )["text"]
