"""Company names by a kernel: their words, and those of them that are legal forms or tell no one apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from resolver.compiled.texts import MOST_LISTED, Made, called, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

Array: TypeAlias = NDArray[Any]

#: What a phrase may be: see businesses.c.
_AND, _NOISE, _WRITTEN, _FORM, _LEADS, _BEGINS, _ENDS = (1 << k for k in range(7))


class Phrases(NamedTuple):
    """What phrases of letters, digits and single spaces are in company names."""

    #: Those that are looked up, and what each may be.
    kinds: dict[str, int]
    #: How each is written out, empty where it is not.
    written: Sequence[str]
    #: Which of the ``forms``, which rise, each is.
    form: Sequence[int]
    forms: Sequence[str]
    #: Words of the longest form.
    most: int


def phrases_of(
    ands: Iterable[str],
    noise: Iterable[str],
    written: Mapping[str, str],
    forms: Mapping[str, tuple[str, bool]],
) -> Phrases | None:
    """What ``companies`` knows of words; None where they are too many for it.

    ``ands`` go with the forms behind a name; ``written`` are words that are written out; ``forms`` say how
    each is called, and whether it may stand before a name, too.
    """
    kinds: dict[str, int] = {}
    leading = [form for form, (_, leads) in forms.items() if leads]
    longer = [form.split(" ") for form in forms if " " in form]
    for kind, listed in (
        *((_AND, ands), (_NOISE, noise), (_WRITTEN, written), (_FORM, forms), (_LEADS, leading)),
        *((_BEGINS, [words[0] for words in longer]), (_ENDS, [words[-1] for words in longer])),
    ):
        for phrase in filter(None, listed):
            kinds[phrase] = kinds.get(phrase, 0) | kind
    if len(kinds) > MOST_LISTED:
        return None
    names = sorted({name for name, _ in forms.values()})
    ranks = {form: names.index(name) for form, (name, _) in forms.items()}
    return Phrases(
        kinds,
        [written.get(phrase, "") for phrase in kinds],
        [ranks.get(phrase, 0) for phrase in kinds],
        names,
        max((len(words) for words in longer), default=1),
    )


def companies(texts: pl.Series, phrases: Phrases) -> tuple[Array, tuple[pl.Series, pl.Series]]:
    """Which names are read, their cores and their legal forms; those beyond ASCII are not, nor long ones."""
    read, core, form = np.empty(len(texts), bool), Made(), Made()
    kinds = np.array([*phrases.kinds.values(), 0], np.uint8)
    told = *joined(phrases.kinds), kinds, len(phrases.kinds), *joined(phrases.written)
    forms = np.array([*phrases.form, 0], np.int32), *joined(phrases.forms), len(phrases.forms), phrases.most
    made = (room for one in (core, form) for room in (one.schema, one.array))
    called("companies", texts, *told, *forms, read, *made)
    return read, (core.column(), form.column())
