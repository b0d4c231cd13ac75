"""Readers for the shapes of botocore's service model, compiled once: value in, checked value out.

botocore itself checks required members, types and minimum lengths only; a reader adds maxima, patterns and
enums, as the real service must. The first failing member in the model's order is named, in the style of
Smithy. Unknown members are dropped and null members count as absent. Text of the request never enters a
message.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

    Reader = Callable[[Any, str], Any]

_INTEGER_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_MOMENTS = (
    -62_135_596_800,
    253_402_300_799,
)  # epoch seconds of the years 1 to 9999, all that ISO 8601 spells
# Assumed, as the model leaves it open: how many values one search key may have.
_MOST = {"requestValueList": 1000}


class Violation(Exception):
    """A member that breaks a constraint of its shape."""

    def __init__(self, at: str, constraint: str) -> None:
        super().__init__(f"Value at '{at}' failed to satisfy constraint: {constraint}")
        self.at = at


@dataclass(slots=True)
class Compiler:
    """Readers by shape name; a shape that contains itself is compiled once.

    `strict` also refuses unknown members, as a test of our own responses wants.
    """

    readers: dict[str, Reader]
    strict: bool = False

    def reader(self, shape: Shape) -> Reader:
        """The reader of a shape."""
        known = self.readers.get(shape.name)
        if known is not None:
            return known
        self.readers[shape.name] = self._later(shape.name)
        made = self._compile(shape)
        self.readers[shape.name] = made
        return made

    def _later(self, name: str) -> Reader:
        return lambda value, at: self.readers[name](value, at)  # noqa: PLW0108 - looked up when called, not now

    def _compile(self, shape: Shape) -> Reader:
        makers: dict[str, Callable[[Any], Reader]] = {
            "structure": self._structure,
            "list": self._list,
            "map": self._map,
            "string": _string,
            "integer": _integer,
            "long": _integer,
            "double": _number,
            "float": _number,
            "boolean": lambda _: _boolean,
            "timestamp": lambda _: _timestamp,
        }
        return makers[shape.type_name](shape)

    def gathered(self, shape: StructureShape) -> Reader:
        """The reader of an operation's input, gathered from path, query and body under the model's names."""
        return self._structure(shape, {name: name for name in shape.members})

    def _structure(self, shape: StructureShape, wire_names: Mapping[str, str] | None = None) -> Reader:
        required = set(shape.required_members)
        names = wire_names or {
            name: member.serialization.get("name", name) for name, member in shape.members.items()
        }
        members = tuple(
            (name, names[name], self.reader(member), name in required)
            for name, member in shape.members.items()
        )
        known = {wire_name for _, wire_name, _, _ in members}
        strict = self.strict

        def read(value: Any, at: str) -> dict[str, Any]:
            if type(value) is not dict:
                raise Violation(at, "Member must be a structure")
            if strict and (surplus := value.keys() - known):
                raise Violation(at, f"Member must not contain {sorted(surplus)}")
            found = {}
            prefix = f"{at}/" if at else ""
            for name, wire_name, read_member, is_required in members:
                given = value.get(wire_name)
                if given is not None:
                    found[name] = read_member(given, prefix + name)
                elif is_required:
                    raise Violation(prefix + name, "Member must not be null")
            return found

        return read

    def _list(self, shape: ListShape) -> Reader:
        read_member = self.reader(shape.member)
        at_least, at_most = _bounds(shape)

        def read(value: Any, at: str) -> list[Any]:
            if type(value) is not list:
                raise Violation(at, "Member must be a list")
            _check_length(len(value), (at_least, at_most), at)
            return [read_member(item, f"{at}/{position}") for position, item in enumerate(value)]

        return read

    def _map(self, shape: MapShape) -> Reader:
        read_key, read_value = self.reader(shape.key), self.reader(shape.value)
        at_least, at_most = _bounds(shape)

        def read(value: Any, at: str) -> dict[str, Any]:
            if type(value) is not dict:
                raise Violation(at, "Member must be a map")
            _check_length(len(value), (at_least, at_most), at)
            found = {}
            for position, (key, item) in enumerate(value.items()):
                if item is not None:  # keys are customer data: a message names the position
                    found[read_key(key, f"{at}/{position}/key")] = read_value(item, f"{at}/{position}/value")
            return found

        return read


def _bounds(shape: Shape) -> tuple[float, float]:
    return shape.metadata.get("min", 0), shape.metadata.get("max", _MOST.get(shape.name, math.inf))


def _check_length(length: int, bounds: tuple[float, float], at: str) -> None:
    at_least, at_most = bounds
    if length < at_least:
        raise Violation(at, f"Member must have length greater than or equal to {at_least}")
    if length > at_most:
        raise Violation(at, f"Member must have length less than or equal to {at_most}")


def _string(shape: StringShape) -> Reader:
    at_least, at_most = _bounds(shape)
    choices = tuple(shape.enum)
    pattern = shape.metadata.get("pattern")
    matches = _matcher(pattern) if pattern else None

    def read(value: Any, at: str) -> str:
        if type(value) is not str:
            raise Violation(at, "Member must be a string")
        if not at_least <= len(value) <= at_most:
            _check_length(len(value), (at_least, at_most), at)
        if choices and value not in choices:
            raise Violation(at, f"Member must satisfy enum value set: [{', '.join(choices)}]")
        if matches and not matches(value):
            raise Violation(at, f"Member must satisfy regular expression pattern: {pattern}")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise Violation(at, "Member must be Unicode text")
        return value

    return read


def _matcher(pattern: str) -> Callable[[str], object]:
    """A pattern holds for the whole value, unless it anchors the beginning only (as TagArn's does)."""
    compiled = re.compile(pattern, re.ASCII)
    return compiled.match if pattern.startswith("^") and not pattern.endswith("$") else compiled.fullmatch


def _integer(shape: Shape) -> Reader:
    at_least, at_most = _INTEGER_RANGES[shape.type_name]
    at_least, at_most = shape.metadata.get("min", at_least), shape.metadata.get("max", at_most)

    def read(value: Any, at: str) -> int:
        if type(value) is not int:
            raise Violation(at, "Member must be an integer")
        _check_range(value, (at_least, at_most), at)
        return value

    return read


def _number(shape: Shape) -> Reader:
    at_least, at_most = shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)

    def read(value: Any, at: str) -> float:
        if type(value) not in (int, float):
            raise Violation(at, "Member must be a number")
        _check_range(value, (at_least, at_most), at)
        return _float(value, at)

    return read


def _check_range(value: float, bounds: tuple[float, float], at: str) -> None:
    at_least, at_most = bounds
    if value < at_least:
        raise Violation(at, f"Member must have value greater than or equal to {at_least}")
    if value > at_most:
        raise Violation(at, f"Member must have value less than or equal to {at_most}")


def _boolean(value: Any, at: str) -> bool:
    if type(value) is not bool:
        raise Violation(at, "Member must be a boolean")
    return value


def _timestamp(value: Any, at: str) -> float:
    if type(value) not in (int, float):
        raise Violation(at, "Member must be a timestamp")
    _check_range(value, _MOMENTS, at)
    return float(value)


def _float(value: float, at: str) -> float:
    """A JSON number; what has no finite value (1e400, a whole number of 400 digits) is none."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise Violation(at, "Member must be a finite number")
    return number
