"""The base of every part of a rule set: frozen, and refusing settings it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a rule set. Unknown keys are errors: a misspelt setting must not be silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
