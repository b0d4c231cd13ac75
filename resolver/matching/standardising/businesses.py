"""Company names: the core that tells companies apart, and the legal form that was removed."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode
from resolver.matching.standardising.folding import fold, words
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from resolver.model.reference import Reference

_LETTER_DOTS: Final = re.compile(r"\b(\w)\.(?=\s?\w\b)")
_PARTING: Final = re.compile(r"[-/&+.,]")
_LONGEST_FORM: Final = 4  # words of one legal form: "sociedad de responsabilidad limitada"


class CleanBusiness(NamedTuple):
    """``core`` is empty where unknown; ``legal_form`` is canonical, several joined with a space."""

    core: str
    legal_form: str


def clean_business(text: str | None, reference: Reference) -> CleanBusiness:
    """One company name without legal forms at either end and without words that tell no one apart.

    A name of nothing but such words keeps them.
    """
    raw = unicodedata.normalize("NFKC", text or "").strip()
    if not raw or " ".join(words(raw)) in reference.placeholders["name"]:
        return CleanBusiness("", "")
    forms = []
    for affix, canonical in reference.legal_affixes.items():
        bare = raw.removeprefix(affix).removesuffix(affix).strip()
        if bare and bare != raw:
            raw = bare
            forms.append(canonical)
    parts = _joined_letters(words(_PARTING.sub(" ", _LETTER_DOTS.sub(r"\1", fold(raw)))))
    kept, more = _without_forms(parts, reference)
    telling = [word for word in kept if word not in reference.business_noise]
    return CleanBusiness(" ".join(telling or kept or parts), " ".join(sorted({*forms, *more})))


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
    kept, forms = list(parts), []
    changed = True
    while changed:
        changed = False
        for length in range(min(_LONGEST_FORM, len(kept) - 1), 0, -1):
            for cut in (slice(len(kept) - length, None), slice(0, length)):
                form = " ".join(kept[cut])
                if form in reference.legal_forms and (cut.start or form in reference.leading_legal_forms):
                    forms.append(reference.legal_forms[form])
                    del kept[cut]
                    changed = True
                    break
            if changed:
                break
        while kept[1:] and kept[-1] in {"and", "und", "et", "y", "e"}:
            kept.pop()
    return kept, forms


def standardise_businesses(names: pl.Series, reference: Reference) -> StandardisedField:
    """business_name. ``legal_form`` lists the forms seen with that core, sorted, joined by ``|``."""
    numbers, cleaned = clean_distinct(names.to_frame("text"), lambda text: clean_business(text, reference))
    parts = pl.DataFrame(cleaned, schema={"text": pl.String, "legal_form": pl.String}, orient="row")
    [codes], texts = encode([parts["text"]])
    forms = (
        parts.filter(pl.col("legal_form") != "")
        .unique()
        .sort("text", "legal_form")
        .group_by("text")
        .agg(pl.col("legal_form").str.join("|"))
    )
    vocabulary = (
        texts.to_frame("text")
        .join(forms, on="text", how="left", maintain_order="left")
        .with_columns(pl.col("legal_form").fill_null(""))
    )
    return StandardisedField("business_name", Kind.BUSINESS, codes[numbers].reshape(-1, 1), vocabulary)
