"""E-mail addresses: lower case, tag out, shared mailboxes marked."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.standardising.coding import encode, forget, pack
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
    plain = texts.str.contains(_PLAIN)
    rows = (~plain).arg_true()
    untagged = (
        texts.scatter(rows, texts.gather(rows).str.replace(_TAGGED, "${1}${2}")) if len(rows) else texts
    )
    accepted = plain | untagged.str.contains(_PLAIN) | texts.is_null()
    return by_hand(texts, untagged.str.to_lowercase(), accepted.fill_null(value=True), clean_email)


def standardise_emails(columns: Sequence[pl.Series], reference: Reference) -> StandardisedField:
    """The distinct addresses of all e-mail columns; placeholders are unknown.

    Vocabulary: ``local``, ``domain``, ``role`` (info@, sales@: not one person's), ``free_provider``.
    """
    stacked = pl.concat([column.alias("text") for column in columns], rechunk=True)
    rows = stacked.is_not_null().arg_true()
    [codes], texts = encode([cleaned_emails(stacked.gather(rows))])
    split = pl.col("text").str.splitn("@", 2).struct
    vocabulary = (
        texts.to_frame("text")
        .with_columns(split.rename_fields(["local", "domain"]).alias("parts"))
        .unnest("parts")
        .with_columns(pl.col("domain").fill_null(""))
        .with_columns(
            pl.col("local").is_in(sorted(reference.role_mailboxes)).alias("role"),
            pl.col("domain").is_in(sorted(reference.free_mail)).alias("free_provider"),
        )
    )
    unknown = sorted(reference.placeholders["email"])
    bad = vocabulary.select(
        pl.col("text").is_in(unknown)
        | (pl.col("local") + "@").is_in(unknown)
        | ("@" + pl.col("domain")).is_in(unknown)
    ).to_series()
    slots = np.zeros(len(stacked), np.uint32)
    slots[rows.to_numpy()] = forget(codes, bad)
    packed = pack(slots.reshape(len(columns), -1).T)
    return StandardisedField("email", Kind.EMAIL, packed, vocabulary)
