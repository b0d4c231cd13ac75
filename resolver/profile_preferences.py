"""Engagement preferences of a file, in any spelling of their JSON, as PROFILES holds them."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from resolver.errors import BadFrame
from resolver.model.canonical import canonical_json


def preferences_of(texts: pl.Series) -> pl.Series:
    """JSON texts as canonical ones; nulls, empty texts, lists and objects in them left out.

    Raises:
        BadFrame: a text is no JSON object of lists of objects; its row is named, from 1.
    """
    made: list[str | None] = []
    for row, text in enumerate(texts, start=1):  # JSON of any shape: no expression reads it
        try:
            content = _filled(json.loads(text)) if text and text.strip() else {}
        except ValueError:
            content = None
        if not _is_legible(content):
            raise BadFrame(f"{texts.name} of row {row} is not a JSON object of lists of contacts")
        made.append(canonical_json(content) if content else None)
    return pl.Series(texts.name, made, pl.String)


def _is_legible(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
        for entries in content.values()
    )


def _filled(content: Any) -> Any:
    if isinstance(content, dict):
        kept = {name: _filled(value) for name, value in content.items()}
        return {name: value for name, value in kept.items() if value not in (None, "", [], {})}
    if isinstance(content, list):
        return [value for value in map(_filled, content) if value not in (None, "", [], {})]
    return content
