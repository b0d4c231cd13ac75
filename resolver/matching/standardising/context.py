"""What a file as a whole says of how its values are to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from resolver.model.standardised import Kind


@dataclass(frozen=True, slots=True)
class Context:
    """Where phones are dialled, by separator whether days come first, the attributes that are evidence.

    Kept from one run to the next: a few profiles of the file are then read as all of them were.
    """

    region: str | None
    day_first: Mapping[str, bool]
    attributes: Mapping[str, Kind]
