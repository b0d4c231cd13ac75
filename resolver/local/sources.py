"""What a field of an object type reads from an object: a JSON accessor or a Handlebars expression.

Documented (AWS, "Field definitions"): accessors are rooted at `_source`; Handlebars may interpolate,
concatenate, use `#if`, `#unless`, `#each`, `#with` and a `removeExtraSpace` block; a bad expression is
refused on creation; a missing path is empty. Assumed: nothing is HTML-escaped, since the values are customer
data and not markup; partials, decorators and raw blocks are refused (the library recurses without end on a
partial that includes itself), and so are loops over an object too large for them, and values that come to
more text than one object can mean: an object is read within a few seconds or refused.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from pyhandlebars import PyHandlebarsError, Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
_PATH: Final = re.compile(r"\s+_source((?:\.\w+)*)\s*~?\}\}")
_MOST_WORK: Final = 300_000_000  # characters that loops may write at worst, for all fields of an object
_TAG_COST: Final = 150  # what a tag takes in each round, in the time of a character: measured, a microsecond
_TEXT_COST: Final = 3
_MOST_TEXT: Final = 16_000_000  # characters that all fields of an object may come to
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


class Reading:
    """One object whose fields are read one after the other, within limits that they share."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._work = 0
        self._written = 0
        self._counts: dict[str, int] = {}

    def value(self, source: str) -> str | dict[str, Any]:
        """The text, or the JSON object, that a Source reads, empty where the path leads nowhere.

        Raises:
            BadSource: this object and the expression do not go together.
        """
        if "{{" not in source:
            value = self._at(source.split(".")[1:])
            return value if isinstance(value, dict) else text_of(value)
        self._work += self._outward(source) if _reaches_out(source) else self._inward(source)
        if self._work > _MOST_WORK:
            raise BadSource("Source loops over more than the embedded service takes on")
        text = _render(source, self.document)
        self._written += len(text)
        if self._written > _MOST_TEXT:
            raise BadSource("Source comes to more text than the embedded service takes on")
        return text

    def _at(self, steps: Iterable[str]) -> Any:
        value: Any = self.document
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def _outward(self, source: str) -> int:
        """The most characters that are written: by each tag the whole object, in each round of the loops."""
        return int(self._longest ** _depth_of_loops(source) * self._size * source.count("{{"))

    def _inward(self, source: str) -> int:
        """What loops take that stay inside one another: at most a round for each value that is there."""
        cost = 0
        for path, text in _outermost_loops(source):
            cost += self._values_at(path) * (_TAG_COST * text.count("{{") + _TEXT_COST * len(text))
        return cost

    def _values_at(self, path: str) -> int:
        """How many values there are below a path."""
        if path not in self._counts:
            inside = _containers(self._at(path.split(".")[1:]))
            self._counts[path] = sum(len(items) for items in inside)
        return self._counts[path]

    @functools.cached_property
    def _longest(self) -> int:
        return max((len(items) for items in _containers(self.document)), default=1) or 1

    @functools.cached_property
    def _size(self) -> int:
        return len(json.dumps(self.document))


def text_of(value: Any) -> str:
    """A JSON value as a profile holds it: text as it is, numbers and booleans as JSON, all else empty."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | dict):
        return ""
    return json.dumps(value)


def _render(source: str, document: Mapping[str, Any]) -> str:
    borders = _borders(source, document) if _EXTRA_SPACE.search(source) else ("", "")
    try:
        text = str(_template(source, *borders).format({"_source": document}))
    except PyHandlebarsError:
        raise BadSource("Source is not a Handlebars expression of the supported kind") from None
    return _collapsed(text, *borders) if borders[0] else text


def _reaches_out(source: str) -> bool:
    """Whether loops may go over the same values again: that takes time with the power of their depth."""
    return _LOOP.search(source) is not None and _OUTWARD.search(source) is not None


@functools.lru_cache(maxsize=1024)
def _depth_of_loops(source: str) -> int:
    """How many loops lie inside one another."""
    depth = deepest = 0
    for tag in _LOOP.finditer(source):
        depth += {"#": 1, "/": -1, None: 1}[tag[1]]
        deepest = max(deepest, depth)
    return deepest


@functools.lru_cache(maxsize=1024)
def _outermost_loops(source: str) -> tuple[tuple[str, str], ...]:
    """(path, text) of every loop that lies in no other; the whole object's path where it is not plain."""
    found = []
    depth = start = 0
    path = ""
    for tag in _LOOP.finditer(source):
        if tag[1] == "/":
            depth -= 1
            if depth == 0:
                found.append((path, source[start : tag.end()]))
            continue
        if depth == 0:
            plain = _PATH.match(source, tag.end())
            start, path = tag.start(), plain[1] if plain and tag[1] and "with" not in source else ""
        depth += 1
    return tuple(found) if depth == 0 else (("", source),)


def _containers(document: Any) -> Iterator[Any]:
    """Every object and list of a document, itself included."""
    pending = [document] if isinstance(document, dict | list) else []
    while pending:
        items = pending.pop()
        yield items
        inside = items.values() if isinstance(items, dict) else items
        pending += [item for item in inside if isinstance(item, dict | list)]


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
