"""E-mail addresses: lower case, tag out, shared mailboxes marked."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import polars as pl

from resolver.compiled import texts as compiled
from resolver.matching.standardising.coding import encode, forget, placed, slots_of, stacked
from resolver.matching.standardising.folding import by_hand
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_ANGLES: Final = re.compile(r"<([^<>]*@[^<>]*)>")
_SPACES: Final = re.compile(r"\s")
#: Addresses that only need lower case: nothing to strip at either end, no tag.
_PLAIN: Final = r"^[A-Za-z0-9_%][A-Za-z0-9_%.-]*@[A-Za-z0-9.-]*[A-Za-z0-9]$"
_TAGGED: Final = r"^([A-Za-z0-9_%][A-Za-z0-9_%.-]*)\+[A-Za-z0-9_%.+-]*(@[A-Za-z0-9.-]*[A-Za-z0-9])$"


def clean_email(text: str) -> str:
    """The address in lower case without its +tag; empty where it is no address."""
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if m := _ANGLES.search(plain):
        plain = m[1].strip()
    local, at, domain = plain.removeprefix("mailto:").strip(" .,;").rpartition("@")
    local = (local.split("+")[0] or local).replace("@", "")
    return f"{local}@{domain}" if at and local and domain and not _SPACES.search(local + domain) else ""


def cleaned_emails(texts: pl.Series) -> pl.Series:
    """``clean_email`` of each text; nulls stay."""
    if compiled.taken(texts):
        lower, plain_ = compiled.plain_emails(texts)
        return by_hand(texts, lower, pl.Series(plain_), clean_email)
    plain = texts.str.contains(_PLAIN)
    rows = (~plain).arg_true()
    untagged, accepted = texts, plain.fill_null(value=True)
    if len(rows):
        bare = texts.gather(rows).str.replace(_TAGGED, "${1}${2}")
        untagged, accepted = placed(texts, rows, bare), placed(accepted, rows, bare.str.contains(_PLAIN))
    return by_hand(texts, untagged.str.to_lowercase(), accepted, clean_email)


def _parted(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """What stands before and behind the @, of which a clean address has one."""
    if compiled.taken(texts):
        return compiled.parted(texts, "@")
    parts = texts.str.splitn("@", 2).struct
    return parts.field("field_0").fill_null(""), parts.field("field_1").fill_null("")


def standardise_emails(columns: Sequence[pl.Series], reference: Reference) -> StandardisedField:
    """The distinct addresses of all e-mail columns; placeholders are unknown.

    Vocabulary: ``local``, ``domain``, ``role`` (info@, sales@: not one person's), ``free_provider``.
    """
    shape = len(columns), len(columns[0])
    known, places = stacked(columns)
    del columns  # a million texts each
    [codes], texts = encode([cleaned_emails(known)])
    del known
    local, domain = _parted(texts)
    vocabulary = pl.DataFrame(
        {
            "text": texts,
            "local": local,
            "domain": domain,
            "role": local.is_in(sorted(reference.role_mailboxes)),
            "free_provider": domain.is_in(sorted(reference.free_mail)),
        }
    )
    unknown = sorted(reference.placeholders["email"])
    locals_ = [address.removesuffix("@") for address in unknown if address.endswith("@")]
    domains = [address.removeprefix("@") for address in unknown if address.startswith("@")]
    bad = texts.is_in(unknown) | local.is_in(locals_) | domain.is_in(domains)
    return StandardisedField("email", Kind.EMAIL, slots_of(forget(codes, bad), places, shape), vocabulary)
