"""What a field of an object type reads from an object: a JSON accessor or a Handlebars expression.

Documented (AWS, "Field definitions"): accessors are rooted at `_source`; Handlebars may interpolate,
concatenate, use `#if`, `#unless`, `#each`, `#with` and a `removeExtraSpace` block; a bad expression is
refused on creation; a missing path is empty. Assumed: nothing is HTML-escaped, since the values are customer
data and not markup; partials, decorators and raw blocks are refused (the library recurses without end on a
partial that includes itself), and so is a loop that reaches out of itself over an object too large for it,
since it takes time with the power of its nesting.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from pyhandlebars import PyHandlebarsError, Template

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCESSOR: Final = re.compile(r"_source(\.[^.{}\s]+)*")
_EXTRA_SPACE: Final = re.compile(r"\{\{\s*([#/])\s*removeExtraSpace\s*\}\}")
_UNSUPPORTED: Final = re.compile(r"\{\{[\s~{]*#?[\s~]*[>*]|\{\{\{\{")
# What needs no change (escaped tags, comments, triple braces), or the inside of a tag.
_TAG: Final = re.compile(
    r"(?<!\\)\\\{\{\{?|\{\{~?!--.*?--~?\}\}|\{\{~?!.*?\}\}|\{\{~?\{"
    r"|\{\{(?P<before>~?)"
    r"(?P<inside>(?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\[[^\]]*\]|[^\"'\[{}~])+)(?P<after>~?)\}\}",
    re.DOTALL,
)
_NO_VALUE: Final = re.compile(r"\s*(?:[#/^&]|else(?=\s|$))")
_LOOP: Final = re.compile(r"\{\{[\s~]*(?:([#/])\s*|else\s+)each\b")
_OUTWARD: Final = re.compile(r"@root|\.\.|\|")
_MOST_WORK: Final = 300_000_000  # characters that loops may write at worst
# The borders of removeExtraSpace travel as characters that neither the expression nor the object has.
_BORDERS: Final = (0xE000, 0x10FFFE)


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
    if (depth := _depth_of_loops(source)) and _work(source, document, depth) > _MOST_WORK:
        raise BadSource("Source loops over more than the embedded service takes on")
    borders = _borders(source, document) if _EXTRA_SPACE.search(source) else ("", "")
    try:
        text = str(_template(source, *borders).format({"_source": document}))
    except PyHandlebarsError:
        raise BadSource("Source is not a Handlebars expression of the supported kind") from None
    return _collapsed(text, *borders) if borders[0] else text


@functools.lru_cache(maxsize=1024)
def _depth_of_loops(source: str) -> int:
    """How many loops lie inside one another; 0 where none reaches out of itself, so that each ends soon."""
    depth = deepest = 0
    for tag in _LOOP.finditer(source):
        depth += {"#": 1, "/": -1, None: 1}[tag[1]]
        deepest = max(deepest, depth)
    return deepest if _OUTWARD.search(source) else 0


def _work(source: str, document: Mapping[str, Any], depth: int) -> int:
    """An upper bound of the characters written: by each tag the whole object, in each round of the loops."""
    longest = 1
    pending: list[Any] = [document]
    while pending:
        items = pending.pop()
        longest = max(longest, len(items))
        inside = items.values() if isinstance(items, dict) else items
        pending += [item for item in inside if isinstance(item, dict | list)]
    return int(longest**depth * len(json.dumps(document)) * source.count("{{"))


def _borders(source: str, document: Mapping[str, Any]) -> tuple[str, str]:
    """Two characters for the borders of removeExtraSpace."""
    taken = {*source, *json.dumps(document, ensure_ascii=False)}
    first, second = itertools.islice((c for c in map(chr, range(*_BORDERS)) if c not in taken), 2)
    return first, second


def _collapsed(text: str, opening: str, closing: str) -> str:
    """The text with the blanks between borders collapsed, innermost first."""
    spaced = re.compile(f"{opening}([^{opening}{closing}]*){closing}")
    while opening in text:
        collapsed = spaced.sub(lambda found: " ".join(found[1].split()), text)
        if collapsed == text:
            raise BadSource("removeExtraSpace is not closed")
        text = collapsed
    if closing in text:
        raise BadSource("removeExtraSpace is not open")
    return text


@functools.lru_cache(maxsize=1024)
def _template(source: str, opening: str, closing: str) -> Template[dict[str, Any]]:
    if _UNSUPPORTED.search(source):
        raise BadSource("Source uses a Handlebars partial, decorator or raw block, which is not supported")
    bordered = _EXTRA_SPACE.sub(lambda found: opening if found[1] == "#" else closing, source)
    return Template(_TAG.sub(_unescaped, bordered))


def _unescaped(tag: re.Match[str]) -> str:
    """A tag whose value is not HTML-escaped: the library escapes all but those in triple braces."""
    inside = tag["inside"]
    if inside is None or _NO_VALUE.match(inside):
        return tag[0]
    return f"{{{{{tag['before']}{{{inside}}}{tag['after']}}}}}"
