"""E-mail addresses: lower case, tag out, shared mailboxes marked."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from resolver.matching.standardising.coding import clean_distinct, encode, pack
from resolver.model.standardised import Kind, StandardisedField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resolver.model.reference import Reference

_ANGLES: Final = re.compile(r"<([^<>]*@[^<>]*)>")
_SPACES: Final = re.compile(r"\s")


def clean_email(text: str | None, reference: Reference) -> str:
    """The address in lower case without its +tag; empty where it is no address or a placeholder."""
    plain = unicodedata.normalize("NFKC", text or "").strip().lower()
    if m := _ANGLES.search(plain):
        plain = m[1].strip()
    local, at, domain = plain.removeprefix("mailto:").strip(" .,;").rpartition("@")
    local = local.split("+")[0] or local
    if not at or not local or not domain or _SPACES.search(local + domain):
        return ""
    unknown = reference.placeholders["email"]
    address = f"{local}@{domain}"
    return "" if {address, f"{local}@", f"@{domain}"} & unknown else address


def standardise_emails(columns: Sequence[pl.Series], reference: Reference) -> StandardisedField:
    """The distinct addresses of all e-mail columns.

    Vocabulary: ``local``, ``domain``, ``role`` (info@, sales@: not one person's), ``free_provider``.
    """
    stacked = pl.concat([column.alias("text") for column in columns])
    numbers, cleaned = clean_distinct(stacked.to_frame(), lambda text: clean_email(text, reference))
    [codes], texts = encode([pl.Series(cleaned, dtype=pl.String)])
    slots = codes[numbers].reshape(len(columns), -1).T
    vocabulary = texts.to_frame("text").with_columns(
        pl.col("text").str.replace(r"@[^@]*$", "").alias("local"),
        pl.col("text").str.extract(r"@([^@]*)$").fill_null("").alias("domain"),
    )
    vocabulary = vocabulary.with_columns(
        pl.col("local").is_in(sorted(reference.role_mailboxes)).alias("role"),
        pl.col("domain").is_in(sorted(reference.free_mail)).alias("free_provider"),
    )
    return StandardisedField("email", Kind.EMAIL, pack(np.ascontiguousarray(slots)), vocabulary)
