"""When an object's source says that it last changed, by the mapping of its object type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The target by which a type names the field that holds the moment (AWS, "Field definitions").
TARGET: Final = "_profile.SourceLastUpdatedTimestamp"
EPOCH_MILLIS: Final = "epochmilli"  # written in any case (seen in public code)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ACCESSOR: Final = re.compile(r"(?:\{\{)?\s*_source((?:\.[A-Za-z0-9_-]+)+)\s*(?:\}\})?")
_TOKEN: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")

#: Letters of Java's SimpleDateFormat, as far as strptime has them.
_DIRECTIVES: Final = {
    "y": "%Y",
    "yy": "%y",
    "yyyy": "%Y",
    "M": "%m",
    "MM": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "d": "%d",
    "dd": "%d",
    "H": "%H",
    "HH": "%H",
    "h": "%I",
    "hh": "%I",
    "m": "%M",
    "mm": "%M",
    "s": "%S",
    "ss": "%S",
    "S": "%f",
    "SSS": "%f",
    "SSSSSS": "%f",
    "a": "%p",
    "E": "%a",
    "EEE": "%a",
    "EEEE": "%A",
    "X": "%z",
    "XX": "%z",
    "XXX": "%z",
    "Z": "%z",
    "z": "%Z",
}


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object type, and where its objects hold their moment: a path of members and a format, or null.

    ``definition`` is the answer of GetProfileObjectType; empty where it could not be read.
    """

    name: str
    path: tuple[str, ...] | None = None
    format: str | None = None
    definition: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def moment_of(self, text: str | None) -> datetime | None:
        """When the object with that JSON text last changed, in UTC; null where it does not say so legibly.

        A moment without a zone is taken as UTC.
        """
        if self.path is None or self.format is None or text is None:
            return None
        try:
            value = json.loads(text)
            for member in self.path:
                value = value[member]
            return _moment(value, self.format)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            return None


def object_type(definition: Mapping[str, Any]) -> ObjectType:
    """The type of an answer of GetProfileObjectType. Only a plain accessor is followed, no expression."""
    name = definition["ObjectTypeName"]
    pattern = definition.get("SourceLastUpdatedTimestampFormat")
    for mapped in (definition.get("Fields") or {}).values():
        if mapped.get("Target") == TARGET and pattern:
            accessor = ACCESSOR.fullmatch(mapped.get("Source") or "")
            known = pattern.casefold() == EPOCH_MILLIS or _strptime_format(pattern) is not None
            if accessor and known:
                path = tuple(accessor[1].removeprefix(".").split("."))
                return ObjectType(name, path, pattern, definition)
    return ObjectType(name, definition=definition)


def _moment(value: Any, pattern: str) -> datetime:
    if pattern.casefold() == EPOCH_MILLIS:
        return _EPOCH + timedelta(milliseconds=int(value))
    moment = datetime.strptime(value, _strptime_format(pattern) or "")  # noqa: DTZ007  # the next line sets the zone
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _strptime_format(pattern: str) -> str | None:
    """The same format for strptime; null where Java knows a letter that it does not."""
    parts = []
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token[1] is not None:
            parts.append((token[1] or "'").replace("''", "'").replace("%", "%%"))
        elif token[2]:
            if text not in _DIRECTIVES:
                return None
            parts.append(_DIRECTIVES[text])
        else:
            parts.append(text.replace("%", "%%"))
    return "".join(parts)
