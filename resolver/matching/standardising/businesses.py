"""Company names: the core that tells companies apart, and the legal form that was removed."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from resolver.compiled import texts as compiled
from resolver.compiled.businesses import companies, phrases_of
from resolver.matching.sorting import ascending
from resolver.matching.standardising.coding import encode, gathered, placed
from resolver.matching.standardising.folding import among, fold, folded, phrases, words
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.compiled.businesses import Phrases
    from resolver.model.reference import Reference

_LETTER_DOTS: Final = re.compile(r"(?<![\w'`])(\w)\.(?=\s?\w(?![\w'`]))")  # not J.O'Neill
_PARTING: Final = "-/&+.,"
_PARTING_MARK: Final = re.compile(f"[{_PARTING}]")
_AND: Final = frozenset({"and", "und", "et", "y", "e"})
_PLURAL_OF_Y: Final = re.compile(r"\b([a-z]{2,})ies\b")
_PLURAL: Final = re.compile(r"\b([a-z]{2,}[b-hj-rtv-z])s\b")  # not bus, glass, oasis
_LONGEST_FORM: Final = 5  # words of one legal form: "sociedad anonima de capital variable"
_FEW: Final = 512  # names that are cleaned one by one


class CleanBusiness(NamedTuple):
    """``core`` is empty where unknown; ``legal_form`` is canonical, several joined with a space."""

    core: str
    legal_form: str


_PARTS: Final = CleanBusiness._fields


def clean_business(text: str, reference: Reference) -> CleanBusiness:
    """One company name without legal forms at either end and without words that tell no one apart.

    A name of nothing but such words keeps them.
    """
    raw = unicodedata.normalize("NFKC", text).strip()
    forms = []
    for affix, canonical in reference.legal_affixes.items():
        bare = raw.removeprefix(affix).removesuffix(affix).strip()
        if bare and bare != raw:
            raw = bare
            forms.append(canonical)
    parts = _joined_letters(words(_PARTING_MARK.sub(" ", _LETTER_DOTS.sub(r"\1", fold(raw)))))
    kept, more = _without_forms(parts, reference)
    telling = [word for word in kept if word not in reference.business_noise]
    core = " ".join(business_word(word, reference) for word in telling or kept or parts)
    return CleanBusiness(core, " ".join(sorted({*forms, *more})))


def business_word(word: str, reference: Reference) -> str:
    """A word as names are compared: written out where it is often cut short, in the singular."""
    if word in reference.business_words:
        return reference.business_words[word]
    return _PLURAL.sub(r"\1", _PLURAL_OF_Y.sub(r"\1y", word))


def _joined_letters(parts: list[str]) -> list[str]:
    """Neighbouring single letters as one word: j p morgan → jp morgan."""
    joined: list[str] = []
    open_run = False
    for part in parts:
        single = len(part) == 1 and part.isalpha()
        if single and open_run:
            joined[-1] += part
        else:
            joined.append(part)
        open_run = single
    return joined


def _without_forms(parts: list[str], reference: Reference) -> tuple[list[str], list[str]]:
    """The words without forms (and "and") behind them and then before them; one word always stays."""
    behind, forms = _forms_behind(parts, reference)
    kept = parts[:behind]
    while True:
        lengths = range(min(_LONGEST_FORM, len(kept) - 1), 0, -1)
        before = next((n for n in lengths if " ".join(kept[:n]) in reference.leading_legal_forms), 0)
        if not before:
            return kept, forms
        forms.append(reference.legal_forms[" ".join(kept[:before])])
        del kept[:before]


def _forms_behind(parts: list[str], reference: Reference) -> tuple[int, list[str]]:
    """Where what is nothing but forms (and "and") up to the end begins, behind the first word; the forms."""
    # where the form from a word on ends, and what it is
    ends: dict[int, tuple[int, str | None]] = {len(parts): (0, None)}
    for begin in range(len(parts) - 1, 0, -1):
        possible = [end for end in range(begin + _LONGEST_FORM, begin, -1) if end in ends]
        written = {end: " ".join(parts[begin:end]) for end in possible}
        found = next((end for end in possible if written[end] in reference.legal_forms), 0)
        if found:
            ends[begin] = found, reference.legal_forms[written[found]]
        elif parts[begin] in _AND and begin + 1 in ends:
            ends[begin] = begin + 1, None
    at = behind = min(ends)
    forms = []
    while at < len(parts):
        at, form = ends[at]
        forms.append(form)
    return behind, [form for form in forms if form is not None]


def cleaned_businesses(texts: pl.Series, reference: Reference) -> pl.DataFrame:
    """``clean_business`` of distinct texts, as columns ``core`` and ``legal_form``; most by a kernel."""
    known = _known(reference) if compiled.taken(texts) else None
    if known is None:
        return _cleaned_by_expression(texts, reference)
    read, made = companies(texts, known)
    quick = pl.DataFrame(dict(zip(_PARTS, made, strict=True)))
    rows = np.flatnonzero(~read | _affixed(texts, reference).to_numpy())
    if len(rows) > _FEW:  # once more as they are folded: most of them have accents
        raw = pl.Series([unicodedata.normalize("NFKC", text) for text in texts.gather(rows)], dtype=pl.String)
        read, made = companies(folded(raw), known)
        read &= ~_affixed(raw, reference, plain=False).to_numpy()
        again = np.flatnonzero(read)
        quick = _placed(quick, rows[again], [column.gather(again) for column in made])
        rows = rows[~read]
    return _with_careful(quick, texts, rows, reference) if len(rows) else quick


def _with_careful(
    quick: pl.DataFrame, texts: pl.Series, rows: np.ndarray, reference: Reference
) -> pl.DataFrame:
    careful = [clean_business(text, reference) for text in texts.gather(rows)]
    return _placed(quick, rows, [[one.core for one in careful], [one.legal_form for one in careful]])


def _placed(
    quick: pl.DataFrame, rows: np.ndarray, parts: Sequence[pl.Series | Sequence[str]]
) -> pl.DataFrame:
    """The parts of companies with others in those rows."""
    where = pl.Series(rows)
    made = [pl.Series(part, dtype=pl.String) for part in parts]
    return pl.DataFrame(
        {name: placed(quick[name], where, part) for name, part in zip(_PARTS, made, strict=True)}
    )


def _known(reference: Reference) -> Phrases | None:
    """What the kernel knows of words."""
    leading = reference.leading_legal_forms
    forms = {w: (form, w in leading) for w, form in _forms(reference).items()}
    return phrases_of(_AND, reference.business_noise, reference.business_words, forms)


def _forms(reference: Reference) -> dict[str, str]:
    """The legal forms that ``_without_forms`` may find."""
    return {w: form for w, form in reference.legal_forms.items() if w.count(" ") < _LONGEST_FORM}


def _affixed(texts: pl.Series, reference: Reference, *, plain: bool = True) -> pl.Series:
    """Which texts hold an affix anywhere; ``plain``: one in ASCII, which names in ASCII may hold, too."""
    affixes = [affix for affix in reference.legal_affixes if affix.isascii() or not plain]
    if not affixes:
        return pl.repeat(value=False, n=len(texts), eager=True, dtype=pl.Boolean)
    return texts.str.contains_any(affixes)


def _cleaned_by_expression(texts: pl.Series, reference: Reference) -> pl.DataFrame:
    plain = texts.str.to_lowercase()
    every = phrases(plain, parting=_PARTING)
    forms = "|".join(sorted(_forms(reference), key=lambda form: (-len(form), form)))
    split = every.str.extract_groups(f"^(.+?)((?: (?:{forms}|{'|'.join(sorted(_AND))}))*)$").struct
    kept, tail = split.field("1").fill_null(""), split.field("2").fill_null("")
    noise = "|".join(sorted(word for word in reference.business_noise if " " not in word))
    telling = phrases(kept.str.replace_all(rf"\b(?:{noise})\b", " "))
    core = _in_singular(
        pl.select(pl.when(telling != "").then(telling).otherwise(kept)).to_series(), reference
    )
    tails = tail.unique()
    named = [" ".join(sorted(set(_without_forms(["", *t.split()], reference)[1]))) for t in tails]
    form = tail.replace_strict(tails, pl.Series(named, dtype=pl.String), return_dtype=pl.String)
    marked = (
        (texts.str.len_bytes() != texts.str.len_chars())
        | _affixed(texts, reference)
        | every.str.contains(r"\b[a-z0-9] [a-z0-9]\b")
        | kept.str.extract("^([^ ]*)").is_in(
            sorted(form.split()[0] for form in reference.leading_legal_forms)
        )
    )
    quick = pl.DataFrame({"core": core, "legal_form": form})
    return _with_careful(quick, texts, marked.arg_true().to_numpy(), reference)


def _in_singular(names: pl.Series, reference: Reference) -> pl.Series:
    """``business_word`` of every word."""
    parted = pl.select(
        pl.lit("  ") + names.str.replace_all(" ", "  ", literal=True) + pl.lit("  ")
    ).to_series()
    known = reference.business_words
    written = parted.str.replace_many(  # what is in underscores is no plural
        [f" {w} " for w in known], [f" _{w.replace(' ', '_ _')}_ " for w in known.values()]
    )
    singular = written.str.replace_all(_PLURAL_OF_Y.pattern, "${1}y").str.replace_all(_PLURAL.pattern, "$1")
    return singular.str.replace_all("_", "", literal=True).str.replace_all(" +", " ").str.strip_chars(" ")


def standardise_businesses(names: pl.Series, reference: Reference) -> StandardisedField:
    """business_name; placeholders are unknown.

    The vocabulary's ``legal_form`` lists the forms seen with that core, sorted, joined by ``|``.
    """
    [numbers], texts = encode([names])
    parts = cleaned_businesses(texts, reference)
    unknown = among(texts, reference.placeholders["name"])
    [codes], cores = encode([parts["core"].set(unknown, "")])
    known = np.flatnonzero(~unknown.to_numpy())
    forms = _forms_seen(codes[known], parts["legal_form"].gather(known), len(cores))
    vocabulary = pl.DataFrame({"text": cores, "legal_form": forms})
    return StandardisedField("business_name", Kind.BUSINESS, gathered(codes, numbers), vocabulary)


def _forms_seen(cores: np.ndarray, forms: pl.Series, count: int) -> pl.Series:
    """The forms seen with each of so many cores, sorted, joined by ``|``."""
    [codes], texts = encode([forms])
    names = texts.sort()
    ranks = names.search_sorted(texts).to_numpy()[codes]  # 0: none
    pairs = ascending((cores.astype(np.uint64) << np.uint64(32) | ranks)[ranks > 0])
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=~pairs[:1]))]
    core, rank = pairs >> np.uint64(32), pairs & np.uint64(2**32 - 1)
    first = np.flatnonzero(np.diff(core, prepend=~core[:1]))  # most cores have one form or few
    place = np.arange(len(core)) - np.repeat(first, np.diff(first, append=len(core)))
    seen, said = np.zeros(count, np.uint32), names.to_list()  # what is said of each core so far
    seen[core[first]] = rank[first]
    for more in range(1, int(place.max(initial=0)) + 1):
        rows = np.flatnonzero(place == more)
        before = seen[core[rows]].astype(np.uint64) << np.uint64(32)
        distinct, which = np.unique(before | rank[rows], return_inverse=True)
        seen[core[rows]] = which + len(said)
        said += [f"{said[pair >> 32]}|{said[pair & 2**32 - 1]}" for pair in distinct.tolist()]
    return pl.Series(said, dtype=pl.String).gather(seen)
