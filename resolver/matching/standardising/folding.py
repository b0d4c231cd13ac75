"""Any script to plain words: lower-case ASCII letters and digits."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_JOINERS = re.compile(r"['`\u00b4\u2018\u2019\u02bc\u2032-]")
_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """The text in lower-case ASCII: accents dropped, other scripts transliterated, punctuation as it was."""
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return (plain if plain.isascii() else anyascii(plain)).lower()


def words(text: str) -> list[str]:
    """The words of a text, folded; hyphens and apostrophes join (O'Neill → oneill)."""
    return _WORD.findall(_JOINERS.sub("", fold(text)))


def split_words(text: str) -> list[str]:
    """The words of a text, folded; hyphens part, apostrophes join (Stratford-on-Avon → three words)."""
    return words(text.replace("-", " "))


def phrase(text: str) -> str:
    """The words of a text with single spaces."""
    return " ".join(words(text))
