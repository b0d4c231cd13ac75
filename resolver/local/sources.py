"""What a field of an object type reads from an object: a JSON accessor or a Handlebars expression.

Documented (AWS, "Field definitions"): accessors are rooted at `_source`; Handlebars may interpolate,
concatenate, use `#if`, `#unless`, `#each`, `#with` and a `removeExtraSpace` block; a bad expression is
refused on creation; a missing path is empty. Assumed: nothing is HTML-escaped, since the values are customer
data and not markup.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from pyhandlebars import PyHandlebarsError, Template

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCESSOR: Final = re.compile(r"_source(\.[^.{}\s]+)*")
_EXTRA_SPACE: Final = re.compile(r"\{\{\s*([#/])\s*removeExtraSpace\s*\}\}")
# What Handlebars would escape travels as private-use characters; so do the borders of removeExtraSpace.
_ESCAPED: Final = "&<>\"'`="
_HIDDEN: Final = {ord(character): 0xF8F0 + place for place, character in enumerate(_ESCAPED)}
_SHOWN: Final = {code: chr(character) for character, code in _HIDDEN.items()}
_OPEN, _CLOSE = "\uf8e0", "\uf8e1"
_SPACED: Final = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")


class BadSource(ValueError):
    """A Source that is neither an accessor nor a Handlebars expression."""


def check_source(source: str) -> None:
    """Refuse what can never be evaluated; raises BadSource."""
    if _ACCESSOR.fullmatch(source):
        return
    if "{{" not in source:
        raise BadSource("Source must begin with _source or be a Handlebars expression")
    _render(source, {})


def source_value(source: str, document: Mapping[str, Any]) -> str | dict[str, Any]:
    """The text, or the JSON object, that a Source reads; empty where the path leads nowhere."""
    if "{{" in source:
        return _render(source, document)
    value: Any = document
    for step in source.split(".")[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else text_of(value)


def text_of(value: Any) -> str:
    """A JSON value as a profile holds it: text as it is, numbers and booleans as JSON, all else empty."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | dict):
        return ""
    return json.dumps(value)


def _render(source: str, document: Mapping[str, Any]) -> str:
    try:
        text = str(_template(source).format({"_source": _hidden(document)}))
    except PyHandlebarsError:
        raise BadSource("Source is not a Handlebars expression of the supported kind") from None
    while _OPEN in text:
        collapsed = _SPACED.sub(lambda found: " ".join(found[1].split()), text)
        if collapsed == text:
            raise BadSource("removeExtraSpace is not closed")
        text = collapsed
    if _CLOSE in text:
        raise BadSource("removeExtraSpace is not open")
    return text.translate(_SHOWN)


@functools.lru_cache(maxsize=1024)
def _template(source: str) -> Template[dict[str, Any]]:
    bordered = _EXTRA_SPACE.sub(lambda found: _OPEN if found[1] == "#" else _CLOSE, source)
    return Template(bordered)


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_HIDDEN)
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    return value
